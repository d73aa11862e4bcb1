"""Functions that are called to read and to emit, and an exception that stops the parser."""

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


class StopError(Exception):
    pass


def parse(read, emit):
    dollars = 0
    while True:
        character = read()
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            emit(dollars)
            dollars = 0
        else:
            raise StopError


def main(n):
    total = line = left = 0

    def emit(count):
        nonlocal total
        total += count

    def read():
        nonlocal line, left
        if line > n:
            raise StopError
        if left == 0:
            line += 1
            left = line
            return NEWLINE
        left -= 1
        return DOLLAR

    try:
        parse(read, emit)
    except StopError:
        return total
