"""Three handlers."""

from aleff.oneshot import create_handler, effect

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE

read, emit, stop = effect("read"), effect("emit"), effect("stop")


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
    handler = create_handler(read)

    @handler.on(read)
    def _read(k):
        nonlocal line, left
        if line > lines:
            return stop()
        if left == 0:
            line += 1
            left = line
            return k(NEWLINE)
        left -= 1
        return k(DOLLAR)

    return handler


def main(n):
    total = 0
    adds, catches, feeds = create_handler(emit), create_handler(stop), feed(n)

    @adds.on(emit)
    def _emit(k, dollars):
        nonlocal total
        total += dollars
        return k(None)

    catches.on(stop)(lambda k: None)
    adds(lambda: catches(lambda: feeds(parse)))
    return total
