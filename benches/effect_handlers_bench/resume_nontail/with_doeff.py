"""A clause that goes on after its `Resume`."""

from doeff import EffectBase, Resume, do, handler, run

from benches.effect_handlers_bench.resume_nontail import ROUNDS, operator


class Operator(EffectBase):
    def __init__(self, number):
        self.number = number


@do
def loop(n, seed):
    for number in range(n, 0, -1):
        yield Operator(number)
    return seed


@handler
@do(non_tail=True)
def folded(effect: Operator, k):
    rest = yield Resume(k, None)
    return operator(effect.number, rest)


@do
def repeated(n):
    seed = 0
    for _ in range(ROUNDS):
        seed = yield folded(loop(n, seed))
    return seed


def main(n):
    return run(repeated(n))
