"""A control clause that ends the block by returning."""

from benches.effect_handlers_bench.product_early import NUMBERS
from benches.peers.machine import Prompt, run


class Done:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return (yield Done(0))
    return NUMBERS[place] * (yield product(place + 1))


def early(effect, k):
    return effect.value


def main(n):
    total = 0
    for _ in range(n):
        total += run(product(0), Prompt({}, {Done: early}))
    return total
