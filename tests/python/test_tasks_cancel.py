"""Semantics 7: `Cancel` throws `Cancelled` where the task waits, once, and goes on at once."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    Acquire,
    Cancel,
    Cancelled,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateExternalPromise,
    CreatePromise,
    CreateSemaphore,
    CurrentTask,
    Gather,
    Now,
    Put,
    Race,
    Receive,
    Send,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    Yield,
    do,
    state,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    errors_of,
    frames,
    line_in,
    naps,
    schedulers,
    spawn_all,
    stuck,
    turns_of_all,
    value,
)

pytestmark = schedulers


def test_cancel_goes_on_at_once_and_the_task_is_unwound_when_it_has_its_turn(make):
    log = []

    @do
    def program():
        task = yield Spawn(stuck(log), name="nap")
        yield turns_of_all(1)
        got = yield Cancel(task)
        log.append("canceller")
        error = yield caught(Wait(task), TaskCancelledError)
        return got, str(error), task.done

    assert value(make, program()) == (None, "the task 'nap' was cancelled", True)
    assert log == ["canceller", "stuck"]


def test_cancelled_is_raised_at_the_line_that_waits_with_the_task_as_its_scope(make):
    seen = []

    @do
    def waits():
        try:
            yield Sleep(9)  # here
        except Cancelled as error:
            seen.append((line_in(error, "waits"), error.scope is (yield CurrentTask()), frames(error)))
            raise

    (outcome,) = value(make, cancelled(waits()))
    assert isinstance(outcome.error, TaskCancelledError)
    assert seen == [("yield Sleep(9)  # here", True, ["waits"])]


def test_neither_try_nor_except_exception_stops_it(make):
    """`Cancelled` is a `BaseException`."""

    @do
    def tries():
        try:
            yield Try(Sleep(9))
        except Exception:
            return "stopped"

    (outcome,) = value(make, cancelled(tries()))
    assert isinstance(outcome.error, TaskCancelledError)
    assert not issubclass(Cancelled, Exception)


def test_task_that_catches_it_is_done_with_what_it_returns(make):
    @do
    def stubborn():
        try:
            yield Sleep(9)
        except Cancelled:
            return (yield Now())

    (outcome,) = value(make, cancelled(stubborn()))
    assert outcome.value == 0.0


def test_task_that_raises_something_else_has_failed_with_that(make):
    error = ValueError("in the clean-up")

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            raise error

    (outcome,) = value(make, cancelled(breaks()))
    assert outcome.error is error
    assert isinstance(error.__context__, Cancelled)


def test_it_is_raised_once_and_who_catches_it_goes_on(make):
    log = []

    @do
    def goes_on():
        try:
            yield Sleep(9)
        except Cancelled:
            log.append("caught")
        yield Sleep(1)
        yield Yield()
        return "done", (yield Now())

    (outcome,) = value(make, cancelled(goes_on()))
    assert outcome.value == ("done", 1.0)
    assert log == ["caught"]


def test_cancelled_again_and_again_is_cancelled_once(make):
    log = []

    @do
    def counts():
        for _ in range(3):
            try:
                yield Sleep(1)
            except Cancelled:
                log.append("cancelled")
        return "done"

    @do
    def program():
        task = yield Spawn(counts())
        yield turns_of_all(1)
        yield Cancel(task)
        yield Cancel(task)
        yield turns_of_all(2)
        assert log == ["cancelled"]
        yield Cancel(task)
        return (yield Wait(task))

    assert value(make, program()) == "done"
    assert log == ["cancelled"]


def test_cancelled_again_while_it_is_cleaned_up_is_left_in_peace(make):
    log = []
    slow = careful(careful(stuck(log), log, "inner", seconds=2), log, "outer")

    @do
    def program():
        task = yield Spawn(slow)
        yield turns_of_all(1)
        for _ in range(2):
            yield Cancel(task)
            yield Sleep(1)
        return (yield errors_of(task)), (yield Now())

    assert value(make, program()) == ([TaskCancelledError], 2.0)
    assert log == ["stuck", "inner", "outer"]


def test_task_that_has_what_it_waits_for_gets_it_and_is_cancelled_at_its_next_wait(make):
    log = []

    @do
    def takes(promise):
        try:
            log.append((yield Wait(promise)))
            yield Put("n", 1)
            log.append("still here")
            yield Sleep(1)
            log.append("never")
        finally:
            log.append("finally")

    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(takes(promise))
        yield turns_of_all(1)
        yield CompletePromise(promise, "the value")
        yield Cancel(task)
        return type((yield Try(Wait(task))).error)

    assert value(make, program(), outside=[state]) is TaskCancelledError
    assert log == ["the value", "still here", "finally"]


def test_task_that_has_what_it_waits_for_and_waits_no_more_is_done(make):
    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(Wait(promise).map(lambda v: v * 2))
        yield turns_of_all(1)
        yield CompletePromise(promise, 21)
        yield Cancel(task)
        return (yield Wait(task))

    assert value(make, program()) == 42


def test_cancelled_wait_leaves_what_it_waits_for_alone(make):
    log = []

    @do
    def program():
        target = yield Spawn(naps(5, "target"))
        waiters = yield spawn_all(careful(Wait(target), log, "first"), careful(Wait(target), log, "second"))
        yield turns_of_all(1)
        yield Cancel(waiters[0])
        first = yield Try(Wait(waiters[0]))
        return type(first.error), (yield Wait(waiters[1])), (yield Wait(target)), (yield Now())

    assert value(make, program()) == (TaskCancelledError, "target", "target", 5.0)
    assert log == ["first", "second"]


@do
def waits_in(kind):
    """Waits, for ever, in one of the ways there are."""
    if kind == "sleep":
        yield Sleep(1e9)
    elif kind == "acquire":
        yield Acquire((yield CreateSemaphore(0)))
    elif kind == "send":
        yield Send((yield CreateChannel()), 1)
    elif kind == "receive":
        yield Receive((yield CreateChannel(1)))
    elif kind == "event":
        yield Wait((yield CreateEvent()))
    elif kind == "yield":
        while True:
            yield Yield()
    elif kind == "no sleep":
        while True:
            yield Sleep(0)
    elif kind == "external":
        external = yield CreateExternalPromise()
        yield Wait(external)
    else:
        promise = yield CreatePromise()
        yield {"wait": Wait, "gather": Gather, "race": Race}[kind](promise)


WAYS = ["sleep", "acquire", "send", "receive", "event", "external", "wait", "gather", "race", "yield", "no sleep"]


@pytest.mark.parametrize("kind", WAYS)
def test_every_wait_can_be_cancelled(make, kind):
    log = []
    outcomes = value(make, cancelled(careful(waits_in(kind), log, "a"), careful(waits_in(kind), log, "b")))
    assert [type(outcome.error) for outcome in outcomes] == [TaskCancelledError] * 2
    assert log == ["a", "b"]


def test_sleep_that_was_cancelled_holds_up_no_time(make):
    """The next timer is the one of who still sleeps."""
    program = sequence(cancelled(Sleep(1000)), Sleep(1), Now())
    assert value(make, program)[-1] == 1.0


@pytest.mark.parametrize("wrong", [None, 3, object()], ids=repr)
def test_cancel_of_no_task_is_a_type_error_at_the_yield(make, wrong):
    @do
    def program():
        try:
            yield Cancel(wrong)
        except TypeError as error:
            return frames(error)

    assert value(make, program()) == ["program"]


def test_promise_cannot_be_cancelled(make):
    program = CreatePromise().flat_map(lambda promise: caught(Cancel(promise), TypeError))
    assert isinstance(value(make, program), TypeError)
