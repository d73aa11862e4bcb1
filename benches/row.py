"""A row of the table: what is measured, against what, and how good it must be.

This file knows neither Segue nor a peer: a worker in another environment uses it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

ROUND = 20_000
"""How many operations most rounds have: so many that how a run starts is no part of their ratio."""
clock = time.process_time_ns
"""What a round takes: nanoseconds of this process's CPU time, so that what else runs on the machine counts less."""


class Work(NamedTuple):
    """One round: what to call, what it must come to, and how many operations it is."""

    run: Callable[[], Any]
    answer: object
    operations: int


class Inside(NamedTuple):
    """What a round gives that timed itself, to leave out how it was set up."""

    nanoseconds: int
    answer: object


Make = Callable[[int], Work]
"""Makes the round for a size."""
Amount = Callable[[int], float]
"""Measures what is no time at that size: bytes, or what another process took."""


class WrongAnswerError(AssertionError):
    """A round came to something else than it must: its time says nothing."""


class UnavailableError(RuntimeError):
    """A row cannot be measured here, and why."""


def nanoseconds(work: Work) -> int:
    """What one round took; it must come to its answer."""
    begun = clock()
    given = work.run()
    took = clock() - begun
    if isinstance(given, Inside):
        took, given = given
    if given != work.answer:
        raise WrongAnswerError(f"came to {given!r}, not {work.answer!r}")
    return took


@dataclass(frozen=True)
class Row:
    """One line of the table.

    A row with a `floor` is a ratio to it. One of several `sizes` and without a floor is a growth: what an operation
    costs at the worst of the sizes, against what it costs at the first. One with an `amount` is that amount.

    Attributes:
        name: What `--row` and the peers call it.
        what: What is measured, for people.
        unit: What the number counts: `U`, `asyncio`, `depth 1`, `first` (the first size), `instr. of U`, `B`, `MB` or
            `ms`.
        must: The most that it may be; `None` where the targets say nothing.
        reach: What we reach for.
        sizes: How many operations a round has; the memory rows: how many things are held.
        subject: Makes Segue's round.
        floor: Makes the round that it is compared with.
        amount: Measures the amount.
        program: What the peers call the same program; empty where none is asked for it.
    """

    name: str
    what: str
    unit: str
    must: float | None
    reach: float | None
    sizes: tuple[int, ...]
    subject: Make | None = None
    floor: Make | None = None
    amount: Amount | None = None
    program: str = ""


@dataclass(frozen=True)
class Measured:
    """What a row came to: the number, and for each subject and size the seconds of an operation, round by round."""

    value: float
    rounds: dict[str, list[float]]


def met(value: float, limit: float | None) -> bool | None:
    """Whether a limit is kept, as far as the table shows digits; `None` where there is none."""
    return None if limit is None else round(value, 3) <= limit
