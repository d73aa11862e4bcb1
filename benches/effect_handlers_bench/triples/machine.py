"""Multi-shot by replay, as with Segue."""

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed
from benches.peers.machine import Prompt, run


class Flip:
    __slots__ = ()


class Fail:
    __slots__ = ()


def choice(n):
    while n >= 1:
        if (yield Flip()):
            return n
        n -= 1
    return (yield Fail())


def triple(n, total):
    i = yield choice(n)
    j = yield choice(i - 1)
    k = yield choice(j - 1)
    if i + j + k != total:
        yield Fail()
    return hashed(i, j, k)


def fails(effect, k):
    return 0


def main(n):
    path = Path()

    def flip(effect):
        return path.choose(2) == 0

    total = 0
    while True:
        total += run(triple(n, n), Prompt({Flip: flip}, {Fail: fails}))
        if not path.advance():
            return total % MODULUS
