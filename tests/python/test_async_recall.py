"""Semantics 7 and 8: an await that the program itself cancels, by `Cancel`, `timeout` or `Race`."""

import inspect
from contextlib import suppress

import pytest

from async_vocabulary import after, forever, loops, set_then, value
from segue import (
    Await,
    Cancel,
    Cancelled,
    CurrentTask,
    Race,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    Yield,
    do,
    shield,
    timeout,
)
from tasks_vocabulary import spawn_all


@do
def cancelled_task(loop, make):
    """What a task comes to that is cancelled after it set the event that `make` is given."""
    started = loop.event()
    task = yield Spawn(make(started))
    yield Await(started.wait())
    yield Cancel(task)
    return (yield Try(Wait(task)))


@loops
def test_cancel_ends_what_is_awaited_then_the_task(loop):
    """Semantics 7: `Cancelled` is raised where the task waits; what it awaited has ended before."""
    log = []

    @do
    def task(started):
        try:
            yield Await(set_then(started, forever(loop, log, "awaited")))
        except BaseException as error:
            log.append(type(error))
            raise

    assert isinstance(value(loop, cancelled_task(loop, task)).error, TaskCancelledError)
    assert log == ["awaited", Cancelled]


@loops
def test_await_that_takes_time_to_end_is_waited_for(loop):
    log = []

    async def slow(started):
        try:
            started.set()
            await loop.event().wait()
        finally:
            await loop.at_rest(after(loop, 0.01))
            log.append("awaited")

    @do
    def task(started):
        try:
            yield Await(slow(started))
        finally:
            log.append("task")

    assert isinstance(value(loop, cancelled_task(loop, task)).error, TaskCancelledError)
    assert log == ["awaited", "task"]


@loops
def test_clean_up_of_a_cancelled_task_may_await(loop):
    """It is not cancelled again, on trio neither: the loop was asked for one await only."""
    log = []

    @do
    def task(started):
        try:
            yield Await(set_then(started, forever(loop)))
        finally:
            got = yield Await(after(loop, 0.001, "clean"))
            log.append(got)

    assert isinstance(value(loop, cancelled_task(loop, task)).error, TaskCancelledError)
    assert log == ["clean"]


# An awaitable that does not end as it was asked to.


async def swallows(loop, started):
    with suppress(loop.cancelled):
        started.set()
        await loop.event().wait()
    return "swallowed"


async def replaces(loop, started):
    try:
        started.set()
        await loop.event().wait()
    finally:
        raise ValueError("replaced")


@pytest.fixture(params=["root", "task"])
def placed(request):
    """A program, where it runs: in the root or in a task."""
    return (lambda program: program) if request.param == "root" else lambda program: Spawn(program).flat_map(Wait)


@loops
def test_timeout_of_an_await(loop, placed):
    log = []

    @do
    def program():
        late = yield Try(timeout(0.01, Await(forever(loop, log))))
        early = yield timeout(60, Await(after(loop, 0, "early")))
        return type(late.error), early

    assert value(loop, placed(program())) == (TimeoutError, "early")
    assert log == ["awaited"]


@loops
def test_value_of_an_await_that_swallows_the_timeout_is_not_lost(loop, placed):
    """What it came to is given; the cancellation is raised at the next wait inside of the timeout."""
    log = []

    @do
    def body():
        got = yield Await(swallows(loop, loop.event()))
        log.append(got)
        yield Sleep(60)
        log.append("never")

    @do
    def program():
        outcome = yield Try(timeout(0.01, body()))
        return type(outcome.error), (yield Await(after(loop, 0, "goes on")))

    assert value(loop, placed(program())) == (TimeoutError, "goes on")
    assert log == ["swallowed"]


@loops
def test_error_of_an_await_that_replaces_the_cancellation_is_raised(loop, placed):
    @do
    def program():
        outcome = yield Try(timeout(0.01, Await(replaces(loop, loop.event()))))
        return repr(outcome.error), (yield Await(after(loop, 0, "goes on")))

    assert value(loop, placed(program())) == ("ValueError('replaced')", "goes on")


@loops
def test_cancelled_task_whose_await_swallows_it_gets_the_value(loop):
    assert value(loop, cancelled_task(loop, lambda started: Await(swallows(loop, started)))).value == "swallowed"


@loops
def test_cancelled_task_whose_await_replaces_it_fails_with_that(loop):
    outcome = value(loop, cancelled_task(loop, lambda started: Await(replaces(loop, started))))
    assert repr(outcome.error) == "ValueError('replaced')"


@loops
def test_nested_timeouts(loop, placed):
    """The outer one is not mistaken for the inner."""

    @do
    def program():
        inner = Try(timeout(60, Await(forever(loop))))
        outer = yield Try(timeout(0.01, inner))
        short = yield timeout(60, Try(timeout(0.01, Await(forever(loop)))))
        return type(outer.error), type(short.error)

    assert value(loop, placed(program())) == (TimeoutError, TimeoutError)


@loops
def test_shield_keeps_an_await_from_the_timeout_outside(loop, placed):
    @do
    def program():
        log = []
        outcome = yield Try(timeout(0.001, shield(Await(after(loop, 0.02, "kept")).map(log.append)).flat_map(_sleeps)))
        return log, type(outcome.error)

    assert value(loop, placed(program())) == (["kept"], TimeoutError)


def _sleeps(_):
    return Sleep(60)


@loops
def test_race_cancels_the_await_that_lost(loop):
    log = []

    @do
    def program():
        tasks = yield spawn_all(Await(forever(loop, log, "lost")), Await(after(loop, 0.005, "won")))
        return (yield Race(*tasks))

    assert value(loop, program()) == "won"
    assert log == ["lost"]


@loops
def test_await_that_was_not_begun_is_closed(loop):
    """Nothing of it runs, and no warning tells of a coroutine that was never awaited."""
    log = []

    async def never():
        log.append("began")

    class Closes:
        def __await__(self):
            log.append("began")
            yield

        async def close(self):
            """Not what a coroutine has by that name."""

    @do
    def program():
        tasks = yield spawn_all(Await(never()), Await(Closes()))
        yield Yield()  # They perform it; the loop has had no turn.
        for task in tasks:
            yield Cancel(task)
        outcomes = []
        for task in tasks:
            outcome = yield Try(Wait(task))
            outcomes.append(type(outcome.error))
        return outcomes

    assert value(loop, program()) == [TaskCancelledError, TaskCancelledError]
    assert log == []


@loops
def test_await_that_meets_a_cancellation_is_not_begun_and_closed(loop):
    """A time limit that is over, a task that was cancelled: at their `Await` nothing is awaited."""
    log, made = [], []

    async def never():
        log.append("began")

    def awaits():
        made.append(never())
        return Await(made[-1])

    @do
    def cancels_itself():
        yield Cancel((yield CurrentTask()))
        yield awaits()

    @do
    def program():
        limited = yield Try(timeout(0, awaits()))
        cancelled = yield Try(Wait((yield Spawn(cancels_itself()))))
        return type(limited.error), type(cancelled.error)

    assert value(loop, program()) == (TimeoutError, TaskCancelledError)
    assert [inspect.getcoroutinestate(coroutine) for coroutine in made] == [inspect.CORO_CLOSED] * 2
    assert log == []


@loops
def test_time_limit_of_the_root_strikes_whenever_its_timer_is_due(loop):
    """Also when that is between two looks at the clock: one of a thousand was lost."""

    @do
    def program():
        for _ in range(2000):
            limited = yield Try(timeout(0.0001, Await(forever(loop))))
            assert isinstance(limited.error, TimeoutError)

    value(loop, program())
