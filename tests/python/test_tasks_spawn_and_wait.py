"""Semantics 7: tasks are spawned, take turns, and are waited for."""

import pytest

from builtins_vocabulary import caught, raises, sequence
from segue import (
    CurrentTask,
    Get,
    Handle,
    Now,
    Pure,
    Put,
    Spawn,
    Try,
    Wait,
    do,
    state,
)
from tasks_vocabulary import (
    fails,
    frames,
    line_in,
    naps,
    notes,
    result,
    schedulers,
    spawn_all,
    value,
)

pytestmark = schedulers


def test_spawn_evaluates_to_a_task_at_once_and_does_not_switch(make):
    log = []

    @do
    def program():
        task = yield Spawn(notes(log, "child"))
        log.append("spawner")
        yield Put("n", 1)
        yield Get("n")
        log.append("spawner again")
        return isinstance(task, Handle), (yield Wait(task))

    assert value(make, program(), state) == (True, "child")
    assert log == ["spawner", "spawner again", "child"]


@pytest.mark.parametrize("program", [Pure(3), Now().map(int).map(lambda n: n + 3), naps(1, 3)], ids=repr)
def test_programs_and_effects_are_spawned(make, program):
    assert value(make, Spawn(program).flat_map(Wait)) == 3


def test_wait_may_be_repeated_and_gives_the_same_object(make):
    thing = object()

    @do
    def program():
        task = yield Spawn(naps(1, thing))
        return [(yield Wait(task)), (yield Wait(task)), (yield Wait(task))]

    assert [got is thing for got in value(make, program())] == [True] * 3


def test_program_that_a_task_returns_is_a_value(make):
    """Semantics 1: what a function returns is a value."""
    inner = Pure(1)

    @do
    def returns_a_program():
        return inner

    assert value(make, Spawn(returns_a_program()).flat_map(Wait)) is inner


def test_one_program_is_spawned_many_times(make):
    log = []

    @do
    def program():
        again = notes(log, "ran")
        tasks = yield spawn_all(again, again, again)
        return (yield sequence(*map(Wait, tasks)))

    assert value(make, program()) == ["ran"] * 3
    assert log == ["ran"] * 3


def test_error_is_raised_at_the_yield_of_who_waits(make):
    """The object that was raised, at the line that waits."""
    error = ValueError("x")

    @do
    def waits(task):
        return (yield Wait(task))  # here

    @do
    def program():
        task = yield Spawn(raises(error))
        return (yield caught(waits(task), ValueError))

    assert value(make, program()) is error
    assert frames(error)[-2:] == ["waits", "raises"]
    assert line_in(error, "waits").endswith("# here")
    assert error.__cause__ is None
    assert error.__context__ is None


def test_error_is_raised_with_its_original_traceback_each_time(make):
    """It does not grow from wait to wait."""
    seen = []

    @do
    def program():
        task = yield Spawn(raises(ValueError("x")))
        for _ in range(4):
            try:
                yield Wait(task)
            except ValueError as error:
                seen.append((error, frames(error)))

    assert value(make, program()) is None
    assert [names for _, names in seen] == [["program", "raises"]] * 4
    assert len({id(error) for error, _ in seen}) == 1


def test_error_of_a_task_that_is_waited_for_by_several_is_raised_at_each(make):
    seen = []

    @do
    def waits(task):
        try:
            yield Wait(task)
        except ValueError as error:
            seen.append(frames(error))

    @do
    def program():
        task = yield Spawn(fails(ValueError("x"), 1))
        waiters = yield spawn_all(waits(task), waits(task), waits(task))
        for waiter in waiters:
            yield Wait(waiter)

    assert value(make, program()) is None
    assert seen == [["waits", "fails"]] * 3


def test_error_passes_from_task_to_task(make):
    error = ValueError("x")

    @do
    def waits_for(program):
        task = yield Spawn(program)
        return (yield Wait(task))

    done = result(make, waits_for(waits_for(waits_for(raises(error)))))
    assert done.error is error
    assert frames(error) == ["waits_for", "waits_for", "waits_for", "raises"]
    assert not done.unobserved


def test_try_makes_a_value_of_a_failed_task(make):
    error = ValueError("x")
    assert value(make, Spawn(raises(error)).flat_map(lambda task: Try(Wait(task)))).error is error


def test_several_wait_for_one_task_and_go_on_in_their_order(make):
    log = []

    @do
    def waits(task, name):
        log.append((name, (yield Wait(task))))

    @do
    def program():
        task = yield Spawn(naps(1, "v"))
        for waiter in (yield spawn_all(waits(task, "a"), waits(task, "b"), waits(task, "c"))):
            yield Wait(waiter)

    assert value(make, program()) is None
    assert log == [("a", "v"), ("b", "v"), ("c", "v")]


# Names.


def test_the_root_and_those_without_a_name_are_called_in_the_order_of_their_spawns(make):
    @do
    def name():
        return (yield CurrentTask()).name

    @do
    def program():
        tasks = yield spawn_all(name(), name(), name())
        return (yield name()), (yield sequence(*map(Wait, tasks))), [task.name for task in tasks]

    names = ["task-1", "task-2", "task-3"]
    assert value(make, program()) == ("root", names, names)


def test_name_and_current_task(make):
    @do
    def program():
        task = yield Spawn(CurrentTask(), name="nap")
        before = task.done
        same = yield Wait(task)
        return task.name, before, task.done, same is task

    assert value(make, program()) == ("nap", False, True, True)


def test_current_task_is_the_same_in_nested_programs_and_after_waits(make):
    @do
    def program():
        first = yield CurrentTask()
        yield naps(1)
        return first is (yield CurrentTask().map(lambda task: task)), first.done

    assert value(make, program()) == (True, False)
