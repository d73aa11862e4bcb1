"""Multi-shot by replay, as with Segue."""

from doeff import EffectBase, Transfer, do, handler, run

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed


class Flip(EffectBase):
    pass


class Fail(EffectBase):
    pass


@do
def choice(n):
    while n >= 1:
        if (yield Flip()):
            return n
        n -= 1
    return (yield Fail())


@do
def triple(n, total):
    i = yield choice(n)
    j = yield choice(i - 1)
    k = yield choice(j - 1)
    if i + j + k != total:
        yield Fail()
    return hashed(i, j, k)


@handler
def fails(effect: Fail, k):
    return 0


@do
def every_way(n):
    path = Path()

    @handler
    def flip(effect: Flip, k):
        return (yield Transfer(k, path.choose(2) == 0))

    total = 0
    while True:
        total += yield fails(flip(triple(n, n)))
        if not path.advance():
            return total % MODULUS


def main(n):
    return run(every_way(n))
