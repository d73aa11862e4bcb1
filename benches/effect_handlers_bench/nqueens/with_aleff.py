"""Multi-shot by replay, as with Segue: the library's own loses frames where an effect follows in nested calls."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path

pick, fail = effect("pick"), effect("fail")


def place(size, column):
    if column == 0:
        return ()
    queens = place(size, column - 1)
    queen = pick(size)
    if not safe(queen, queens):
        fail()
    return (queen, *queens)


def placed(size):
    place(size, size)
    return 1


def main(n):
    path = Path()
    handler = create_handler(pick, fail)
    handler.on(pick)(lambda k, size: k(1 + path.choose(size)))
    handler.on(fail)(lambda k: 0)
    ways = 0
    while True:
        ways += handler(lambda: placed(n))
        if not path.advance():
            return ways
