"""Multi-shot by replay, as with Segue."""

from doeff import EffectBase, Transfer, do, handler, run

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path


class Pick(EffectBase):
    def __init__(self, size):
        self.size = size


class Fail(EffectBase):
    pass


@do
def place(size, column):
    if column == 0:
        return ()
    queens = yield place(size, column - 1)
    queen = yield Pick(size)
    if not safe(queen, queens):
        yield Fail()
    return (queen, *queens)


@do
def placed(size):
    yield place(size, size)
    return 1


@handler
def fails(effect: Fail, k):
    return 0


@do
def every_way(size):
    path = Path()

    @handler
    def pick(effect: Pick, k):
        return (yield Transfer(k, 1 + path.choose(effect.size)))

    ways = 0
    while True:
        ways += yield fails(pick(placed(size)))
        if not path.advance():
            return ways


def main(n):
    return run(every_way(n))
