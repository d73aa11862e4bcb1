"""An operation, interpreted by a function around a sum."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled


@defop
def emit(value: int) -> None:
    raise NotHandled


def numbers(n):
    for number in range(n + 1):
        emit(number)


def main(n):
    total = 0

    def add(value):
        nonlocal total
        total += value

    with handler({emit: add}):
        numbers(n)
    return total
