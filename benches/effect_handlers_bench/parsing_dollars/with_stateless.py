"""Two handlers, and an error. A handler performs nothing, but what it raises is turned into an error and caught."""

from dataclasses import dataclass

from stateless import Ability, catch, handle, run, throws

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


@dataclass
class Read(Ability[int]):
    pass


@dataclass
class Emit(Ability[None]):
    value: int


class StopError(Exception):
    pass


def parse():
    dollars = 0
    while True:
        character = yield from Read()
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            yield from Emit(dollars)
            dollars = 0
        else:
            raise StopError


def main(n):
    total = line = left = 0

    def emit(ability: Emit):
        nonlocal total
        total += ability.value

    def read(ability: Read):
        nonlocal line, left
        if line > n:
            raise StopError
        if left == 0:
            line += 1
            left = line
            return NEWLINE
        left -= 1
        return DOLLAR

    run(handle(emit)(catch(StopError)(throws(StopError)(handle(read)(parse))))())
    return total
