"""A greenlet is its own continuation: a clause switches to it, waits for its end, and folds."""

from greenlet import greenlet

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator
from benches.peers.greenlet import perform


class Operator:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def loop(n, seed):
    for number in range(n, 0, -1):
        perform(Operator(number))
    return seed


def folded(child, *given):
    asked = child.switch(*given)
    return asked if child.dead else operator(asked.number, folded(child, None))


def main(n):
    seed = 0
    for _ in range(ROUNDS):
        seed = folded(greenlet(loop), n, seed)
    return seed
