"""The clause hands `k` to the consumer. A prompt and a program on it are what the machine resumes first."""

from benches.effect_handlers_bench.generator import tree
from benches.peers.machine import Prompt, Resume, run


class Yield:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def walk(node):
    if node is not None:
        yield walk(node.left)
        yield Yield(node.value)
        yield walk(node.right)


def drawn(effect, k):
    return effect.value, k


def added(root):
    total = 0
    there = yield Resume([Prompt({}, {Yield: drawn}), walk(root)], None)
    while there is not None:
        value, rest = there
        total += value
        there = yield Resume(rest, None)
    return total


def main(n):
    return run(added(tree(n)))
