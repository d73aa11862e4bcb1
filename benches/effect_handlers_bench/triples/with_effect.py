"""Multi-shot by replay, as with Segue; failing raises, as continuations are nowhere."""

from contextlib import suppress

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed


class Flip:
    pass


class Fail:
    pass


class FailError(Exception):
    pass


@do
def choice(n):
    while n >= 1:
        if (yield Effect(Flip())):
            return n
        n -= 1
    return (yield Effect(Fail()))


@do
def triple(n, total):
    i = yield choice(n)
    j = yield choice(i - 1)
    k = yield choice(j - 1)
    if i + j + k != total:
        yield Effect(Fail())
    return hashed(i, j, k)


@sync_performer
def fails(dispatcher, intent):
    raise FailError


@do
def every_way(n, path):
    total = 0
    while True:
        with suppress(FailError):
            total += yield triple(n, n)
        if not path.advance():
            return total % MODULUS


def main(n):
    path = Path()

    @sync_performer
    def flip(dispatcher, intent):
        return path.choose(2) == 0

    performers = TypeDispatcher({Flip: flip, Fail: fails})
    return sync_perform(ComposedDispatcher([performers, base_dispatcher]), every_way(n, path))
