"""The clause keeps `k` and hands it to the consumer, who resumes it when it wants more."""

from benches.effect_handlers_bench.generator import tree
from segue import Effect, Resume, do, handles, run


class Yield(Effect[None]):
    value: int


@do
def walk(node):
    if node is not None:
        yield walk(node.left)
        yield Yield(node.value)
        yield walk(node.right)


@handles(Yield)
def drawn(effect, k):
    return effect.value, k.keep()


@do
def added(root):
    total = 0
    there = yield drawn(walk(root))
    while there is not None:
        value, rest = there
        total += value
        there = yield Resume(rest, None)
    return total


def main(n):
    return run(added(tree(n))).value
