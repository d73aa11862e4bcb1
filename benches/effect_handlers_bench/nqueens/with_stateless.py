"""Multi-shot by replay, as with Segue; failing is an error of the library's own."""

from dataclasses import dataclass

from stateless import Ability, catch, handle, run, throw

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path


@dataclass
class Pick(Ability[int]):
    size: int


class FailError(Exception):
    pass


def place(size, column):
    if column == 0:
        return ()
    queens = yield from place(size, column - 1)
    queen = yield from Pick(size)
    if not safe(queen, queens):
        yield from throw(FailError())
    return (queen, *queens)


def every_way(size):
    path = Path()

    def pick(ability: Pick):
        return 1 + path.choose(ability.size)

    way = catch(FailError)(handle(pick)(place))
    ways = 0
    while True:
        placed = yield from way(size, size)
        ways += not isinstance(placed, FailError)
        if not path.advance():
            return ways


def main(n):
    return run(every_way(n))
