"""How rows are measured.

pyperf runs one subject after the other, each in processes of its own. What else happens on a machine between two of
them is larger than what we look for, so the subjects of a row take turns in *this* process, for many short rounds, and
the fastest round of each counts: noise only ever adds. What pyperf fits is left to it: the time of an import, the
machine's description, the file that keeps the rounds.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from benches.row import Make, Measured, Row, Work, nanoseconds

LEAST_ROUNDS = 5
MOST_ROUNDS = 400


@contextmanager
def without_gc() -> Generator[None]:
    """No collection strikes in a round; what is there already is left out of those between rounds."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def take_turns(works: Mapping[str, Work], seconds: float) -> dict[str, list[float]]:
    """Round by round, for so long: what an operation of each work took, in seconds."""
    for work in works.values():
        nanoseconds(work)  # Caches fill, and a wrong answer is seen at once.
    rounds: dict[str, list[float]] = {name: [] for name in works}
    with without_gc():
        end = time.monotonic() + seconds
        for number in range(MOST_ROUNDS):
            if number >= LEAST_ROUNDS and time.monotonic() > end:
                break
            for name, work in works.items():
                rounds[name].append(nanoseconds(work) / work.operations / 1e9)
                gc.collect()
    return rounds


def against(subject: Make, floor: Make, size: int, seconds: float) -> Measured:
    """The fastest round of the subject, in fastest rounds of the floor."""
    rounds = take_turns({"subject": subject(size), "floor": floor(size)}, seconds)
    return Measured(min(rounds["subject"]) / min(rounds["floor"]), rounds)


def growing(subject: Make, sizes: tuple[int, ...], seconds: float) -> Measured:
    """The dearest size's operation, in operations of the first size."""
    rounds = take_turns({str(size): subject(size) for size in sizes}, seconds)
    fastest = [min(times) for times in rounds.values()]
    return Measured(max(fastest) / fastest[0], rounds)


def measure(row: Row, sizes: tuple[int, ...], seconds: float) -> Measured:
    """What a row comes to at these sizes."""
    if row.amount is not None:
        return Measured(row.amount(sizes[0]), {})
    if row.subject is None:
        raise ValueError(f"{row.name} has neither a subject nor an amount")
    if row.floor is not None:
        return against(row.subject, row.floor, sizes[0], seconds)
    return growing(row.subject, sizes, seconds)
