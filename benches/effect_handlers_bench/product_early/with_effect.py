"""A performer that raises: what ends a block is an error, as continuations are nowhere."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do

from benches.effect_handlers_bench.product_early import NUMBERS


class DoneError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value


class Done:
    def __init__(self, value):
        self.value = value


@do
def product(place):
    if place == len(NUMBERS):
        return 0
    if NUMBERS[place] == 0:
        return (yield Effect(Done(0)))
    return NUMBERS[place] * (yield product(place + 1))


@sync_performer
def ends(dispatcher, intent):
    raise DoneError(intent.value)


@do
def repeated(times):
    total = 0
    for _ in range(times):
        try:
            total += yield product(0)
        except DoneError as done:
            total += done.value
    return total


def main(n):
    return sync_perform(ComposedDispatcher([TypeDispatcher({Done: ends}), base_dispatcher]), repeated(n))
