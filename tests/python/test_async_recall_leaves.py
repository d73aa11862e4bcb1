"""Semantics 8: what an await that the program cancels leaves behind in its loop."""

import asyncio

import trio
import trio.lowlevel

from async_vocabulary import CANCELLED, TRIO, after, asyncios, done, forever, loops, set_then, value
from segue import (
    Await,
    Gather,
    Spawn,
    Try,
    Wait,
    async_run,
    do,
    scheduler,
    timeout,
)
from tasks_vocabulary import spawn_all


@loops
def test_request_of_the_program_leaves_no_count_and_no_scope_behind(loop):
    """The loop's task is as it was: what is awaited after it, by the caller too, is not cancelled."""

    @do
    def program():
        for _ in range(3):
            yield Try(timeout(0.002, Await(forever(loop))))
        return "done"

    async def main():
        got = await async_run(program(), handlers=[scheduler])
        await loop.sleep(0)
        return got.value, loop is TRIO or asyncio.current_task().cancelling()

    assert loop.run(main) in [("done", True), ("done", 0)]


@loops
def test_cancellations_from_inside_and_outside_at_once(loop):
    """The one from outside is not lost."""

    @do
    def program(started):
        yield Try(timeout(0.01, Await(set_then(started, forever(loop)))))
        yield Await(forever(loop))

    async def main():
        started = loop.event()
        return await loop.limited(0.01, async_run(program(started), handlers=[scheduler]))

    assert loop.run(main) is CANCELLED


@asyncios
def test_awaiting_a_cancelled_thing_is_no_cancellation_of_the_task(loop):
    """What is raised comes from the awaitable: the program decides."""

    @do
    def catches():
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        try:
            yield Await(future)
        except asyncio.CancelledError:
            return "caught"

    @do
    def program():
        task = yield Spawn(catches())
        return (yield catches()), asyncio.current_task().cancelling(), (yield Wait(task))

    assert value(loop, program()) == ("caught", 0, "caught")


def test_gather_of_trio_awaits_is_cancelled_by_a_scope_of_trio():
    """Semantics 7: a cancelled `Gather` cancels what it waits for; clean-up of the tasks is not cut short."""
    log = []

    @do
    def program():
        tasks = yield spawn_all(*(Await(forever(TRIO, log, name)) for name in "ab"))
        with trio.move_on_after(0.02):
            yield Gather(*tasks)
        return "moved on"

    assert done(TRIO, Await(after(TRIO, 0)).flat_map(lambda _: program())).value == "moved on"
    assert sorted(log) == ["a", "b"]
