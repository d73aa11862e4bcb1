"""Python's own generators, one inside of the other."""

from benches.effect_handlers_bench.generator import tree


def walk(node):
    if node is not None:
        yield from walk(node.left)
        yield node.value
        yield from walk(node.right)


def main(n):
    return sum(walk(tree(n)))
