"""Clauses that perform again, outside, what they do not divide."""

from functools import partial

from aleff.oneshot import create_handler, effect

prime = effect("prime")


def divisible_by(divisor):
    handler = create_handler(prime)
    handler.on(prime)(lambda k, number: k(prime(number) if number % divisor else False))
    return handler


def primes(first, end, total):
    for number in range(first, end):
        if prime(number):
            return divisible_by(number)(partial(primes, number + 1, end, total + number))
    return total


def main(n):
    handler = create_handler(prime)
    handler.on(prime)(lambda k, number: k(value=True))
    return handler(lambda: primes(2, n, 0))
