"""What is yielded is a count to add, or nothing to read the next character."""

from benches.effect_handlers_bench.parsing_dollars import DOLLAR, NEWLINE


def parse():
    dollars = 0
    while True:
        character = yield None
        if character == DOLLAR:
            dollars += 1
        elif character == NEWLINE:
            yield dollars
            dollars = 0
        else:
            return


def main(n):
    total = line = left = 0
    send = parse().send
    answer = None
    while True:
        asked = send(answer)
        if asked is not None:
            total += asked
        elif line > n:
            return total
        elif left == 0:
            line += 1
            left = line
            answer = NEWLINE
        else:
            left -= 1
            answer = DOLLAR
