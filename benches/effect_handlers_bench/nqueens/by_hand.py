"""Multi-shot by replay: a size that is yielded is a choice, nothing is failure."""

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path


def place(size, column):
    if column == 0:
        return ()
    queens = yield from place(size, column - 1)
    queen = yield size
    if not safe(queen, queens):
        yield None
    return (queen, *queens)


def way(program, path):
    answer = None
    try:
        while (size := program.send(answer)) is not None:
            answer = 1 + path.choose(size)
    except StopIteration:
        return 1
    return 0


def main(n):
    path = Path()
    ways = 0
    while True:
        ways += way(place(n, n), path)
        if not path.advance():
            return ways
