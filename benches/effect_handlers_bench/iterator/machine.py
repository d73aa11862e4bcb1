"""A clause around a sum."""

from benches.peers.machine import Prompt, run


class Emit:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def numbers(n):
    for number in range(n + 1):
        yield Emit(number)


def main(n):
    total = 0

    def emit(effect):
        nonlocal total
        total += effect.value

    run(numbers(n), Prompt({Emit: emit}, {}))
    return total
