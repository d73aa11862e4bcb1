"""Handlers that forward what they do not divide."""

from effectful.ops.semantics import fwd, handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled


@defop
def prime(number: int) -> bool:
    raise NotHandled


def everything(number):
    return True


def divisible_by(divisor):
    def divides(number):
        return fwd() if number % divisor else False

    return {prime: divides}


def primes(first, end, total):
    for number in range(first, end):
        if prime(number):
            with handler(divisible_by(number)):
                return primes(number + 1, end, total + number)
    return total


def main(n):
    with handler({prime: everything}):
        return primes(2, n, 0)
