"""One round, for whoever counts its instructions from outside: `python -m benches.counting get subject 2000`."""

from __future__ import annotations

import gc
import sys

from benches.floors import bare, same
from benches.loops import triangle
from benches.row import Work, nanoseconds
from benches.rows.effects import GET, called, generator_clause, handled, plain_clause, value_clause
from benches.rows.tasks import scheduled, spawn
from segue import do, run, state


@do
def gets(size):
    total = 0
    for _ in range(size):
        total += yield GET
    return total


def got(size):
    return Work(lambda: run(gets(size), handlers=[state({"n": 1})]).value, size, size)


SUBJECTS = {
    "get": {"subject": got, "floor": same(gets.__wrapped__, 1, int)},
    "value-clause": {"subject": handled(value_clause), "floor": bare},
    "plain-clause": {"subject": handled(plain_clause), "floor": bare},
    "generator-clause": {"subject": handled(generator_clause), "floor": bare},
    "call": {"subject": called, "floor": bare},
    "spawn": {"subject": scheduled(spawn, triangle), "floor": bare},
}

if __name__ == "__main__":
    name, which, size = sys.argv[1:]
    gc.disable()
    nanoseconds(SUBJECTS[name][which](int(size)))
