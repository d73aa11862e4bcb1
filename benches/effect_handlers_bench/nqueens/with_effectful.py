"""Multi-shot by replay, as with Segue; failing raises, as continuations are nowhere."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path


class FailError(Exception):
    pass


@defop
def pick(size: int) -> int:
    raise NotHandled


@defop
def fail() -> None:
    raise NotHandled


def place(size, column):
    if column == 0:
        return ()
    queens = place(size, column - 1)
    queen = pick(size)
    if not safe(queen, queens):
        fail()
    return (queen, *queens)


def fails():
    raise FailError


def main(n):
    path = Path()

    def picked(size):
        return 1 + path.choose(size)

    ways = 0
    while True:
        try:
            with handler({fail: fails, pick: picked}):
                place(n, n)
        except FailError:
            pass
        else:
            ways += 1
        if not path.advance():
            return ways
