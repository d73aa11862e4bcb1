"""The block ends where it asks, and is left there."""

from benches.effect_handlers_bench.product_early import NUMBERS, room
from benches.peers.greenlet import handled, perform


class Done:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return perform(Done(0))
    return NUMBERS[place] * product(place + 1)


def early():
    ended = handled(lambda: product(0), {}, ends=(Done,))
    return ended.value if type(ended) is Done else ended


def main(n):
    with room():
        return sum(early() for _ in range(n))
