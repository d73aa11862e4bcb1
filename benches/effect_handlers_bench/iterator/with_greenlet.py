"""A clause around a sum."""

from benches.peers.greenlet import handled, perform


class Emit:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def numbers(n):
    for number in range(n + 1):
        perform(Emit(number))


def main(n):
    total = 0

    def emit(effect):
        nonlocal total
        total += effect.value

    handled(lambda: numbers(n), {Emit: emit})
    return total
