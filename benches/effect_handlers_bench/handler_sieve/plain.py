"""A list of primes, asked in the same order: the last one first."""


def main(n):
    found = []
    for number in range(2, n):
        if all(number % prime for prime in reversed(found)):
            found.append(number)
    return sum(found)
