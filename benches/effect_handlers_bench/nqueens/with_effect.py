"""Multi-shot by replay, as with Segue; failing raises, as continuations are nowhere."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do

from benches.effect_handlers_bench.nqueens import safe
from benches.effect_handlers_bench.paths import Path


class Pick:
    def __init__(self, size):
        self.size = size


class Fail:
    pass


class FailError(Exception):
    pass


@do
def place(size, column):
    if column == 0:
        return ()
    queens = yield place(size, column - 1)
    queen = yield Effect(Pick(size))
    if not safe(queen, queens):
        yield Effect(Fail())
    return (queen, *queens)


@sync_performer
def fails(dispatcher, intent):
    raise FailError


@do
def every_way(size, path):
    ways = 0
    while True:
        try:
            yield place(size, size)
        except FailError:
            pass
        else:
            ways += 1
        if not path.advance():
            return ways


def main(n):
    path = Path()

    @sync_performer
    def pick(dispatcher, intent):
        return 1 + path.choose(intent.size)

    performers = TypeDispatcher({Pick: pick, Fail: fails})
    return sync_perform(ComposedDispatcher([performers, base_dispatcher]), every_way(n, path))
