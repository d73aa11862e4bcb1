"""Multi-shot by replay, as with Segue; failing is an error of the library's own."""

from dataclasses import dataclass

from stateless import Ability, catch, handle, run, throw

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed


@dataclass
class Flip(Ability[bool]):
    pass


class FailError(Exception):
    pass


def choice(n):
    while n >= 1:
        if (yield from Flip()):
            return n
        n -= 1
    return (yield from throw(FailError()))


def triple(n, total):
    i = yield from choice(n)
    j = yield from choice(i - 1)
    k = yield from choice(j - 1)
    if i + j + k != total:
        yield from throw(FailError())
    return hashed(i, j, k)


def every_way(n):
    path = Path()

    def flip(ability: Flip):
        return path.choose(2) == 0

    way = catch(FailError)(handle(flip)(triple))
    total = 0
    while True:
        found = yield from way(n, n)
        total += 0 if isinstance(found, FailError) else found
        if not path.advance():
            return total % MODULUS


def main(n):
    return run(every_way(n))
