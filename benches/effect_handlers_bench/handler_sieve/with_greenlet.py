"""A greenlet for each prime; what it does not divide is asked outside."""

from functools import partial

from benches.peers.greenlet import handled, perform


class Prime:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def everything(effect):
    return True


def divisible_by(prime):
    def divides(effect):
        return perform(effect) if effect.number % prime else False

    return {Prime: divides}


def primes(first, end, total):
    for number in range(first, end):
        if perform(Prime(number)):
            return handled(partial(primes, number + 1, end, total + number), divisible_by(number))
    return total


def main(n):
    return handled(lambda: primes(2, n, 0), {Prime: everything})
