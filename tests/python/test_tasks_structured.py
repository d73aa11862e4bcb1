"""Semantics 7: `task_group` waits for all its tasks, and raises an `ExceptionGroup` with all that failed."""

import pytest

from builtins_vocabulary import caught, raises
from segue import (
    Cancel,
    Gather,
    Get,
    Now,
    Pure,
    Put,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    do,
    state,
    task_group,
    timeout,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    fails,
    frames,
    naps,
    notes,
    result,
    schedulers,
    stuck,
    takes_turns,
    turns_of_all,
    value,
)

pytestmark = schedulers


def group_of(*programs, last=None):
    """A group whose body spawns some programs, and then is what `last` comes to."""

    @do
    def body(group):
        for program in programs:
            yield group.spawn(program)
        return (yield last) if last is not None else None

    return task_group(body)


@do
def ended(program):
    """The errors of the group that a program raises, and when."""
    try:
        got = yield program
    except ExceptionGroup as group:
        got = list(group.exceptions)
    return got, (yield Now())


def test_group_waits_for_its_tasks_and_gives_the_value_of_its_body(make):
    log = []
    program = group_of(careful(naps(3), log, "a"), careful(naps(1), log, "b"), last=Pure("body"))
    assert value(make, ended(program)) == ("body", 3.0)
    assert log == ["b", "a"]


def test_group_of_no_task(make):
    assert value(make, task_group(lambda group: Pure(3))) == 3


def test_tasks_of_a_group_are_tasks(make):
    @do
    def body(group):
        tasks = []
        for n in range(3):
            task = yield group.spawn(naps(3 - n, n))
            tasks.append(task)
        return (yield Gather(*tasks)), (yield Wait(tasks[1]))

    assert value(make, task_group(body)) == ([0, 1, 2], 1)


def test_name_and_priority_of_a_task_of_a_group(make):
    log = []

    @do
    def body(group):
        low = yield group.spawn(notes(log, "low"), name="low")
        high = yield group.spawn(notes(log, "high"), name="high", priority=1)
        return low.name, high.name

    assert value(make, task_group(body)) == ("low", "high")
    assert log == ["high", "low"]


def test_failure_cancels_the_others_and_the_body_and_is_raised_when_all_are_unwound(make):
    error, log = ValueError("x"), []
    program = group_of(
        careful(stuck(log, "a"), log, "slow", seconds=4), fails(error, 1), last=careful(Sleep(9), log, "body")
    )
    assert value(make, ended(program)) == ([error], 5.0)
    assert sorted(log) == ["a", "body", "slow"]
    assert frames(error)[-1] == "fails"


def test_single_failure_is_in_a_group_too(make):
    error = ValueError("x")
    done = result(make, group_of(raises(error)))
    assert type(done.error) is ExceptionGroup
    assert done.error.exceptions == (error,)
    assert not done.unobserved


def test_failing_body_cancels_the_tasks(make):
    error, log = ValueError("body"), []
    assert value(make, ended(group_of(stuck(log), naps(9), last=fails(error, 1)))) == ([error], 1.0)
    assert log == ["stuck"]


def test_failing_body_and_failing_clean_up_are_both_there(make):
    first, second, third = ValueError("task"), KeyError("clean-up"), OSError("body")

    @do
    def breaks(error):
        try:
            yield Sleep(9)
        finally:
            raise error

    errors, _ = value(make, ended(group_of(breaks(second), fails(first, 1), last=breaks(third))))
    assert sorted(map(str, errors)) == sorted(map(str, [first, second, third]))
    assert errors[0] is first


def test_body_that_waits_for_what_fails_raises_its_error_once(make):
    error = ValueError("x")

    @do
    def body(group):
        task = yield group.spawn(fails(error, 1))
        return (yield Wait(task))

    errors, now = value(make, ended(task_group(body)))
    assert {id(e) for e in errors} == {id(error)}
    assert now == 1.0


def test_except_star_takes_what_it_knows(make):
    seen = []

    @do
    def program():
        try:
            yield group_of(fails(ValueError("a")), fails(KeyError("b")), fails(ValueError("c")))
        except* ValueError as group:
            seen.extend(map(str, group.exceptions))

    error = result(make, program()).error
    assert [str(e) for e in error.exceptions] == ["'b'"]
    assert seen == ["a", "c"]


def test_cancelled_task_of_a_group_is_no_failure(make):
    @do
    def body(group):
        task = yield group.spawn(Sleep(9))
        yield turns_of_all(1)
        yield Cancel(task)
        return (yield caught(Wait(task), TaskCancelledError)), "body"

    assert value(make, ended(task_group(body)))[0][1] == "body"


def test_inner_group_fails_as_a_task_of_the_outer_one(make):
    error, log = ValueError("x"), []
    ((inner,), now) = value(make, ended(group_of(stuck(log, "outer"), group_of(stuck(log, "inner"), fails(error, 1)))))
    assert type(inner) is ExceptionGroup
    assert inner.exceptions == (error,)
    assert log == ["inner", "outer"]
    assert now == 1.0


def test_failure_of_the_outer_group_cancels_the_inner_one(make):
    error, log = ValueError("x"), []
    program = group_of(fails(error, 1), last=careful(group_of(stuck(log, "inner")), log, "body"))
    assert value(make, ended(program)) == ([error], 1.0)
    assert log == ["inner", "body"]


def test_cancelled_group_unwinds_its_tasks_and_passes_the_cancellation_on(make):
    """It is cancelled, not failed."""
    log = []
    group = careful(group_of(careful(stuck(log, "a"), log, "slow", seconds=2), stuck(log, "b")), log, "group")
    (outcomes, now) = value(make, ended(cancelled(group, after=3)))
    assert isinstance(outcomes[0].error, TaskCancelledError)
    assert log == ["a", "b", "slow", "group"]
    assert now == 2.0


def test_timeout_around_a_group_raises_no_group(make):
    log = []
    program = caught(timeout(3, group_of(stuck(log, "a"), stuck(log, "b"))), TimeoutError)
    assert type(value(make, program)) is TimeoutError
    assert log == ["a", "b"]


def test_timeout_in_a_task_of_a_group_is_its_failure(make):
    (errors, now) = value(make, ended(group_of(timeout(2, Sleep(9)), Sleep(5))))
    assert [type(error) for error in errors] == [TimeoutError]
    assert now == 2.0


def test_group_may_be_given_to_its_tasks(make):
    log = []

    @do
    def parent(group, depth):
        log.append(depth)
        if depth:
            yield group.spawn(parent(group, depth - 1))
            yield group.spawn(parent(group, depth - 1))
        yield Sleep(1)

    program = task_group(lambda group: group.spawn(parent(group, 4)).map(lambda _: "body"))
    assert value(make, ended(program)) == ("body", 1.0)
    assert log == [4, 3, 3, *[2] * 4, *[1] * 8, *[0] * 16]


def test_group_that_is_cancelled_from_inside_ends_its_tasks_only(make):
    log = []

    @do
    def body(group):
        yield group.spawn(stuck(log, "a"))
        yield group.spawn(careful(stuck(log, "b"), log, "slow", seconds=2))
        yield turns_of_all(1)
        yield group.cancel()
        return "body"

    assert value(make, ended(task_group(body))) == ("body", 2.0)
    assert log == ["a", "b", "slow"]


def test_group_that_is_over_takes_no_more_tasks(make):
    kept, log = [], []

    @do
    def program():
        yield task_group(lambda group: Pure(kept.append(group)))
        return (yield caught(kept[0].spawn(notes(log, "ran")), Exception))

    try:
        assert isinstance(value(make, program()), Exception)
    finally:
        kept.clear()
    assert log == []


def test_tasks_that_are_spawned_beside_the_group_are_not_its_own(make):
    error = ValueError("x")

    @do
    def program():
        beside = yield Spawn(naps(3, "beside"))
        errors, _ = yield ended(group_of(fails(error, 1)))
        return errors, (yield Wait(beside))

    assert value(make, program()) == ([error], "beside")


def test_tasks_of_a_group_run_inside_the_handlers_of_the_spawn(make):
    @do
    def program():
        yield Put("n", 1)
        seen = []
        yield group_of(Get("n").map(seen.append), last=Put("n", 2))
        return seen, (yield Get("n"))

    assert value(make, program(), state) == ([1], 2)


@pytest.mark.parametrize("count", [1, 10, 300])
def test_groups_in_groups(make, count):
    """The depth is no matter of the stack."""
    log = []
    program = notes(log, "deepest")
    for _ in range(count):
        program = group_of(program, takes_turns([], "x", 1))
    assert value(make, program) is None
    assert log == ["deepest"]


def test_group_catches_nothing_that_is_no_failure(make):
    """What a task leaves behind in `Try` is a value."""
    assert isinstance(value(make, group_of(last=Try(raises(ValueError("x"))))).error, ValueError)
