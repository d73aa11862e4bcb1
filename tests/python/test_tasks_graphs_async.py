"""`run` and `async_run` agree on random graphs of tasks (law L8.8), and on random trees of tasks that await.

`SEGUE_GRAPHS` says how many for each loop (300), `SEGUE_SEED` where to start (0). A failure tells its seed.
"""

import asyncio
import functools
import os
from collections import Counter

from async_vocabulary import loops
from segue import (
    Await,
    CreatePromise,
    DeadlockError,
    Spawn,
    Try,
    VirtualClock,
    Wait,
    async_run,
    await_handler,
    do,
    run,
    scheduler,
)
from tasks_graphs import AWAITING, Play, graph
from tasks_trees import LARGE, Climb, tree

GRAPHS = int(os.environ.get("SEGUE_GRAPHS", "300"))
SEED = int(os.environ.get("SEGUE_SEED", "0"))


def virtual(order):
    """A scheduler in virtual time; `order` draws who is next, `None` is first come, first served."""
    return scheduler(seed=order, clock=VirtualClock())


def here(program, order):
    """The result under `run`, where an `Await` is awaited at once and alone."""
    return run(program, handlers=[await_handler(), virtual(order)])


def there(loop, program, order):
    """The result under `async_run`."""

    async def main():
        return await async_run(program, handlers=[virtual(order)])

    return loop.run(main)


def seen(play, done):
    """What is to be the same: the result, the trace with the clean-ups in their order, and the count of steps."""
    return done.value, play.trace, play.deadlocks, done.usage.steps, len(done.unobserved)


# Nothing is awaited: all is the same.


@loops
def test_graphs_do_the_same_in_a_loop_as_in_run(loop, unraisable):
    for seed in range(SEED, SEED + GRAPHS):
        for order in (None, seed):
            inside, outside = Play(graph(seed)), Play(graph(seed))
            expected = seen(outside, run(outside.program(), handlers=[virtual(order)]))
            assert seen(inside, there(loop, inside.program(), order)) == expected, f"graph {seed}, order {order}"


# Something is awaited: in another order, but by the same laws.


def wrong_when(played):
    """What is wrong with graphs that await; `played` plays the one of a seed in the order that another one draws."""
    wrong = []
    for seed in range(SEED, SEED + GRAPHS):
        for order in (None, seed):
            try:
                played(seed, order).check_end()
            except AssertionError as error:
                wrong.append(f"graph {seed}, order {order}: {error!r}")
            except Exception as error:
                error.add_note(f"graph {seed}, order {order}")
                raise
    return wrong


@loops
def test_deadlock_after_a_task_awaited_is_told(loop):
    @do
    def stuck():
        yield Await(loop.sleep(0))
        yield Wait((yield CreatePromise()))

    @do
    def program():
        return (yield Try(Wait((yield Spawn(stuck(), daemon=True))))).error

    assert isinstance(there(loop, program(), None).value, DeadlockError)


def in_loop(loop, seed, order):
    play = Play(graph(seed, AWAITING), loop.sleep)
    assert there(loop, play.program(), order).value == "done"
    return play


def in_script(seed, order):
    play = Play(graph(seed, AWAITING), asyncio.sleep)
    assert here(play.program(), order).value == "done"
    return play


@loops
def test_graphs_that_await_keep_the_model_under_any_order(loop, unraisable):
    """Permits and values are conserved, each `finally` runs once, and what was awaited has ended."""
    assert wrong_when(functools.partial(in_loop, loop)) == []


def test_graphs_that_await_in_a_script_keep_the_model_under_any_order(unraisable):
    assert wrong_when(in_script) == []


def test_graphs_that_await_in_a_script_have_one_trace_for_each_seed(unraisable):
    for seed in range(SEED, SEED + GRAPHS // 3):
        assert in_script(seed, seed).trace == in_script(seed, seed).trace, f"graph {seed}"


@loops
def test_graphs_that_await_do_what_they_are_for(loop, unraisable):
    """Awaits are made, cancelled and fail, or the tests above would say little."""
    words, awaits = set(), Counter()
    for seed in range(SEED, SEED + GRAPHS // 3):
        play = in_loop(loop, seed, seed)
        words.update(word for _, word in play.trace)
        awaits += play.awaited
    assert {"await", "cancelled", "learned", "finally", "DeadlockError", "TimeoutError", "BrokenError"} <= words
    assert awaits["begun"] > GRAPHS // 3


# Trees, in which the order decides nothing: the same values, times and clean-ups, whoever runs them.


def climbed(steps, sleep, start):
    """What a tree comes to, and what each `finally` saw."""
    climb = Climb(steps, sleep)
    done = start(climb.program())
    assert sum(climb.left.values()) == sum(climb.entered.values()), "a finally ran twice, or never"
    assert climb.awaited["begun"] == climb.awaited["ended"]
    return done.value, climb.left, climb.awaited, climb.kinds


@loops
def test_trees_that_await_come_to_the_same_in_a_loop_as_in_run(loop, unraisable):
    kinds = Counter()
    for seed in range(SEED, SEED + GRAPHS):
        steps = tree(seed)
        expected = climbed(steps, asyncio.sleep, lambda program: here(program, None))
        for order in (None, seed):
            found = climbed(steps, loop.sleep, lambda program, order=order: there(loop, program, order))
            assert found == expected, f"tree {seed}, order {order}"
        kinds += expected[-1]
    assert min(kinds[kind] for kind in LARGE | {"hold": 4}) > GRAPHS // 60, kinds


def test_trees_come_to_the_same_in_a_script_under_any_order(unraisable):
    for seed in range(SEED, SEED + GRAPHS):
        steps = tree(seed)
        expected = climbed(steps, asyncio.sleep, lambda program: here(program, None))
        for order in (seed, seed + 1):
            found = climbed(steps, asyncio.sleep, lambda program, order=order: here(program, order))
            assert found == expected, f"tree {seed}, order {order}"
