"""A stack of generators: one that is yielded is called, one that ends returns."""


def fibonacci(n):
    return n if n < 2 else (yield fibonacci(n - 1)) + (yield fibonacci(n - 2))


def main(n):
    stack, value = [fibonacci(n)], None
    while stack:
        try:
            called = stack[-1].send(value)
        except StopIteration as end:
            stack.pop()
            value = end.value
        else:
            stack.append(called)
            value = None
    return value
