"""A control clause that goes on after its `Resume`."""

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator
from benches.peers.machine import Prompt, Resume, run


class Operator:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def loop(n, seed):
    for number in range(n, 0, -1):
        yield Operator(number)
    return seed


def folded(effect, k):
    rest = yield Resume(k, None)
    return operator(effect.number, rest)


def main(n):
    seed = 0
    for _ in range(ROUNDS):
        seed = run(loop(n, seed), Prompt({}, {Operator: folded}))
    return seed
