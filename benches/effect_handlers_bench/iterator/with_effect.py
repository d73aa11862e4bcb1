"""A performer around a sum."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do


class Emit:
    def __init__(self, value):
        self.value = value


@do
def numbers(n):
    for number in range(n + 1):
        yield Effect(Emit(number))


def main(n):
    total = 0

    @sync_performer
    def emit(dispatcher, intent):
        nonlocal total
        total += intent.value

    sync_perform(ComposedDispatcher([TypeDispatcher({Emit: emit}), base_dispatcher]), numbers(n))
    return total
