"""Faults of the scheduler: cancellation, and what is no `Exception` (Q06, Q20, Q21)."""

import pytest

import segue
from builtins_vocabulary import caught, raises, sequence
from segue import (
    Cancel,
    CurrentTask,
    Gather,
    Get,
    Pure,
    Put,
    Sleep,
    Spawn,
    TaskCancelledError,
    Tell,
    Wait,
    do,
    state,
    writer,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    fails,
    naps,
    notes,
    result,
    schedulers,
    spawn_all,
    stuck,
    value,
)


class Stop(BaseException):
    pass


@schedulers
def test_q06_effects_of_the_finally_of_a_cancelled_task_are_handled(make):
    @do
    def cleans():
        try:
            yield Sleep(9)
        finally:
            yield Tell("cleaning")
            yield Sleep(1)
            yield Put("cleaned", (yield Get("n")))

    done = result(make, cancelled(cleans()), outside=[writer, state({"n": 7})])
    (outcome,) = done.value
    assert isinstance(outcome.error, TaskCancelledError)
    assert list(done.log) == ["cleaning"]
    assert done.raw_store == {"n": 7, "cleaned": 7}


@schedulers
@pytest.mark.parametrize("cls", [KeyboardInterrupt, SystemExit, Stop])
def test_q20_what_is_no_exception_leaves_the_run_at_once_and_the_other_tasks_are_unwound(make, cls, unraisable):
    log, error = [], cls("stop")

    @do
    def program():
        yield spawn_all(
            stuck(log, "b"), careful(stuck(log, "a"), log, "slow", seconds=1), fails(error), notes(log, "never")
        )
        try:
            yield Sleep(9)
            log.append("never")
        finally:
            yield Tell("root")

    with pytest.raises(cls) as caught_:
        result(make, program(), outside=[writer])
    assert caught_.value is error
    assert list(error.run_result.log) == ["root"]
    assert log == ["b", "a", "slow"]


@schedulers
def test_q20_try_and_waiters_do_not_swallow_it(make, unraisable):
    log = []

    @do
    def waits(task):
        try:
            yield segue.Try(Wait(task))
        except Exception:
            log.append("swallowed")

    @do
    def program():
        task = yield Spawn(fails(SystemExit(3), 1))
        yield spawn_all(waits(task), waits(task))
        yield segue.Try(Gather(task))

    with pytest.raises(SystemExit) as caught_:
        result(make, program())
    assert caught_.value.code == 3
    assert log == []


@schedulers
def test_q21_cancel_of_a_finished_task_changes_nothing(make):
    error = ValueError("x")

    @do
    def program():
        done, failed = yield spawn_all(Pure("v"), raises(error))
        yield caught(Wait(failed), ValueError)
        got = yield sequence(Cancel(done), Cancel(failed), Wait(done))
        return got, (yield caught(Wait(failed), ValueError))

    assert value(make, program()) == ([None, None, "v"], error)


@schedulers
def test_q21_cancel_of_oneself_strikes_at_the_next_wait(make):
    log = []

    @do
    def cancels_itself():
        try:
            yield Cancel((yield CurrentTask()))
            log.append("still here")
            yield Get("n")
            yield Spawn(naps(0), daemon=True)
            log.append("and here")
            yield Sleep(0)
            log.append("never")
        finally:
            log.append("finally")

    @do
    def program():
        task = yield Spawn(cancels_itself())
        return type((yield caught(Wait(task), TaskCancelledError)))

    assert value(make, program(), outside=[state({"n": 1})]) is TaskCancelledError
    assert log == ["still here", "and here", "finally"]


@schedulers
def test_q21_task_that_cancels_itself_and_waits_no_more_is_done(make):
    program = CurrentTask().flat_map(Cancel).map(lambda _: "done")
    assert value(make, Spawn(program).flat_map(Wait)) == "done"


@schedulers
def test_q21_task_that_is_cancelled_before_it_starts_never_starts(make):
    log = []
    (outcome,) = value(make, cancelled(notes(log, "ran"), after=0))
    assert isinstance(outcome.error, TaskCancelledError)
    assert log == []
