"""Multi-shot by replay, as with Segue."""

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path
from benches.peers.greenlet import handled, perform


class Pick:
    __slots__ = ("size",)

    def __init__(self, size):
        self.size = size


class Fail:
    __slots__ = ()


def place(size, column):
    if column == 0:
        return ()
    queens = place(size, column - 1)
    queen = perform(Pick(size))
    if not safe(queen, queens):
        perform(Fail())
    return (queen, *queens)


def main(n):
    path = Path()

    def pick(effect):
        return 1 + path.choose(effect.size)

    ways = 0
    while True:
        placed = handled(lambda: place(n, n), {Pick: pick}, ends=(Fail,))
        ways += type(placed) is not Fail
        if not path.advance():
            return ways
