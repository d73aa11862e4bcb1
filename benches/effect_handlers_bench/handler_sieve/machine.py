"""The same, but a clause has to perform again what it passes on, outside, and to resume with the answer."""

from benches.peers.machine import Prompt, Resume, Transfer, run


class Prime:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


def everything(effect):
    return True


def asks_outside(effect, k):
    answer = yield effect
    yield Transfer(k, answer)


def divisible_by(prime):
    def divides(effect, k):
        return asks_outside(effect, k) if effect.number % prime else Resume(k, value=False)

    return Prompt({}, {Prime: divides})


def primes(first, end, total):
    for number in range(first, end):
        if (yield Prime(number)):
            return (yield Resume([divisible_by(number), primes(number + 1, end, total + number)], None))
    return total


def main(n):
    return run(primes(2, n, 0), Prompt({Prime: everything}, {}))
