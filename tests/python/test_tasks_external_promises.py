"""Semantics 7: external promises are completed from any thread; on the wall clock, as something else completes them."""

import gc
import threading
import time

import pytest

from builtins_vocabulary import caught
from segue import (
    BrokenPromiseError,
    Cancel,
    CreateExternalPromise,
    CreatePromise,
    DeadlockError,
    Gather,
    Now,
    Race,
    Sleep,
    Spawn,
    TaskCancelledError,
    Wait,
    do,
    run,
    timeout,
)
from tasks_vocabulary import (
    careful,
    errors_of,
    frames,
    line_in,
    schedulers,
    spawn_all,
    stuck,
    turns_of_all,
    value,
)

pytestmark = schedulers


def started(work, *args, after=0.0):
    """A thread that does some work, a little later."""

    def body():
        time.sleep(after)
        work(*args)

    thread = threading.Thread(target=body)
    thread.start()
    return thread


@do
def answered(*methods, after=0.0):
    """What somebody gets who waits for external promises that threads complete, by `methods` of name and value."""
    threads, promises = [], []
    for method, given in methods:
        external = yield CreateExternalPromise()
        threads.append(started(getattr(external, method), given, after=after))
        promises.append(external.promise)
        del external
    try:
        return (yield Gather(*promises))
    finally:
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("after", [0.0, 0.02])
def test_thread_completes_it(make, after):
    done = run(answered(("complete", 1), ("complete", None), after=after), handlers=[make()])
    assert done.value == [1, None]


@pytest.mark.parametrize("after", [0.0, 0.02])
def test_thread_fails_it(make, after):
    error = ValueError("x")
    assert run(answered(("fail", error), after=after), handlers=[make()]).error is error
    assert frames(error) == ["answered"]


def test_it_may_be_completed_before_anybody_waits(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        before = external.done
        external.complete("early")
        return before, external.done, (yield Wait(external)), (yield Wait(external.promise))

    assert value(make, program()) == (False, True, "early", "early")


def test_failing_with_no_exception_is_a_type_error_of_the_caller(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        with pytest.raises(TypeError):
            external.fail("no exception")
        external.complete(1)
        return (yield Wait(external))

    assert value(make, program()) == 1


def test_other_tasks_run_while_one_waits_for_it(make):
    log = []

    @do
    def works():
        for n in range(5):
            log.append(n)
            yield Sleep(0.001)

    @do
    def program():
        external = yield CreateExternalPromise()
        waiter, worker = yield spawn_all(Wait(external), works())
        yield Wait(worker)
        thread = started(external.complete, "late")
        thread.join()
        return (yield Wait(waiter))

    assert run(program(), handlers=[make()]).value == "late"
    assert log == [0, 1, 2, 3, 4]


def test_completion_ends_a_wait_before_the_next_timer(make):
    """Nobody sleeps through it."""
    log = []

    @do
    def program():
        external = yield CreateExternalPromise()
        sleeper = yield Spawn(careful(Sleep(3600), log))
        thread = started(external.complete, "woken", after=0.02)
        got = yield Wait(external)
        thread.join()
        yield Cancel(sleeper)
        return got

    begun = time.monotonic()
    assert run(program(), handlers=[make()]).value == "woken"
    assert time.monotonic() - begun < 60
    assert log == ["cleaned"]


def test_timer_ends_the_wait_for_one_that_is_late(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        got = yield caught(timeout(0.02, Wait(external)), TimeoutError)
        external.complete("too late")
        return type(got), (yield Wait(external))

    assert run(program(), handlers=[make()]).value == (TimeoutError, "too late")


def test_it_races_and_wins(make):
    log = []

    @do
    def program():
        external = yield CreateExternalPromise()
        (task,) = yield spawn_all(stuck(log))
        thread = started(external.complete, "won", after=0.01)
        got = yield Race(task, external)
        thread.join()
        return got

    assert run(program(), handlers=[make()]).value == "won"
    assert log == ["stuck"]


def test_it_is_broken_when_nobody_can_complete_it(make):
    """Q01 would be a hang: an external promise counts as pending only while somebody holds its completer."""

    @do
    def program():
        external = yield CreateExternalPromise()
        promise = external.promise
        tasks = yield spawn_all(Wait(promise), Wait(promise))
        yield turns_of_all(1)
        del external
        gc.collect()
        return (yield errors_of(*tasks)), (yield caught(Wait(promise), BrokenPromiseError))

    types, error = value(make, program())
    assert types == [BrokenPromiseError] * 2
    assert isinstance(error, BrokenPromiseError)


def test_it_is_broken_by_a_thread_that_ends_without_completing_it(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        promise = external.promise
        started(lambda completer: None, external, after=0.02)
        del external
        yield Wait(promise)  # here

    error = run(program(), handlers=[make()]).error
    assert isinstance(error, BrokenPromiseError)
    assert line_in(error, "program").endswith("# here")


def test_one_that_came_or_that_nobody_waits_for_any_more_holds_up_nothing(make):
    """Time jumps on, and a deadlock is told."""
    log = []

    @do
    def program():
        first, second = (yield CreateExternalPromise()), (yield CreateExternalPromise())
        waits, gathers, cancelled = yield spawn_all(Wait(first), Gather(first, first), careful(Wait(second), log))
        yield turns_of_all(1)
        first.complete("came")
        yield Cancel(cancelled)
        got = (yield Wait(waits)), (yield Wait(gathers)), (yield errors_of(cancelled))
        yield Sleep(5)
        stuck_now = yield caught(CreatePromise().flat_map(Wait), DeadlockError)
        return got, (yield Now()), type(stuck_now), second.done

    got = ("came", ["came", "came"], [TaskCancelledError])
    assert value(make, program()) == (got, 5.0, DeadlockError, False)
    assert log == ["cleaned"]
