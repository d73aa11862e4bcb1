"""Multi-shot by replay, as with Segue: the library's own loses frames where an effect follows in nested calls."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed

flip, fail = effect("flip"), effect("fail")


def choice(n):
    while n >= 1:
        if flip():
            return n
        n -= 1
    return fail()


def triple(n, total):
    i = choice(n)
    j = choice(i - 1)
    k = choice(j - 1)
    if i + j + k != total:
        fail()
    return hashed(i, j, k)


def main(n):
    path = Path()
    handler = create_handler(flip, fail)
    handler.on(flip)(lambda k: k(path.choose(2) == 0))
    handler.on(fail)(lambda k: 0)
    total = 0
    while True:
        total += handler(lambda: triple(n, n))
        if not path.advance():
            return total % MODULUS
