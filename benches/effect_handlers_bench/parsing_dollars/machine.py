"""Three prompts. The clause that feeds is a plain function, and comes to a generator only where it performs."""

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE
from benches.peers.machine import Prompt, Resume, run


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
        character = yield Read()
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            yield Emit(dollars)
            dollars = 0
        else:
            yield Stop()


def stops():
    yield Stop()


def main(n):
    total = line = left = 0

    def emit(effect):
        nonlocal total
        total += effect.value

    def catch(effect, k):
        return None

    def read(effect, k):
        nonlocal line, left
        if line > n:
            return stops()
        if left == 0:
            line += 1
            left = line
            return Resume(k, NEWLINE)
        left -= 1
        return Resume(k, DOLLAR)

    run(parse(), Prompt({Emit: emit}, {}), Prompt({}, {Stop: catch}), Prompt({}, {Read: read}))
    return total
