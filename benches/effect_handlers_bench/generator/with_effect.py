"""The performer does not answer: it keeps the box for the answer, and the consumer fills it when it wants more."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, perform
from effect.do import do

from benches.effect_handlers_bench.generator import tree


class Yield:
    def __init__(self, value):
        self.value = value


@do
def walk(node):
    if node is not None:
        yield walk(node.left)
        yield Effect(Yield(node.value))
        yield walk(node.right)


def main(n):
    drawn = []

    def draw(dispatcher, intent, box):
        drawn.append((intent.value, box))

    total = 0
    perform(ComposedDispatcher([TypeDispatcher({Yield: draw}), base_dispatcher]), walk(tree(n)))
    while drawn:
        value, rest = drawn.pop()
        total += value
        rest.succeed(None)
    return total
