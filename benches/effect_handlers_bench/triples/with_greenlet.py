"""Multi-shot by replay, as with Segue."""

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed
from benches.peers.greenlet import handled, perform


class Flip:
    __slots__ = ()


class Fail:
    __slots__ = ()


def choice(n):
    while n >= 1:
        if perform(Flip()):
            return n
        n -= 1
    return perform(Fail())


def triple(n, total):
    i = choice(n)
    j = choice(i - 1)
    k = choice(j - 1)
    if i + j + k != total:
        perform(Fail())
    return hashed(i, j, k)


def main(n):
    path = Path()

    def flip(effect):
        return path.choose(2) == 0

    total = 0
    while True:
        found = handled(lambda: triple(n, n), {Flip: flip}, ends=(Fail,))
        total += 0 if type(found) is Fail else found
        if not path.advance():
            return total % MODULUS
