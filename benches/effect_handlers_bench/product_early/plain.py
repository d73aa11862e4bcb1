"""An exception, as in the suite's own OCaml program. A thousand calls are more than the interpreter allows at first."""

import sys

from benches.effect_handlers_bench.product_early import NUMBERS

ROOM = 3_000


class DoneError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        raise DoneError(0)
    return NUMBERS[place] * product(place + 1)


def early():
    try:
        return product(0)
    except DoneError as done:
        return done.value


def main(n):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, ROOM))
    try:
        return sum(early() for _ in range(n))
    finally:
        sys.setrecursionlimit(before)
