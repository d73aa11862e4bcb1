"""Multi-shot by replay: true is yielded for a choice, false for failure."""

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed

FLIP, FAIL = True, False


def choice(n):
    while n >= 1:
        if (yield FLIP):
            return n
        n -= 1
    return (yield FAIL)


def triple(n, total):
    i = yield from choice(n)
    j = yield from choice(i - 1)
    k = yield from choice(j - 1)
    if i + j + k != total:
        yield FAIL
    return hashed(i, j, k)


def way(program, path):
    answer = None
    try:
        while program.send(answer):
            answer = path.choose(2) == 0
    except StopIteration as end:
        return end.value
    return 0


def main(n):
    path = Path()
    total = 0
    while True:
        total += way(triple(n, n), path)
        if not path.advance():
            return total % MODULUS
