"""Semantics 7: `timeout` cancels its program and raises `TimeoutError` where it stands, after the clean-up."""

import math

import pytest

from builtins_vocabulary import caught, raises
from segue import (
    Cancelled,
    CurrentTask,
    Deadline,
    Gather,
    Get,
    Now,
    Put,
    Sleep,
    Spawn,
    TaskCancelledError,
    Wait,
    do,
    state,
    timeout,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    errors_of,
    fails,
    frames,
    line_in,
    naps,
    result,
    schedulers,
    spawn_all,
    stuck,
    timed,
    value,
)

pytestmark = schedulers


def test_program_that_is_done_in_time_gives_its_value(make):
    assert value(make, timed(timeout(5, naps(1, "v")))) == ("v", 1.0)


def test_program_that_is_not_done_in_time_is_unwound_before_the_error(make):
    log = []
    assert value(make, timed(timeout(5, careful(stuck(log), log, "slow", seconds=2)))) == (TimeoutError, 7.0)
    assert log == ["stuck", "slow"]


def test_timeout_error_is_raised_where_the_timeout_stands(make):
    @do
    def waits():
        yield timeout(5, Sleep(9))  # here

    error = result(make, waits()).error
    assert type(error) is TimeoutError
    assert frames(error)[0] == "waits"
    assert line_in(error, "waits").endswith("# here")


def test_error_of_the_program_passes(make):
    error = ValueError("x")
    done = result(make, timeout(5, fails(error, 1)))
    assert done.error is error
    assert frames(error) == ["fails"]


def test_timeout_that_is_over_harms_nothing_later(make):
    @do
    def program():
        yield timeout(5, Sleep(1))
        yield caught(timeout(5, raises(ValueError())), ValueError)
        yield Sleep(100)
        return (yield Now())

    assert value(make, program()) == 101.0


def test_timeout_of_nothing_lets_run_what_does_not_wait(make):
    @do
    def program():
        yield Put("n", 1)
        return (yield Get("n"))

    assert value(make, timeout(0, program()), outside=[state]) == 1
    assert value(make, timed(timeout(0, Sleep(1)))) == (TimeoutError, 0.0)


def test_timeout_may_be_endless(make):
    assert value(make, timed(timeout(math.inf, naps(1e6, "v")))) == ("v", 1e6)


@pytest.mark.parametrize("seconds", [-1, -0.5, math.nan, -math.inf])
def test_wrong_timeout_is_a_value_error_and_nothing_runs(make, seconds):
    log = []
    error = value(make, built_there(lambda: caught(timeout(seconds, stuck(log)), ValueError)))
    assert isinstance(error, ValueError)
    assert log == []


@do
def built_there(f):
    """What `f` builds, built where it is run: a wrong argument is an error there, whoever finds it."""
    try:
        return (yield f())
    except ValueError as error:
        return error


def test_inner_timeout_that_is_shorter_raises(make):
    inner = caught(timeout(2, Sleep(9)), TimeoutError).map(lambda error: ("inner", type(error)))
    assert value(make, timed(timeout(5, inner))) == (("inner", TimeoutError), 2.0)


def test_outer_timeout_that_is_shorter_raises_past_the_inner_one(make):
    log = []
    inner = caught(careful(timeout(5, stuck(log)), log, "inner"), TimeoutError)
    assert value(make, timed(timeout(2, inner))) == (TimeoutError, 2.0)
    assert log == ["stuck", "inner"]


def test_two_timeouts_one_after_the_other_inside_of_a_third(make):
    @do
    def body():
        yield caught(timeout(2, Sleep(9)), TimeoutError)
        yield caught(timeout(2, Sleep(9)), TimeoutError)
        return "never", (yield timeout(2, Sleep(9)))

    assert value(make, timed(timeout(5, body()))) == (TimeoutError, 5.0)


def test_outer_timeout_strikes_during_the_clean_up_of_the_inner_one(make):
    log = []
    inner = timeout(1, careful(stuck(log), log, "cleaned", seconds=1))
    assert value(make, timed(timeout(5, inner))) == (TimeoutError, 2.0)
    assert log == ["stuck", "cleaned"]


def test_timeout_whose_program_catches_its_cancellation_and_returns_gives_the_value(make):
    """Like a task: done with v, if it caught it and returned v."""

    @do
    def stubborn():
        try:
            yield Sleep(9)
        except Cancelled:
            return "caught"

    assert value(make, timed(timeout(5, stubborn()))) == ("caught", 5.0)


def test_timeout_whose_program_fails_in_its_clean_up_raises_that(make):
    error = ValueError("clean-up")

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            raise error

    assert value(make, caught(timeout(5, breaks()), ValueError)) is error


def test_cancelled_of_a_timeout_names_its_scope_and_is_no_cancellation_of_the_task(make):
    seen = []

    @do
    def looks():
        try:
            yield Sleep(9)
        except Cancelled as error:
            seen.append(error.scope is (yield CurrentTask()))
            raise

    assert value(make, timed(timeout(5, looks()))) == (TimeoutError, 5.0)
    assert seen == [False]


def test_task_that_is_cancelled_in_a_timeout_is_cancelled(make):
    log = []
    (outcome,) = value(make, cancelled(careful(caught(timeout(5, Sleep(9)), TimeoutError), log)))
    assert isinstance(outcome.error, TaskCancelledError)
    assert log == ["cleaned"]


def test_timeouts_of_tasks_are_their_own(make):
    @do
    def program():
        tasks = yield spawn_all(*(timed(timeout(n, naps(2, n))) for n in (3, 1, 2.5)))
        return (yield Gather(*tasks))

    assert value(make, program()) == [(3, 2.0), (TimeoutError, 1.0), (2.5, 2.0)]


def test_timeout_of_a_wait_does_not_cancel_the_task(make):
    @do
    def program():
        task = yield Spawn(naps(5, "v"))
        return (yield timed(timeout(1, Wait(task)))), (yield timed(Wait(task)))

    assert value(make, program()) == ((TimeoutError, 1.0), ("v", 5.0))


def test_timeout_of_a_gather_cancels_the_tasks(make):
    log = []

    @do
    def program():
        tasks = yield spawn_all(stuck(log, "a"), stuck(log, "b"))
        got = yield timed(timeout(1, Gather(*tasks)))
        return got, log.copy(), (yield errors_of(*tasks))

    assert value(make, program()) == ((TimeoutError, 1.0), ["a", "b"], [TaskCancelledError] * 2)


def test_timeout_runs_its_program_in_this_task_inside_these_handlers(make):
    @do
    def program():
        yield Put("n", 1)
        same = (yield CurrentTask()) is (yield timeout(5, CurrentTask()))
        yield timeout(5, Put("n", 2))
        return same, (yield Get("n"))

    assert value(make, program(), state) == (True, 2)


def test_deadline_is_the_next_one_around(make):
    @do
    def program():
        yield Sleep(1)
        alone = yield Deadline()
        both = yield timeout(5, timeout(9, Deadline()))
        inner = yield timeout(9, timeout(5, Deadline()))
        return alone, both, inner, (yield Deadline())

    assert value(make, program()) == (math.inf, 6.0, 6.0, math.inf)
