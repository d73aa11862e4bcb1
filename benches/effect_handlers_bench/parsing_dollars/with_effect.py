"""Three performers; the one that stops raises, as continuations are nowhere."""

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


class Read:
    pass


class Emit:
    def __init__(self, value):
        self.value = value


class Stop:
    pass


class StopError(Exception):
    pass


@do
def parse():
    dollars = 0
    while True:
        character = yield Effect(Read())
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            yield Effect(Emit(dollars))
            dollars = 0
        else:
            yield Effect(Stop())


@sync_performer
def stops(dispatcher, intent):
    raise StopError


@do
def catch():
    try:
        yield parse()
    except StopError:
        return


def main(n):
    total = line = left = 0

    @sync_performer
    def emit(dispatcher, intent):
        nonlocal total
        total += intent.value

    @sync_performer
    def read(dispatcher, intent):
        nonlocal line, left
        if line > n:
            return Effect(Stop())
        if left == 0:
            line += 1
            left = line
            return NEWLINE
        left -= 1
        return DOLLAR

    performers = TypeDispatcher({Emit: emit, Stop: stops, Read: read})
    sync_perform(ComposedDispatcher([performers, base_dispatcher]), catch())
    return total
