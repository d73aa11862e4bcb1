"""Random graphs of tasks against the model of `tasks_graphs.py` (semantics 7): nothing is lost, doubled or forgotten.

`SEGUE_GRAPHS` says how many for each scheduler (300), `SEGUE_SEED` where to start (0). A failure tells its seed.
"""

import os

import pytest

from segue import VirtualClock, run
from tasks_graphs import Play, graph
from tasks_vocabulary import schedulers

GRAPHS = int(os.environ.get("SEGUE_GRAPHS", "300"))
SEED = int(os.environ.get("SEGUE_SEED", "0"))

pytestmark = schedulers


def played(make, seed, order):
    """A graph, played in the order that a seed draws; `None` is first come, first served."""
    play = Play(graph(seed))
    done = run(play.program(), handlers=[make(seed=order, clock=VirtualClock())])
    assert done.value == "done"
    return play


def errors_in(make, seed, order):
    """What is wrong with a graph, or `None`."""
    try:
        played(make, seed, order).check_end()
    except Exception as error:
        return repr(error)
    return None


@pytest.mark.parametrize("part", range(3))
def test_random_graphs_keep_the_model_under_any_order(make, part, unraisable):
    """No wake-up is lost, permits and values are conserved, each `finally` runs once."""
    wrong = {}
    for seed in range(SEED + part, SEED + GRAPHS, 3):
        for order in (None, seed, seed + 1):
            if (error := errors_in(make, seed, order)) is not None:
                wrong[seed, order] = error
    assert wrong == {}, f"graphs and orders that are wrong: {wrong}"


def test_same_seed_gives_the_same_trace_and_others_may_differ(make, unraisable):
    differ = 0
    for seed in range(SEED, SEED + GRAPHS // 3):
        first, again, other = (played(make, seed, order).trace for order in (seed, seed, seed + 1))
        assert first == again, f"graph {seed}"
        differ += first != other
    assert differ > GRAPHS // 60, differ


def test_graphs_without_a_seed_are_first_come_first_served(make, unraisable):
    for seed in range(SEED, SEED + GRAPHS // 10):
        assert played(make, seed, None).trace == played(make, seed, None).trace, f"graph {seed}"


def test_graphs_do_what_they_are_for(make, unraisable):
    """Cancellations, deadlocks, failures and timeouts all happen, or the tests above would say little."""
    words, deadlocks, sizes = set(), 0, []
    for seed in range(SEED, SEED + GRAPHS):
        play = played(make, seed, seed)
        words.update(word for _, word in play.trace)
        deadlocks += play.deadlocks
        sizes.append(play.entered)
    assert {"cancelled", "learned", "finally", "DeadlockError", "TimeoutError", "BrokenError"} <= words
    assert deadlocks > GRAPHS // 100
    assert sum(sizes) > 3 * GRAPHS
