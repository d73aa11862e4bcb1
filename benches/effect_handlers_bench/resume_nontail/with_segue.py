"""A control clause that goes on after its `Resume`."""

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator
from segue import Effect, Resume, do, handles, run


class Operator(Effect[None]):
    number: int


@do
def loop(n, seed):
    for number in range(n, 0, -1):
        yield Operator(number)
    return seed


@handles(Operator)
def folded(effect, k):
    rest = yield Resume(k, None)
    return operator(effect.number, rest)


@do
def repeated(n):
    seed = 0
    for _ in range(ROUNDS):
        seed = yield folded(loop(n, seed))
    return seed


def main(n):
    return run(repeated(n)).value
