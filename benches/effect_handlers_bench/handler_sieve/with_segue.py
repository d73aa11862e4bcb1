"""Value clauses that pass on what they do not divide."""

from segue import Effect, Pass, answers, do, run


class Prime(Effect[bool]):
    number: int


@answers(Prime)
def everything(effect):
    return True


def divisible_by(prime):
    @answers(Prime)
    def divides(effect):
        return Pass() if effect.number % prime else False

    return divides


@do
def primes(first, end, total):
    for number in range(first, end):
        if (yield Prime(number)):
            return (yield divisible_by(number)(primes(number + 1, end, total + number)))
    return total


def main(n):
    return run(primes(2, n, 0), handlers=[everything]).value
