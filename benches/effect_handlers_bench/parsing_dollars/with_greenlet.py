"""Three handlers, a greenlet each."""

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE
from benches.peers.greenlet import handled, perform


class Read:
    __slots__ = ()


class Emit:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Stop:
    __slots__ = ()


def parse():
    dollars = 0
    while True:
        character = perform(Read())
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            perform(Emit(dollars))
            dollars = 0
        else:
            perform(Stop())


def main(n):
    total = line = left = 0

    def emit(effect):
        nonlocal total
        total += effect.value

    def read(effect):
        nonlocal line, left
        if line > n:
            return perform(Stop())
        if left == 0:
            line += 1
            left = line
            return NEWLINE
        left -= 1
        return DOLLAR

    def fed():
        return handled(parse, {Read: read})

    def caught():
        return handled(fed, {}, ends=(Stop,))

    handled(caught, {Emit: emit})
    return total
