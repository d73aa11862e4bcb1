"""What an operation costs does not grow with what is around it: each at three sizes, a decade apart.

The targets give no number for "does not grow". The one for handlers that do not match is taken for all: the dearest
size costs at most 1.5 times what the first does, and we reach for 1.2.
"""

from __future__ import annotations

from benches.loops import even, triangle
from benches.row import Inside, Row, Work, clock
from benches.rows.effects import below, counted, counts, descends, pings, value_clause
from benches.rows.tasks import scheduled, spawn, switch
from segue import do, run

MUST, REACH = 1.5, 1.2
EFFECTS = 10_000


def beyond(between):
    """Make `EFFECTS` effects with so many handlers between that do not match."""
    return below(between)(EFFECTS)


@do
def at_depth(depth):
    """Perform `EFFECTS` effects below so many calls."""
    if depth:
        return (yield at_depth(depth - 1))
    begun = clock()
    total = yield pings(EFFECTS)
    return Inside(clock() - begun, total)


def deep(depth):
    return Work(lambda: run(at_depth(depth), handlers=[value_clause]).value, EFFECTS, EFFECTS)


def nested(depth):
    return Work(lambda: run(descends(depth)).value, depth, depth)


def grows(name, what, sizes, subject):
    return Row(f"growth-{name}", what, "first", MUST, REACH, sizes, subject)


ROWS = [
    grows("effects", "an effect, after many effects", (1_000, 10_000, 100_000), counted(counts)),
    grows("tasks", "Spawn and Gather, with the number of tasks", (1_000, 10_000, 100_000), scheduled(spawn, triangle)),
    grows("switches", "a turn of two tasks, after many turns", (1_000, 10_000, 100_000), scheduled(switch, even)),
    grows("handlers", "an effect, with handlers between that do not match", (20, 200, 2_000), beyond),
    grows("depth", "an effect, with the depth of calls around it", (100, 1_000, 10_000), deep),
    grows("nesting", "a call and its return, with the depth of calls", (1_000, 10_000, 100_000), nested),
]
