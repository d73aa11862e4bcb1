"""A generator that yields itself."""

from benches.peers.machine import run


def fibonacci(n):
    return n if n < 2 else (yield fibonacci(n - 1)) + (yield fibonacci(n - 2))


def main(n):
    return run(fibonacci(n))
