"""Multi-shot by replay, as with Segue."""

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path
from benches.peers.machine import Prompt, run


class Pick:
    __slots__ = ("size",)

    def __init__(self, size):
        self.size = size


class Fail:
    __slots__ = ()


def place(size, column):
    if column == 0:
        return ()
    queens = yield place(size, column - 1)
    queen = yield Pick(size)
    if not safe(queen, queens):
        yield Fail()
    return (queen, *queens)


def placed(size):
    yield place(size, size)
    return 1


def fails(effect, k):
    return 0


def main(n):
    path = Path()

    def pick(effect):
        return 1 + path.choose(effect.size)

    ways = 0
    while True:
        ways += run(placed(n), Prompt({Pick: pick}, {Fail: fails}))
        if not path.advance():
            return ways
