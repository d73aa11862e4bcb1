"""Multi-shot by replay: the triple is chosen again for each way; `Flip` answers as before, `Fail` ends the way."""

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed
from segue import Effect, answers, do, handles, run


class Flip(Effect[bool]):
    pass


class Fail(Effect[None]):
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


@handles(Fail)
def fails(effect, k):
    return 0


@do
def every_way(n):
    path = Path()

    @answers(Flip)
    def flip(effect):
        return path.choose(2) == 0

    way = (fails | flip)(triple(n, n))
    total = 0
    while True:
        total += yield way
        if not path.advance():
            return total % MODULUS


def main(n):
    return run(every_way(n)).value
