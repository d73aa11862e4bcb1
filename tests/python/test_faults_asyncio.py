"""Faults of the bridge to asyncio and trio (A01 to A12), and of a fork beside it (T06)."""

import asyncio
import contextvars
import gc
import time

import pytest

from async_vocabulary import (
    CANCELLED,
    Never,
    after,
    asyncios,
    cancelled_at,
    done,
    forever,
    frames,
    loops,
    raises,
    set_then,
    value,
)
from segue import (
    Await,
    Cancel,
    CreateExternalPromise,
    RunClosedError,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    async_run,
    await_handler,
    do,
    run,
    scheduler,
)


@loops
@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
def test_a01_error_of_an_awaitable_is_raised_at_the_yield_with_its_traceback(loop, spawned):
    error, caught = ValueError("x"), []

    @do
    def asks():
        try:
            yield Await(raises(loop, error))
        except ValueError as raised:
            caught.append(raised)
            raise

    program = Spawn(asks()).flat_map(Wait) if spawned else asks()
    assert done(loop, program).error is error
    assert caught == [error]
    assert frames(error)[-2:] == ["asks", "raises"]


@loops
def test_a02_cancellation_from_outside_is_raised_where_the_root_waits(loop):
    log = []

    @do
    def program(ready):
        try:
            yield Await(set_then(ready, forever(loop, log)))
        except BaseException as error:
            log.append(type(error))
            raise
        finally:
            log.append((yield Await(loop.at_rest(after(loop, 0, "clean")))))

    assert cancelled_at(loop, program) is CANCELLED
    assert log == ["awaited", loop.cancelled, "clean"]


@asyncios
def test_a02_count_of_requests_is_right(loop):
    async def main():
        task = asyncio.create_task(async_run(Await(forever(loop)), handlers=[scheduler]))
        await asyncio.sleep(0.001)
        before = task.cancelling()
        task.cancel()
        asked = task.cancelling()
        await asyncio.wait([task])
        return before, asked, task.cancelling(), task.cancelled()

    assert loop.run(main) == (0, 1, 1, True)


@loops
def test_a04_thousand_runs_in_one_loop_all_finish_and_none_starves(loop):
    """Each has ten turns: when the first is done, the last has had more than one."""
    turns = [0] * 1000
    least = []

    @do
    def program(n):
        for _ in range(10):
            yield Await(loop.sleep(0))
            turns[n] += 1
        least.append(min(turns))
        return n

    async def main():
        runs = [async_run(program(n), handlers=[scheduler]) for n in range(1000)]
        return [result.value for result in await loop.together(*runs)]

    before = time.perf_counter()
    assert loop.run(main) == list(range(1000))
    assert time.perf_counter() - before < 20
    assert least[0] >= 8


def test_a05_loop_that_stops_while_a_script_awaits_is_a_runtime_error_in_the_program():
    async def stops():
        asyncio.get_running_loop().stop()
        await asyncio.sleep(60)

    @do
    def program():
        outcome = yield Try(Await(stops()))
        return type(outcome.error)

    assert run(program(), handlers=[await_handler()]).value is RuntimeError


@pytest.mark.parametrize("wait", [Await(Never()), Sleep(60), Wait], ids=["Await", "Sleep", "Wait"])
def test_a05_loop_that_is_closed_while_a_program_waits_unwinds_it(wait):
    """And what completes a promise afterwards, from a thread or not, hangs nowhere."""
    log, kept = [], []

    @do
    def program():
        kept.append((yield CreateExternalPromise()))
        try:
            yield Wait(kept[0]) if wait is Wait else wait
        finally:
            try:
                yield Sleep(0)
            except RunClosedError as error:
                log.append(type(error))

    loop = asyncio.new_event_loop()
    coroutine = async_run(program(), handlers=[scheduler])

    async def begins():
        coroutine.send(None)

    loop.run_until_complete(begins())
    loop.close()
    kept.pop().complete("too late")
    del begins
    coroutine.close()
    gc.collect()
    assert log == [RunClosedError]


@loops
@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
def test_a06_what_cannot_be_awaited_is_an_error_at_the_yield(loop, spawned):
    used = after(loop, 0)
    used.close()

    @do
    def asks():
        errors = []
        for awaitable in (5, None, used):
            try:
                yield Await(awaitable)
            except (TypeError, RuntimeError) as error:
                errors.append(type(error))
        return errors

    program = Spawn(asks()).flat_map(Wait) if spawned else asks()
    assert value(loop, program) == [TypeError, TypeError, RuntimeError]


@loops
@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
def test_a07_context_variables_go_both_ways(loop, spawned):
    name = contextvars.ContextVar("name", default="nobody")

    async def swaps(new):
        await loop.sleep(0)
        old = name.get()
        name.set(new)
        return old

    @do
    def speaks():
        name.set("program")
        old = yield Await(swaps("awaited"))
        return old, name.get()

    program = Spawn(speaks()).flat_map(Wait) if spawned else speaks()
    assert value(loop, program) == ("program", "awaited")


@loops
def test_a10_cancel_of_a_task_that_awaits_ends_the_coroutine_first(loop):
    log = []

    async def waits(started):
        try:
            started.set()
            await loop.event().wait()
        except BaseException as error:
            log.append(type(error))
            raise
        finally:
            log.append("finally")

    @do
    def program():
        started = loop.event()
        task = yield Spawn(Await(waits(started)))
        yield Await(started.wait())
        yield Cancel(task)
        outcome = yield Try(Wait(task))
        return type(outcome.error)

    assert value(loop, program()) is TaskCancelledError
    assert log == [loop.cancelled, "finally"]
