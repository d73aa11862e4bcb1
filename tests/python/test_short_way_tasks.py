"""`Spawn` and `Await` on the short way come to what they come to on the long way (decisions 25 and 30).

A trace closes the short way. What a program comes to, and its steps, have to be equal.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import time
import weakref

import pytest

from segue import (
    Await,
    Cancel,
    Delegate,
    Effect,
    Gather,
    LimitExceeded,
    Limits,
    Pass,
    Resume,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    Yield,
    answers,
    async_run,
    do,
    handles,
    run,
    scheduler,
)

ROUNDS = 70
"""More than a look-around apart, so that the short way is left and entered again."""


@do
def child(n):
    if n % 3 == 0:
        yield Yield()
    return n


@do
def spawns(rounds=ROUNDS):
    tasks = []
    for n in range(rounds):
        task = yield Spawn(child(n), name=f"child {n}" if n % 2 else None)
        tasks.append(task)
    return [(task.name, result) for task, result in zip(tasks, (yield Gather(*tasks)), strict=True)]


@answers(Spawn)
def delegates(effect):
    return (yield Delegate())


@answers(Spawn)
def passes(effect):
    return Pass()


@answers(Spawn)
def programs(effect):
    task = yield Delegate()
    return task


@handles(Spawn)
def resumes(effect, k):
    return (yield Resume(k, (yield Delegate())))


def both(program, handlers=(), limits=None):
    """Both ways' outcome, steps, most calls at a time."""
    found = []
    for trace in (False, True):
        done = run(program(), handlers=handlers, trace=trace, limits=limits)
        found.append((done.value if done.is_ok() else repr(done.error), done.usage.steps, done.usage.depth))
    return found


@pytest.mark.parametrize(
    "between", [(), (delegates,), (passes,), (programs,), (resumes,), (delegates, passes, resumes)]
)
def test_tasks_are_the_same_on_both_ways(between):
    short, long = both(spawns, [scheduler, *between])
    assert short == long
    assert short[0][:4] == [("task-1", 0), ("child 1", 1), ("task-3", 2), ("child 3", 3)]


def test_a_spawn_that_fails_is_the_same_on_both_ways():
    @do
    def program():
        seen = []
        for wrong in (Spawn(child(1), name=3), Spawn(child(1), priority=0.5), Spawn(3), Spawn(child(2), daemon=1)):
            met = yield Try(wrong)
            seen.append(str(met.error))
        return seen

    short, long = both(program, [scheduler])
    assert short == long


def test_a_limit_of_tasks_is_passed_at_the_same_spawn():
    for allowed in (1, 20, 69):
        short, long = both(spawns, [scheduler], Limits(tasks=allowed))
        assert short == long
        assert "LimitExceeded" in short[0]
    short, long = both(spawns, [scheduler], Limits(tasks=ROUNDS))
    assert short == long
    assert isinstance(short[0], list)


def test_a_task_has_the_context_of_its_spawn():
    """L7: a task starts from the variables as they are at its `Spawn`, however much later it starts."""
    variable = contextvars.ContextVar("variable", default=0)

    @do
    def reads():
        before = variable.get()
        variable.set(-before)
        return before, variable.get()
        yield

    @do
    def program():
        tasks = []
        for n in range(5):
            variable.set(n)
            tasks.append((yield Spawn(reads())))
        seen = yield Gather(*tasks)
        return seen, variable.get()

    short, long = (run(program(), handlers=[scheduler], trace=trace).value for trace in (False, True))
    assert short == long == ([(n, -n) for n in range(5)], 4)


def test_a_task_that_is_cancelled_before_it_starts_never_runs():
    log = []

    @do
    def never():
        log.append("started")
        yield Yield()

    @do
    def program():
        task = yield Spawn(never())
        yield Cancel(task)
        met = yield Try(Wait(task))
        return type(met.error), task.done

    short, long = both(program, [scheduler])
    assert short == long
    assert short[0] == (TaskCancelledError, True)
    assert log == []


def test_what_never_starts_is_let_go():
    """The program and the context of a task that the root does not wait for are gone with the run."""

    class Held:
        pass

    died = []
    variable = contextvars.ContextVar("variable")

    @do
    def never(held):
        yield Yield()

    @do
    def program():
        for _ in range(3):
            held, kept = Held(), Held()
            died.extend([weakref.ref(held), weakref.ref(kept)])
            variable.set(kept)
            yield Spawn(never(held), daemon=True)
        variable.set(None)
        return 1

    assert run(program(), handlers=[scheduler]).value == 1
    gc.collect()
    assert [one() for one in died] == [None] * 6


def test_a_task_that_has_not_started_counts_for_the_bound_on_segments():
    """L7.66: exactly the limit passes, and one more is an error at its `Spawn`."""

    @do
    def caught(rounds):
        tasks = []
        try:
            for n in range(rounds):
                task = yield Spawn(child(n), daemon=True)
                tasks.append(task)
        except LimitExceeded as error:
            return (error.limit, error.value), len(tasks)
        return (yield Gather(*tasks))

    for trace in (False, True):
        done = run(caught(4), handlers=[scheduler], limits=Limits(segments=6), trace=trace)
        assert (done.value, done.usage.segments) == ([0, 1, 2, 3], 6)
        done = run(caught(9), handlers=[scheduler], limits=Limits(segments=6), trace=trace)
        assert (done.value, done.usage.segments) == ((("segments", 6), 4), 6)


class Ready:
    """It is ready at once; its `__await__` is a generator function."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return self.value
        yield


class Fails:
    def __await__(self):
        raise ValueError("at once")


async def after(turns, value):
    for _ in range(turns):
        await asyncio.sleep(0)
    if value < 0:
        raise KeyError(value)
    return value


class After:
    """It comes to that after so many turns of the loop, and may never be awaited."""

    def __init__(self, turns, value):
        self.turns, self.value = turns, value

    def __await__(self):
        return after(self.turns, self.value).__await__()


class Fetch(Effect[int]):
    n: int


@answers(Fetch)
def fetched(effect):
    return (yield Await(after(effect.n % 2, effect.n)))


@answers(Await)
def awaits_outside(effect):
    return (yield Delegate())


@answers(Await)
def awaits_passed(effect):
    return Pass()


@do
def awaits(rounds=ROUNDS):
    seen = []
    for n in range(rounds):
        seen.append((yield Await(Ready(n))))
        seen.append((yield Await(After(n % 3, n))))
        future = asyncio.get_running_loop().create_future()
        future.set_result(n)
        seen.append((yield Await(future)))
        for fails in (Fails(), After(n % 2, -1 - n)):
            try:
                yield Await(fails)
            except (ValueError, KeyError) as error:
                seen.append(repr(error))
    return seen


@do
def fetches():
    seen = []
    for n in range(ROUNDS):
        answer = yield Fetch(n)
        seen.append(answer)
    return seen


@pytest.mark.parametrize("program", [awaits, fetches])
@pytest.mark.parametrize("between", [(), (awaits_outside,), (awaits_passed,), (awaits_passed, awaits_outside)])
def test_what_is_awaited_is_the_same_on_both_ways(program, between):
    async def main():
        found = []
        for trace in (False, True):
            done = await async_run(program(), handlers=[*between, fetched], trace=trace)
            found.append((done.value, done.usage.steps, done.usage.depth))
        return found

    short, long = asyncio.run(main())
    assert short == long


def test_a_limit_is_passed_at_the_same_await():
    async def main(steps, trace):
        done = await async_run(awaits(8), limits=Limits(steps=steps, grace=30), trace=trace)
        return done.value if done.is_ok() else repr(done.error), done.usage.steps

    for steps in range(1, 60, 7):
        assert asyncio.run(main(steps, False)) == asyncio.run(main(steps, True))


@pytest.mark.parametrize("blocks", [False, True])
def test_a_limit_of_time_is_noticed_at_each_await(blocks):
    """L5.13: what is awaited one after the other takes no longer than the run may, and a bit."""
    awaited = []

    class TakesTime:
        def __await__(self):
            awaited.append(1)
            if blocks:
                time.sleep(0.02)
            else:
                yield from asyncio.sleep(0.02).__await__()

    @do
    def program():
        for _ in range(100):
            yield Await(TakesTime())

    done = asyncio.run(async_run(program(), limits=Limits(seconds=0.03)))
    assert isinstance(done.error, LimitExceeded)
    assert len(awaited) <= 4


def test_what_gives_no_iterator_is_begun_as_seldom_as_on_the_long_way():
    class Odd:
        calls = 0

        def __await__(self):
            Odd.calls += 1
            return 3

    counted = []
    for trace in (False, True):
        Odd.calls = 0
        assert isinstance(asyncio.run(async_run(Await(Odd()), trace=trace)).error, TypeError)
        counted.append(Odd.calls)
    assert counted[0] == counted[1]


def test_a_cancellation_meets_what_was_begun_on_the_short_way():
    """L8: the coroutine that waits when the loop's task is cancelled ends by that, and its clean-up awaits."""
    log = []

    async def waits():
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            log.append("cleaned up")

    @do
    def program():
        for n in range(3):
            yield Await(Ready(n))
        try:
            yield Await(waits())
        finally:
            log.append((yield Await(Ready("program"))))

    async def main():
        task = asyncio.create_task(async_run(program()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["cleaned up", "program"]
