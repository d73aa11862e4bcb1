"""What the machine is measured against: U, in two readings. This file knows neither Segue nor a peer.

U is `segue_floor.drive`, a loop in Rust around `PyIter_Send` (`benches/floor`): it looks at nothing that is yielded,
and sends one and the same answer each time. There are two ways to hold a row against it, and the table shows both where
they differ:

- *the same generator*: the very program of the row. It makes its effects as it does under the machine, so the ratio is
  the machine's own share.
- *bare*: a generator that yields one object again and again (`pings`). What a program pays to make its effects is then
  the machine's too, as users see it; peers are measured so.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib.util import find_spec
from typing import Any

from benches.row import Make, Work

COMPILED = find_spec("segue_floor") is not None

if COMPILED:
    from segue_floor import drive  # type: ignore[import-not-found, import-untyped, unused-ignore]
else:  # The tests look at results only.

    def drive(generator: Generator[Any, Any, Any], answer: object) -> Any:
        """Do what the extension does, in Python: right, but no floor."""
        try:
            generator.send(None)
            while True:
                generator.send(answer)
        except StopIteration as end:
            return end.value


EFFECT = object()


def pings(count: int) -> Generator[object, int, int]:
    """Yield one object so many times, and add up the answers, as the programs of the rows do."""
    total = 0
    for _ in range(count):
        total += yield EFFECT
    return total


def bare(size: int) -> Work:
    """U: one yield an operation."""
    return Work(lambda: drive(pings(size), 1), size, size)


def same(program: Any, answer: object, comes_to: Any) -> Make:
    """U of that generator function of a size: it is sent `answer` each time, and returns `comes_to(size)`."""
    return lambda size: Work(lambda: drive(program(size), answer), comes_to(size), size)
