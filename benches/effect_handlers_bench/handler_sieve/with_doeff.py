"""Clauses that pass on what they do not divide."""

from doeff import EffectBase, Pass, Transfer, do, handler, run


class Prime(EffectBase):
    def __init__(self, number):
        self.number = number


@handler
def everything(effect: Prime, k):
    return (yield Transfer(k, value=True))


def divisible_by(prime):
    @handler
    def divides(effect: Prime, k):
        if effect.number % prime:
            yield Pass(effect, k)
        return (yield Transfer(k, value=False))

    return divides


@do
def primes(first, end, total):
    for number in range(first, end):
        if (yield Prime(number)):
            return (yield divisible_by(number)(primes(number + 1, end, total + number)))
    return total


def main(n):
    return run(everything(primes(2, n, 0)))
