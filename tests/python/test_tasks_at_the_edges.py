"""Semantics 7: cancellations one inside the other, chains of handles, and limits."""

import pytest

from segue import (
    Acquire,
    Cancel,
    CloseScope,
    CompletePromise,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    Deadline,
    DeadlockError,
    Effect,
    Gather,
    Handler,
    LimitExceeded,
    Limits,
    Now,
    OpenScope,
    Pure,
    Put,
    Release,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    WithHandler,
    Yield,
    do,
    handles,
    run,
    scheduler,
    state,
    task_group,
    timeout,
)
from tasks_vocabulary import virtual


class Hold(Effect[int]): ...


# Cancellation.


@pytest.mark.parametrize(("outer", "inner"), [(1, 1), (1, 1.5)])
def test_inner_time_limit_does_not_interrupt_the_clean_up_of_the_outer_one(outer, inner):
    log = []

    @do
    def body():
        try:
            yield Sleep(10)
        finally:
            yield Sleep(2)
            log.append((yield Now()))

    error = run(timeout(outer, timeout(inner, body())), handlers=[virtual()]).error
    assert str(error) == f"the program took longer than {outer} seconds"
    assert log == [3.0]


def test_group_that_is_ending_by_itself_keeps_a_cancellation_for_the_next_wait():
    @do
    def slow():
        try:
            yield Sleep(100)
        finally:
            yield Sleep(5)

    @do
    def bad():
        yield Sleep(1)
        raise ValueError

    @do
    def body(group):
        yield group.spawn(slow())
        yield group.spawn(bad())
        yield Sleep(100)

    @do
    def work():
        try:
            yield task_group(body)
        except ExceptionGroup as failed:
            log.append(len(failed.exceptions))
        yield Sleep(50)

    @do
    def program():
        outcome = yield Try(timeout(3, work()))
        return type(outcome.error), (yield Now())

    log = []
    assert run(program(), handlers=[virtual()]).value == (TimeoutError, 6.0)
    assert log == [1]


def test_scope_that_is_closed_again_closes_no_other():
    @do
    def program():
        first = yield OpenScope()
        yield CloseScope(first)
        second = yield OpenScope(5)
        closed = yield CloseScope(first)
        return closed, (yield Deadline()), (yield CloseScope(second))

    assert run(program(), handlers=[virtual()]).value == (False, 5.0, False)


def test_preempted_task_is_cancelled_at_the_effect_that_it_was_about_to_perform():
    @do
    def busy():
        while True:
            yield Put("n", 1)

    @do
    def program():
        yield Spawn(busy(), daemon=True)
        yield Sleep(0.001)
        return 1

    assert run(program(), handlers=[state, scheduler(slice=5)]).value == 1


def test_chain_of_a_hundred_thousand_gathers_is_cancelled_without_recursion():
    @do
    def program():
        task = yield Spawn(Sleep(9))
        for _ in range(100_000):
            task = yield Spawn(Gather(task))
        yield Yield()
        yield Cancel(task)
        return type((yield Try(Wait(task))).error)

    assert run(program(), handlers=[virtual()]).value is TaskCancelledError


# Handles, and what they hold.


@pytest.mark.parametrize("kind", ["promise", "task"])
def test_chain_of_handles_is_dropped_without_recursion(kind):
    @do
    def promise_of(value):
        promise = yield CreatePromise()
        yield CompletePromise(promise, value)
        return promise

    @do
    def task_of(value):
        task = yield Spawn(Pure(value))
        yield Wait(task)
        return task

    @do
    def program():
        make = {"promise": promise_of, "task": task_of}[kind]
        handle = None
        for _ in range(100_000):
            handle = yield make(handle)
        return "ok"

    assert run(program(), handlers=[scheduler]).value == "ok"


@pytest.mark.parametrize(
    "wrong", [{"priority": 1.5}, {"priority": 2**70}, {"priority": True}, {"name": 3}, {"daemon": 1}]
)
def test_spawn_checks_what_it_is_given(wrong):
    assert isinstance(run(Spawn(Pure(1), **wrong), handlers=[scheduler]).error, TypeError)


# Limits.


@pytest.mark.parametrize(
    "program", [Sleep(30), CreateExternalPromise().flat_map(lambda e: Wait(e.promise).map(lambda _: e))]
)
def test_time_limit_of_the_run_ends_a_wait(program):
    error = run(program, handlers=[scheduler], limits=Limits(seconds=0.05)).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "seconds"


def test_spawn_that_fails_counts_for_no_limit():
    class Forks(Handler):
        @handles(Hold)
        def hold(self, effect, k):
            return k.resume(1)

        def fork(self):
            raise ValueError("no fork")

    @do
    def inside():
        for _ in range(3):
            yield Try(Spawn(Pure(1)))

    @do
    def program():
        yield WithHandler(Forks(), inside())
        return (yield Wait((yield Spawn(Pure(1)))))

    assert run(program(), handlers=[scheduler], limits=Limits(tasks=1)).value == 1


def test_times_of_thousands_of_years_are_times():
    assert run(Sleep(1e11).flat_map(lambda _: Now()), handlers=[virtual()]).value == 1e11


def test_deadlock_of_a_lock_names_it():
    @do
    def program():
        lock = yield CreateLock()
        yield Acquire(lock)
        yield Wait((yield Spawn(Acquire(lock), name="second")))

    error = run(program(), handlers=[scheduler]).error
    assert isinstance(error, DeadlockError)
    assert "second: waiting, Acquire(lock=<Lock held>)" in str(error)


def test_semaphore_without_permits_can_not_be_released():
    assert run(CreateSemaphore(0).flat_map(Release), handlers=[scheduler]).is_err()
