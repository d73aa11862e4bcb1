"""Multi-shot by replay, as with Segue; failing raises, as continuations are nowhere."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.effect_handlers_bench.paths import Path
from benches.effect_handlers_bench.triples import MODULUS, hashed


class FailError(Exception):
    pass


@defop
def flip() -> bool:
    raise NotHandled


@defop
def fail() -> int:
    raise NotHandled


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


def fails():
    raise FailError


def main(n):
    path = Path()

    def flipped():
        return path.choose(2) == 0

    total = 0
    while True:
        try:
            with handler({fail: fails, flip: flipped}):
                total += triple(n, n)
        except FailError:
            pass
        if not path.advance():
            return total % MODULUS
