"""A handler around a sum."""

from dataclasses import dataclass

from stateless import Ability, handle, run


@dataclass
class Emit(Ability[None]):
    value: int


def numbers(n):
    for number in range(n + 1):
        yield from Emit(number)


def main(n):
    total = 0

    def emit(ability: Emit):
        nonlocal total
        total += ability.value

    run(handle(emit)(numbers)(n))
    return total
