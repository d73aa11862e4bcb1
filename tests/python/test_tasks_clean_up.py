"""Semantics 7: the clean-up of cancelled tasks may wait and perform; who cancels whom."""

from builtins_vocabulary import caught
from segue import (
    Cancel,
    Cancelled,
    CurrentTask,
    Gather,
    Get,
    Now,
    Pure,
    Put,
    Sleep,
    Spawn,
    TaskCancelledError,
    Tell,
    Wait,
    bracket,
    do,
    state,
    writer,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    errors_of,
    naps,
    notes,
    result,
    schedulers,
    spawn_all,
    stuck,
    takes_turns,
    turns_of_all,
    value,
)

pytestmark = schedulers


# What clean-ups do.


def test_brackets_release_and_their_effects_are_handled(make):
    program = bracket(Tell("open").map(lambda _: "file"), lambda file: Sleep(9), lambda file: Tell(f"close {file}"))
    done = result(make, cancelled(program), outside=[writer])
    assert isinstance(done.value[0].error, TaskCancelledError)
    assert list(done.log) == ["open", "close file"]


def test_clean_up_may_wait_spawn_and_take_turns(make):
    log = []

    @do
    def busy():
        try:
            yield Sleep(9)
        finally:
            yield takes_turns(log, "turn", 2)
            tasks = yield spawn_all(naps(2, "a"), naps(1, "b"))
            log.extend((yield Gather(*tasks)))
            yield Put("cleaned", True)

    @do
    def program():
        (outcome,) = yield cancelled(busy())
        return type(outcome.error), (yield Now()), (yield Get("cleaned"))

    assert value(make, program(), outside=[state]) == (TaskCancelledError, 2.0, True)
    assert log == ["turn0", "turn1", "a", "b"]


def test_waiters_of_waiters_learn_of_it(make):
    """A waiter that does not catch the error fails with it; it is not cancelled itself."""

    @do
    def program():
        task = yield Spawn(Sleep(9), name="inner")
        waiter = yield Spawn(Wait(task), name="outer")
        yield turns_of_all(1)
        yield Cancel(task)
        return (yield caught(Wait(waiter), TaskCancelledError))

    assert str(value(make, program())) == "the task 'inner' was cancelled"


def test_tasks_cancel_each_other(make):
    log, tasks = [], []

    @do
    def cancels(other, name):
        try:
            yield Sleep(9)
        finally:
            yield Cancel(tasks[other])
            yield Sleep(1)
            log.append(name)

    @do
    def program():
        tasks.extend((yield spawn_all(cancels(1, "a"), cancels(0, "b"))))
        yield turns_of_all(1)
        yield Cancel(tasks[0])
        return (yield errors_of(*tasks))

    try:
        assert value(make, program()) == [TaskCancelledError] * 2
    finally:
        tasks.clear()
    assert log == ["a", "b"]


def test_daemon_is_cancelled_like_any_other(make):
    log = []
    (outcome,) = value(make, cancelled(stuck(log), daemon=True))
    assert isinstance(outcome.error, TaskCancelledError)
    assert log == ["stuck"]


def test_many_unstarted_ones_are_cancelled_and_none_runs(make):
    log = []
    outcomes = value(make, cancelled(*[notes(log, "ran")] * 100, after=0))
    assert {type(outcome.error) for outcome in outcomes} == {TaskCancelledError}
    assert log == []


def test_root_that_is_cancelled_is_unwound(make):
    """By a child: what the run comes to is what those get who wait for a cancelled task."""
    log = []

    @do
    def program():
        root = yield CurrentTask()
        yield Spawn(Cancel(root), daemon=True)
        yield careful(Sleep(9), log, "root")

    assert isinstance(result(make, program()).error, TaskCancelledError)
    assert log == ["root"]


def test_root_may_catch_its_cancellation(make):
    @do
    def program():
        root = yield CurrentTask()
        task = yield Spawn(Cancel(root).flat_map(lambda _: Pure("canceller")))
        try:
            yield Sleep(9)
        except Cancelled as error:
            return error.scope is root, (yield Wait(task)), (yield Now())

    assert value(make, program()) == (True, "canceller", 0.0)
