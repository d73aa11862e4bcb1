"""A handler that raises: what ends a block is an exception, as continuations are nowhere."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.effect_handlers_bench.product_early import NUMBERS, room


class DoneError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


@defop
def done(value: int) -> int:
    raise NotHandled


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return done(0)
    return NUMBERS[place] * product(place + 1)


def ends(value):
    raise DoneError(value)


def early():
    try:
        with handler({done: ends}):
            return product(0)
    except DoneError as ended:
        return ended.value


def main(n):
    with room():
        return sum(early() for _ in range(n))
