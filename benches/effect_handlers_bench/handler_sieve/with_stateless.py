"""Handlers that leave what they do not divide to those outside."""

from dataclasses import dataclass

from stateless import Ability, Handler, handle, run
from stateless.errors import UnhandledAbilityError


@dataclass
class Prime(Ability[bool]):
    number: int


def everything(ability: Prime):
    return True


def divisible_by(prime):
    def divides(ability):
        if not isinstance(ability, Prime) or ability.number % prime:
            raise UnhandledAbilityError
        return False

    return Handler(divides)


def primes(first, end, total):
    for number in range(first, end):
        if (yield from Prime(number)):
            return (yield from divisible_by(number)(primes)(number + 1, end, total + number))
    return total


def main(n):
    return run(handle(everything)(primes)(2, n, 0))
