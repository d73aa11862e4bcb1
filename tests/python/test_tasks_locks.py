"""Semantics 7: permits are FIFO and never lost to a cancelled waiter; a lock has an owner; events."""

import pytest

from builtins_vocabulary import caught, raises
from segue import (
    Acquire,
    Cancel,
    CreateLock,
    CreateSemaphore,
    Gather,
    LockError,
    Now,
    Pure,
    Release,
    Sleep,
    Spawn,
    Wait,
    do,
    timeout,
    using,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    errors_of,
    frames,
    schedulers,
    spawn_all,
    timed,
    turns_of_all,
    value,
)

pytestmark = schedulers


@do
def holds(lock, log, name, seconds=1):
    """Holds a permit for a while."""
    yield Acquire(lock)
    try:
        log.append(name)
        yield Sleep(seconds)
    finally:
        yield Release(lock)


# Semaphores.


def test_permits_are_taken_and_given_back(make):
    @do
    def program():
        semaphore = yield CreateSemaphore(2)
        seen = [semaphore.permits]
        for effect in (Acquire, Acquire, Release, Acquire, Release, Release):
            assert (yield effect(semaphore)) is None
            seen.append(semaphore.permits)
        return seen

    assert value(make, program()) == [2, 1, 0, 1, 0, 1, 2]


@pytest.mark.parametrize(("permits", "seconds"), [(1, 6.0), (2, 3.0), (4, 2.0), (6, 1.0)])
def test_first_come_first_served(make, permits, seconds):
    log = []

    @do
    def program():
        semaphore = yield CreateSemaphore(permits)
        yield Gather(*(yield spawn_all(*(holds(semaphore, log, n) for n in range(6)))))
        return (yield Now()), semaphore.permits

    assert value(make, program()) == (seconds, permits)
    assert log == list(range(6))


def test_who_releases_and_takes_again_stands_behind_those_who_wait(make):
    log = []

    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield Acquire(semaphore)
        task = yield Spawn(holds(semaphore, log, "waiter"))
        yield turns_of_all(1)
        yield Release(semaphore)
        yield Acquire(semaphore)
        log.append("again")
        return (yield Now()), task.done

    assert value(make, program()) == (1.0, True)
    assert log == ["waiter", "again"]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_cancelled_waiter_loses_no_permit(make, first):
    """Wherever it stands in the queue, the others go on."""
    log = []

    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield Acquire(semaphore)
        tasks = yield spawn_all(*(holds(semaphore, log, n) for n in range(3)))
        yield turns_of_all(1)
        yield Cancel(tasks[first])
        yield Release(semaphore)
        yield errors_of(tasks[first])
        yield Gather(*(task for task in tasks if task is not tasks[first]))
        return semaphore.permits

    assert value(make, program()) == 1
    assert log == [n for n in range(3) if n != first]


def test_waiter_that_is_cancelled_in_the_turn_in_which_it_gets_the_permit_keeps_the_count(make):
    """It was ready: it gets the permit, is cancelled at its next wait, and its `finally` gives the permit back."""
    log = []

    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield Acquire(semaphore)
        first, second = yield spawn_all(holds(semaphore, log, "first"), holds(semaphore, log, "second"))
        yield turns_of_all(1)
        yield Release(semaphore)
        yield Cancel(first)
        yield errors_of(first)
        yield Wait(second)
        return semaphore.permits, (yield Now())

    assert value(make, program()) == (1, 1.0)
    assert log == ["first", "second"]


def test_timeout_of_an_acquire_loses_no_permit(make):
    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield Acquire(semaphore)
        late = yield timed(timeout(1, Acquire(semaphore)))
        yield Release(semaphore)
        return late, semaphore.permits, (yield timed(timeout(1, Acquire(semaphore))))

    assert value(make, program()) == ((TimeoutError, 1.0), 1, (None, 1.0))


def test_permit_may_be_released_by_another_task(make):
    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield Acquire(semaphore)
        task = yield Spawn(Release(semaphore))
        yield Acquire(semaphore)
        return task.done, semaphore.permits

    assert value(make, program()) == (True, 0)


@pytest.mark.parametrize("permits", [0, 1, 3])
def test_releasing_more_than_there_are_is_an_error_at_the_yield(make, permits):
    @do
    def program():
        semaphore = yield CreateSemaphore(permits)
        return (yield caught(Release(semaphore), LockError)), semaphore.permits

    error, left = value(make, program())
    assert frames(error) == ["caught"]
    assert left == permits


@pytest.mark.parametrize("permits", [-1, 1.5, "1", None])
def test_wrong_number_of_permits_is_a_value_error_at_the_yield(make, permits):
    assert isinstance(value(make, caught(CreateSemaphore(permits), ValueError)), ValueError)


# Locks.


def test_lock_is_held_by_one_task_at_a_time(make):
    log = []

    @do
    def program():
        lock = yield CreateLock()
        tasks = yield spawn_all(*(holds(lock, log, n) for n in range(3)))
        before = lock.locked
        yield turns_of_all(1)
        during = lock.locked
        yield Gather(*tasks)
        return before, during, lock.locked, (yield Now())

    assert value(make, program()) == (False, True, False, 3.0)
    assert log == [0, 1, 2]


@do
def refused(effect):
    return type((yield caught(effect, LockError)))


def test_lock_is_released_by_who_holds_it_alone(make):
    @do
    def program():
        lock = yield CreateLock()
        unheld = yield refused(Release(lock))
        yield Acquire(lock)
        again = yield refused(Acquire(lock))
        other = yield Wait((yield Spawn(refused(Release(lock)))))
        still = lock.locked
        yield Release(lock)
        return unheld, again, other, still, lock.locked, (yield refused(Release(lock)))

    assert value(make, program()) == (LockError, LockError, LockError, True, False, LockError)


def test_lock_belongs_to_who_waited_longest_when_it_is_released(make):
    @do
    def takes(lock):
        yield Acquire(lock)
        again = yield refused(Acquire(lock))
        yield Release(lock)
        return again

    @do
    def program():
        lock = yield CreateLock()
        yield Acquire(lock)
        tasks = yield spawn_all(takes(lock), takes(lock))
        yield turns_of_all(1)
        yield Release(lock)
        mine = yield refused(Release(lock))
        return mine, (yield Gather(*tasks)), lock.locked

    assert value(make, program()) == (LockError, [LockError] * 2, False)


def test_cancelled_waiter_does_not_get_the_lock(make):
    log = []

    @do
    def program():
        lock = yield CreateLock()
        yield Acquire(lock)
        yield cancelled(holds(lock, log, "a"), holds(lock, log, "b"))
        yield Release(lock)
        yield holds(lock, log, "root")
        return lock.locked

    assert value(make, program()) is False
    assert log == ["root"]


def test_using_releases_however_its_program_ends(make):
    log = []

    @do
    def program(create):
        lock = yield create
        seen = [(yield using(lock, Pure("v")))]
        seen.append(type((yield caught(using(lock, raises(ValueError())), ValueError))))
        yield cancelled(using(lock, careful(Sleep(9), log, "in")), using(lock, careful(Sleep(9), log, "never")))
        seen.append((yield timed(timeout(1, using(lock, Sleep(9))))))
        return [*seen, (yield using(lock, Pure("free")))]

    for create in (CreateLock(), CreateSemaphore(1)):
        assert value(make, program(create)) == ["v", ValueError, (TimeoutError, 1.0), "free"]
    assert log == ["in"] * 2
