"""A `@do` function that calls itself."""

from effect import base_dispatcher, sync_perform
from effect.do import do


@do
def fibonacci(n):
    return n if n < 2 else (yield fibonacci(n - 1)) + (yield fibonacci(n - 2))


def main(n):
    return sync_perform(base_dispatcher, fibonacci(n))
