"""Semantics 8: cancellation as asyncio has it: requests are counted, groups and shutdowns cancel tasks of the loop."""

import asyncio

import pytest

from async_vocabulary import (
    asyncios,
    cancelled_at,
    forever,
    set_and,
    set_then,
)
from async_waits import awaiting, everywhere
from segue import (
    Await,
    Sleep,
    Spawn,
    Try,
    async_run,
    do,
    scheduler,
    state,
    timeout,
)

# asyncio counts the requests.


@asyncios
@everywhere
def test_count_of_requests_is_right_where_it_is_caught(loop, wait):
    """Semantics 8: the request is the caller's; the bridge leaves it as it is."""
    counts = []

    @do
    def program(ready):
        try:
            yield wait(loop, ready)
        except asyncio.CancelledError:
            counts.append(asyncio.current_task().cancelling())
            yield Await(asyncio.sleep(0))
            counts.append(asyncio.current_task().cancelling())
            return asyncio.current_task().uncancel()

    assert cancelled_at(loop, program, state({"n": 1})).value == 0
    assert counts == [1, 1]


@asyncios
def test_timeouts_of_the_program_work_in_a_task_that_was_cancelled_before(loop):
    """A request of earlier that nobody took back is not mistaken for one of now."""

    @do
    def program(ready):
        try:
            yield awaiting(loop, ready)
        except asyncio.CancelledError:
            late = yield Try(timeout(0.01, Await(forever(loop))))
            return type(late.error), asyncio.current_task().cancelling()

    assert cancelled_at(loop, program).value == (TimeoutError, 1)


@asyncios
def test_task_group_cancels_a_run_when_another_fails(loop):
    log = []

    @do
    def program(started):
        try:
            yield Spawn(Await(forever(loop, log, "task")))
            yield Await(set_then(started, forever(loop, log, "root")))
        finally:
            log.append("finally")

    async def fails(started):
        await started.wait()
        raise ValueError("x")

    async def main():
        started = asyncio.Event()
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                run = group.create_task(async_run(program(started), handlers=[scheduler]))
                group.create_task(fails(started))
        return run.cancelled(), [type(error) for error in caught.value.exceptions]

    assert loop.run(main) == (True, [ValueError])
    assert log == ["root", "finally", "task"]


@asyncios
def test_shutdown_cancels_every_task_of_the_loop(loop):
    """`asyncio.run` does so when its main coroutine returns: the program is unwound, and nothing hangs."""
    log = []

    @do
    def rests(ready):
        try:
            yield Await(asyncio.sleep(0))
            yield set_and(ready, Sleep(60))
        finally:
            yield Await(asyncio.sleep(0.001))
            log.append("task")

    @do
    def program(ready):
        yield Spawn(rests(ready))
        try:
            yield Await(forever(loop, log, "awaited"))
        finally:
            log.append("root")

    async def main():
        ready = asyncio.Event()
        run = asyncio.create_task(async_run(program(ready), handlers=[scheduler]))
        await ready.wait()
        every = asyncio.all_tasks() - {asyncio.current_task()}
        for task in every:
            task.cancel()
        assert not (await asyncio.wait(every, timeout=5))[1]
        return run.cancelled()

    assert loop.run(main) is True
    assert log == ["awaited", "root", "task"]
