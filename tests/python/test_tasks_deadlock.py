"""Semantics 7: deadlock, when nothing can run and nothing external is pending, is raised at the root's wait."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    Acquire,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateLock,
    CreatePromise,
    DeadlockError,
    Gather,
    Now,
    Race,
    Receive,
    Send,
    Sleep,
    Spawn,
    Try,
    Wait,
    do,
    run,
    timeout,
)
from tasks_vocabulary import (
    built_in,
    careful,
    fails,
    frames,
    line_in,
    result,
    schedulers,
    spawn_and_return,
    stuck,
    value,
)


def entries_of(error):
    """Who waits, for what, and in which function."""
    return {task.name: (task.what, task.at) for task in error.waiting}


@do
def deadlocked(log=()):
    """A task waits for another, which waits for nothing that comes; the root waits for both."""
    inner = yield Spawn(stuck(log, "inner"), name="inner")
    outer = yield Spawn(careful(Wait(inner), log, "outer"), name="outer")
    yield Gather(inner, outer)  # here


@schedulers
def test_deadlock_is_raised_at_the_wait_of_the_root(make, unraisable):
    log = []
    error = result(make, deadlocked(log)).error
    assert isinstance(error, DeadlockError)
    assert frames(error) == ["deadlocked"]
    assert line_in(error, "deadlocked").endswith("# here")
    assert sorted(log) == ["inner", "outer"]


@schedulers
def test_daemons_do_not_count(make):
    @do
    def program():
        yield Spawn(stuck([]), name="daemon", daemon=True)
        return (yield caught(CreatePromise().flat_map(Wait), DeadlockError))

    assert list(entries_of(value(make, program()))) == ["root"]


@schedulers
def test_deadlock_names_who_waits_for_what(make, unraisable):
    error = result(make, deadlocked([])).error
    assert set(entries_of(error)) == {"root", "inner", "outer"}
    for name, (what, _) in entries_of(error).items():
        assert name in str(error)
        assert what in str(error)
    assert "inner" in str(entries_of(error)["outer"][0])


@pytest.mark.parametrize("make", [built_in])
def test_deadlock_names_where_they_wait(make, unraisable):
    """The machine knows the places."""
    error = result(make, deadlocked([])).error
    places = {name: place for name, (_, place) in entries_of(error).items()}
    assert {name: place.name for name, place in places.items()} == {
        "root": "deadlocked",
        "inner": "stuck",
        "outer": "careful",
    }
    assert places["root"].file == __file__
    assert all(f"{place.file}:{place.line}" in str(error) for place in places.values())


WAITS = {
    "promise": lambda: CreatePromise().flat_map(Wait),
    "event": lambda: CreateEvent().flat_map(Wait),
    "send": lambda: CreateChannel().flat_map(lambda channel: Send(channel, 1)),
    "receive": lambda: CreateChannel(1).flat_map(Receive),
    "gather": lambda: CreatePromise().flat_map(Gather),
    "race": lambda: CreatePromise().flat_map(Race),
}


@schedulers
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_each_wait_of_the_root_may_be_a_deadlock(make, wait):
    error = value(make, caught(wait(), DeadlockError))
    assert [task.name for task in error.waiting] == ["root"]


@schedulers
def test_root_may_catch_a_deadlock_and_go_on(make):
    log = []

    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(careful(Wait(promise), log))
        error = yield caught(Wait(task), DeadlockError)
        again = yield caught(Wait(task), DeadlockError)
        yield CompletePromise(promise, "after all")
        return type(error), type(again), (yield Wait(task))

    assert value(make, program()) == (DeadlockError, DeadlockError, "after all")
    assert log == ["cleaned"]


@schedulers
def test_lock_whose_holder_waits_is_a_deadlock(make):
    @do
    def program():
        lock = yield CreateLock()
        yield Acquire(lock)
        task = yield Spawn(Acquire(lock), name="waiter", daemon=True)
        return (yield caught(Wait(task), DeadlockError))

    assert isinstance(value(make, program()), DeadlockError)


@schedulers
def test_tasks_that_wait_for_ever_are_no_deadlock_while_the_root_goes_on(make):
    log = []
    program = sequence(spawn_and_return(stuck(log, "a"), stuck(log, "b")), Sleep(5), Now())
    assert value(make, program) == ["root", None, 5.0]
    assert log == ["a", "b"]


@schedulers
def test_timer_of_somebody_is_no_deadlock(make):
    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(Sleep(5).flat_map(lambda _: CompletePromise(promise, "late")))
        return (yield Wait(promise)), (yield Wait(task))

    assert value(make, program()) == ("late", None)


@schedulers
def test_timeout_of_the_root_is_no_deadlock(make):
    assert isinstance(value(make, caught(timeout(5, stuck([])), TimeoutError)), TimeoutError)


@schedulers
def test_deadlock_is_of_this_run_only(make):
    """On the wall clock too, at once."""
    assert isinstance(run(deadlocked_daemon(), handlers=[make()]).error, DeadlockError)
    assert run(sequence(Sleep(0), fails_never()), handlers=[make()]).value == [None, None]


@do
def deadlocked_daemon():
    promise = yield CreatePromise()
    yield Spawn(Wait(promise), daemon=True)
    yield Wait(promise)


def fails_never():
    return Try(fails(ValueError())).map(lambda _: None)
