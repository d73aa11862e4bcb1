"""A control clause that ends the block by returning."""

from benches.effect_handlers_bench.product_early import NUMBERS
from segue import Effect, do, handles, run


class Done(Effect[int]):
    value: int


@do
def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return (yield Done(0))
    return NUMBERS[place] * (yield product(place + 1))


@handles(Done)
def early(effect, k):
    return effect.value


@do
def repeated(times):
    total = 0
    for _ in range(times):
        total += yield early(product(0))
    return total


def main(n):
    return run(repeated(n)).value
