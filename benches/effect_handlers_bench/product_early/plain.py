"""An exception, as in the suite's own OCaml program. A thousand calls need more room than there is at first."""

from benches.effect_handlers_bench.product_early import NUMBERS, room


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
    with room():
        return sum(early() for _ in range(n))
