"""Semantics 8: clauses outside of the scheduler that await for a task, with the loop and the root around them."""

import asyncio
import contextlib
import gc
import time
import warnings
from contextvars import ContextVar

import pytest

from async_vocabulary import ASYNCIO, CANCELLED, after, loops, value
from segue import (
    Await,
    CreateExternalPromise,
    Effect,
    Gather,
    Handler,
    LimitExceeded,
    Limits,
    Sleep,
    Spawn,
    Wait,
    Yield,
    answers,
    async_run,
    do,
    scheduler,
)
from tasks_vocabulary import spawn_all

NAME = ContextVar("NAME", default="nobody")


class Fetch(Effect):
    """What a clause outside of the scheduler awaits for a task."""


class Fetching(Handler):
    def __init__(self, fetch):
        self.fetch = fetch

    @answers(Fetch)
    def fetches(self, effect):
        return (yield Await(self.fetch()))


@loops
def test_a_cancellation_meets_the_root_as_soon_as_the_clause_is_done(loop):
    """However long the task awaits after it."""
    log, began = [], time.monotonic()

    @do
    def task():
        yield Await(after(loop, 0))
        yield Fetch()
        yield Await(loop.event().wait())

    @do
    def program():
        try:
            yield Wait((yield Spawn(task())))
        except loop.cancelled:
            log.append("root")
            raise

    async def main():
        ready = loop.event()

        async def fetch():
            ready.set()
            await loop.sleep(0.02)

        run = async_run(program(), handlers=[Fetching(fetch), scheduler])
        return await loop.limited(10, loop.cancel(run, ready))

    assert loop.run(main) == CANCELLED
    assert log == ["root"]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("times", [2, 3])
def test_cancellations_in_a_row_are_the_root_s_alone(times):
    """None of them is raised in a task, and what that awaits next is begun."""
    log = []

    async def ready():
        log.append("begun")

    @do
    def task():
        yield Await(asyncio.sleep(0))
        yield Fetch()
        yield Await(ready())

    @do
    def program():
        task_ = yield Spawn(task(), daemon=True)
        try:
            yield Wait(task_)
            yield Sleep(1)
        except asyncio.CancelledError:
            log.append("root")
            raise

    async def main():
        began = asyncio.Event()

        async def fetch():
            began.set()
            await asyncio.sleep(0.01)

        run = asyncio.create_task(async_run(program(), handlers=[Fetching(fetch), scheduler]))
        await began.wait()
        for _ in range(times):
            run.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(main())
    assert log in (["root"], ["begun", "root"])


@loops
def test_what_the_clause_awaits_is_in_its_context(loop):
    """Semantics 8: that of the root, both ways."""

    async def fetch():
        await loop.sleep(0)
        before = NAME.get()
        NAME.set(f"{before}+")
        return before

    class Reads(Fetching):
        @answers(Fetch)
        def fetches(self, effect):
            inside = yield Await(self.fetch())
            return inside, NAME.get()

    @do
    def task(name):
        NAME.set(name)
        yield Await(after(loop, 0))
        return (yield Fetch()), NAME.get()

    @do
    def program():
        NAME.set("root")
        results = []
        for name in "ab":
            task_ = yield Spawn(task(name))
            results.append((yield Wait(task_)))
        return results

    assert value(loop, program(), outside=[Reads(fetch)]) == [(("root", "root+"), "a"), (("root+", "root++"), "b")]


def test_what_the_clause_was_to_await_is_closed_with_the_run():
    async def fetch():
        await asyncio.sleep(0.01)

    @do
    def task():
        yield Await(asyncio.sleep(0))
        yield Fetch()

    @do
    def program():
        yield Spawn(task())
        promise = yield CreateExternalPromise()
        yield Wait(promise)

    async def main():
        for turns in range(8):
            coroutine = async_run(program(), handlers=[Fetching(fetch), scheduler])
            coroutine.send(None)
            for _ in range(turns):
                await asyncio.sleep(0)
            coroutine.close()
            del coroutine
            await asyncio.sleep(0.001)
            gc.collect()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())


# Loops that are busy, closed, or out of tasks.


def test_a_root_that_awaits_what_is_ready_leaves_turns_to_the_loop():
    """Also where a scheduler stands between: whoever waits for the loop beside it is not kept waiting."""

    async def ready():
        return 1

    @do
    def program():
        while True:
            yield Await(ready())

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await async_run(program(), handlers=[scheduler])
        return "struck"

    assert asyncio.run(main()) == "struck"


def test_a_run_whose_loop_was_closed_while_a_task_rests_is_unwound():
    log = []

    @do
    def rests():
        try:
            yield Await(asyncio.sleep(0))
            promise = yield CreateExternalPromise()
            yield Wait(promise)
        finally:
            log.append("task")

    @do
    def program():
        yield Spawn(rests())
        try:
            yield Await(asyncio.Event().wait())
        finally:
            log.append("root")

    loop = asyncio.new_event_loop()
    coroutine = async_run(program(), handlers=[scheduler])

    async def main():
        future = coroutine.send(None)
        await asyncio.sleep(0.01)
        return future

    loop.run_until_complete(main())
    loop.set_exception_handler(lambda loop, context: None)
    loop.close()
    coroutine.close()
    assert sorted(log) == ["root", "task"]


def test_a_loop_that_starts_no_task_raises_at_the_await():
    log = []

    @do
    def task():
        yield Sleep(0.001)
        try:
            yield Await(after(ASYNCIO, 0))
        except RuntimeError as error:
            log.append(str(error))
        return "ended"

    @do
    def program():
        return (yield Gather(*(yield spawn_all(task(), task()))))

    def refuses(loop, coroutine, **_):
        coroutine.close()
        raise RuntimeError("no more tasks")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(refuses)
        try:
            return (await async_run(program(), handlers=[scheduler])).value
        finally:
            loop.set_task_factory(None)

    assert asyncio.run(main()) == ["ended", "ended"]
    assert log == ["no more tasks", "no more tasks"]


@loops
def test_what_is_awaited_ends_with_a_run_that_its_limits_break_off(loop):
    """Nobody waits for it any more."""
    began, log = time.monotonic(), []

    async def long(begun):
        try:
            begun.set()
            await loop.event().wait()
        finally:
            log.append("ended")

    @do
    def program():
        begun = loop.event()
        yield Spawn(Await(long(begun)))
        yield Await(begun.wait())
        while True:
            with contextlib.suppress(LimitExceeded):
                yield Yield()

    async def main():
        limits = Limits(steps=500, grace=50)
        return (await async_run(program(), handlers=[scheduler], limits=limits)).result

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert isinstance(loop.run(main).error, LimitExceeded)
    assert log == ["ended"]
    assert time.monotonic() - began < 10
