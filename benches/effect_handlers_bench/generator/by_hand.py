"""A stack of generators is the rest of the walk: one that is yielded is called, a number is handed out."""

from benches.effect_handlers_bench.generator import tree


def walk(node):
    if node is not None:
        yield walk(node.left)
        yield node.value
        yield walk(node.right)


def draw(stack):
    while stack:
        for yielded in stack[-1]:
            if type(yielded) is int:
                return yielded
            stack.append(yielded)
            break
        else:
            stack.pop()
    return None


def main(n):
    total = 0
    rest = [walk(tree(n))]
    while (value := draw(rest)) is not None:
        total += value
    return total
