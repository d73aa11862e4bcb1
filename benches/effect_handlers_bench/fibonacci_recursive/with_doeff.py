"""A `@do` function that calls itself."""

from doeff import do, run


@do
def fibonacci(n):
    return n if n < 2 else (yield fibonacci(n - 1)) + (yield fibonacci(n - 2))


def main(n):
    return run(fibonacci(n))
