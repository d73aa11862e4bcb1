"""A generator that goes through itself."""

from stateless import run


def fibonacci(n):
    return n if n < 2 else (yield from fibonacci(n - 1)) + (yield from fibonacci(n - 2))


def main(n):
    return run(fibonacci(n))
