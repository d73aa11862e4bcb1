"""Multi-shot by replay: the board is set up again for each way; `Pick` answers as before, `Fail` ends the way early."""

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path
from segue import Effect, answers, do, handles, run


class Pick(Effect[int]):
    size: int


class Fail(Effect[None]):
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


@handles(Fail)
def fails(effect, k):
    return 0


@do
def every_way(size):
    path = Path()

    @answers(Pick)
    def pick(effect):
        return 1 + path.choose(effect.size)

    way = (fails | pick)(placed(size))
    ways = 0
    while True:
        ways += yield way
        if not path.advance():
            return ways


def main(n):
    return run(every_way(n)).value
