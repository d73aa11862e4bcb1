"""A clause that drops its continuation."""

from doeff import EffectBase, do, handler, run

from benches.effect_handlers_bench.product_early import NUMBERS


class Done(EffectBase):
    def __init__(self, value):
        self.value = value


@do
def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return (yield Done(0))
    return NUMBERS[place] * (yield product(place + 1))


@handler
def early(effect: Done, k):
    return effect.value


@do
def repeated(times):
    total = 0
    for _ in range(times):
        total += yield early(product(0))
    return total


def main(n):
    return run(repeated(n))
