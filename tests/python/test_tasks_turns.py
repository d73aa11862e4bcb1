"""Semantics 7: one task runs at a time, and gives way only where it waits; mistakes of `Spawn` and `Wait`."""

import pytest

from builtins_vocabulary import caught, raises, sequence
from segue import (
    CompletePromise,
    CreateEvent,
    CreatePromise,
    Pure,
    Put,
    SegueError,
    SetEvent,
    Spawn,
    Wait,
    Yield,
    do,
    state,
)
from tasks_vocabulary import (
    frames,
    notes,
    schedulers,
    spawn_all,
    takes_turns,
    value,
)

pytestmark = schedulers


# Who runs when.


def test_tasks_take_turns_in_the_order_of_their_spawns(make):
    log = []

    @do
    def program():
        for task in (yield spawn_all(*(takes_turns(log, name) for name in "abc"))):
            yield Wait(task)

    assert value(make, program()) is None
    assert log == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


def test_yield_of_the_only_task_goes_on(make):
    assert value(make, sequence(Yield(), Yield())) == [None, None]


def test_highest_priority_that_can_run_runs_first_and_equals_in_their_order(make):
    log = []

    @do
    def program():
        tasks = []
        for name, priority in [("a", 0), ("b", 5), ("c", -1), ("d", 5), ("e", 0), ("f", 10**6)]:
            task = yield Spawn(notes(log, name), priority=priority)
            tasks.append(task)
        for task in reversed(tasks):
            yield Wait(task)

    assert value(make, program()) is None
    assert log == ["f", "b", "d", "a", "e", "c"]


def test_task_of_high_priority_does_not_stop_the_one_that_runs(make):
    """One gives way only where it waits."""
    log = []

    @do
    def program():
        task = yield Spawn(takes_turns(log, "high", 2), priority=9)
        for _ in range(3):
            yield Put("n", 1)
        log.append("spawner")
        yield Wait(task)

    assert value(make, program(), outside=[state]) is None
    assert log == ["spawner", "high0", "high1"]


def test_effects_that_wake_others_do_not_give_way(make):
    log = []

    @do
    def wakes(target):
        yield Wait(target)
        log.append("woken")

    @do
    def program():
        promise, event = (yield CreatePromise()), (yield CreateEvent())
        tasks = yield spawn_all(wakes(promise), wakes(event))
        yield Yield()
        yield CompletePromise(promise, 1)
        yield SetEvent(event)
        log.append("still here")
        for task in tasks:
            yield Wait(task)

    assert value(make, program()) is None
    assert log == ["still here", "woken", "woken"]


# Mistakes.


@pytest.mark.parametrize("thing", [3, None, "text", raises, Pure], ids=repr)
def test_spawn_of_no_program_is_a_type_error_at_the_yield(make, thing):
    @do
    def program():
        try:
            yield Spawn(thing)
        except TypeError as error:
            return frames(error), (yield Spawn(Pure("goes on")).flat_map(Wait))

    assert value(make, program()) == (["program"], "goes on")


def test_task_of_another_run_is_an_error_at_the_yield(make):
    task = value(make, Spawn(Pure(1)).flat_map(lambda task: Wait(task).map(lambda _: task)))
    error = value(make, caught(Wait(task), TypeError, SegueError))
    assert isinstance(error, (TypeError, SegueError))
