"""Two operations, interpreted by functions around a variable."""

from effectful.ops.semantics import handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled


@defop
def get() -> int:
    raise NotHandled


@defop
def put(value: int) -> None:
    raise NotHandled


def countdown():
    while n := get():
        put(n - 1)
    return n


def main(n):
    cell = n

    def got():
        return cell

    def was_put(value):
        nonlocal cell
        cell = value

    with handler({get: got, put: was_put}):
        return countdown()
