"""The clause ends with its continuation, which the consumer resumes when it wants more."""

from doeff import EffectBase, Resume, do, handler, run

from benches.effect_handlers_bench.generator import tree


class Yield(EffectBase):
    def __init__(self, value):
        self.value = value


@do
def walk(node):
    if node is not None:
        yield walk(node.left)
        yield Yield(node.value)
        yield walk(node.right)


@handler
def drawn(effect: Yield, k):
    return effect.value, k


@do(non_tail=True)
def added(root):
    total = 0
    there = yield drawn(walk(root))
    while there is not None:
        value, rest = there
        total += value
        there = yield Resume(rest, None)
    return total


def main(n):
    return run(added(tree(n)))
