"""Three handlers; the one in the middle raises, as continuations are nowhere."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


class StopError(Exception):
    pass


@defop
def read() -> int:
    raise NotHandled


@defop
def emit(dollars: int) -> None:
    raise NotHandled


@defop
def stop() -> None:
    raise NotHandled


def parse():
    dollars = 0
    while True:
        character = read()
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            emit(dollars)
            dollars = 0
        else:
            stop()


def feed(lines):
    line = left = 0

    def character():
        nonlocal line, left
        if line > lines:
            return stop()
        if left == 0:
            line += 1
            left = line
            return NEWLINE
        left -= 1
        return DOLLAR

    return character


def stops():
    raise StopError


def catch(lines):
    try:
        with handler({stop: stops}), handler({read: feed(lines)}):
            parse()
    except StopError:
        return


def main(n):
    total = 0

    def add(dollars):
        nonlocal total
        total += dollars

    with handler({emit: add}):
        catch(n)
    return total
