"""Semantics 8: a run in a loop is cancelled from outside: raised where the root waits, once, and passed on."""

import pytest

from async_vocabulary import (
    CANCELLED,
    after,
    cancelled_at,
    forever,
    loops,
    set_and,
)
from async_waits import WAITS, awaiting, everywhere
from segue import (
    Await,
    CreatePromise,
    Get,
    Put,
    Sleep,
    Spawn,
    Tell,
    Try,
    Wait,
    Yield,
    async_run,
    do,
    scheduler,
    state,
    writer,
)
from tasks_vocabulary import spawn_all, stuck


@loops
@everywhere
def test_it_is_raised_in_the_root_and_leaves_it(loop, wait):
    """Semantics 8: clean-up runs, its effects are handled, and what was raised is what the loop's task ends with."""
    log = []

    @do
    def program(ready):
        try:
            yield wait(loop, ready)
            log.append("went on")
        except BaseException as error:
            log.append(type(error))
            raise
        finally:
            yield Put("n", (yield Get("n")) + 1)
            for _ in range(5000):
                yield Yield()
            log.append((yield Get("n")))

    assert cancelled_at(loop, program, state({"n": 1})) is CANCELLED
    assert log == [loop.cancelled, 2]


@loops
@everywhere
def test_root_may_catch_it(loop, wait):
    """On trio the scope stays cancelled: what is awaited next is cancelled as well, what needs no loop is not."""

    @do
    def program(ready):
        try:
            yield wait(loop, ready)
        except loop.cancelled:
            yield Sleep(0.001)
            child = yield Spawn(Sleep(0.001).map(lambda _: "child"))
            return "caught", (yield Wait(child))

    assert cancelled_at(loop, program, state({"n": 1})).value == ("caught", "child")


@loops
@pytest.mark.parametrize("wait", ["Await", "Sleep", "task", "busy"])
def test_clean_up_awaits_under_the_loop_s_own_rules(loop, wait):
    """Semantics 8: on asyncio as it is, on trio with a shield."""
    log = []

    @do
    def program(ready):
        try:
            yield WAITS[wait](loop, ready)
        finally:
            log.append((yield Await(loop.at_rest(after(loop, 0.001, "clean")))))

    assert cancelled_at(loop, program) is CANCELLED
    assert log == ["clean"]


@loops
@pytest.mark.parametrize("wait", ["Await", "Sleep", "task", "busy"])
def test_tasks_are_unwound_before_it_leaves(loop, wait):
    """Semantics 7: with their clean-up that awaits, whatever they wait for."""
    log = []

    @do
    def cleans_up(program, name):
        try:
            yield Await(loop.sleep(0))
            yield program
        finally:
            yield Sleep(0.001)
            log.append((yield Await(loop.at_rest(after(loop, 0.001, name)))))

    @do
    def program(ready):
        settled = loop.event()
        yield spawn_all(
            cleans_up(Await(forever(loop)), "await"),
            cleans_up(Sleep(60), "sleep"),
            cleans_up(CreatePromise().flat_map(Wait), "wait"),
            cleans_up(set_and(settled, stuck([])), "stuck"),
        )
        yield Await(settled.wait())
        yield WAITS[wait](loop, ready)

    assert cancelled_at(loop, program) is CANCELLED
    assert sorted(log) == ["await", "sleep", "stuck", "wait"]


@loops
def test_result_so_far_is_with_what_leaves(loop):
    """Semantics 4: as with every `BaseException`."""
    results = []

    async def main():
        ready = loop.event()

        async def runs():
            try:
                await async_run(Tell("told").flat_map(lambda _: awaiting(loop, ready)), handlers=[scheduler, writer])
            except loop.cancelled as error:
                results.append(list(error.run_result.log))
                raise

        return await loop.cancel(runs(), ready)

    assert loop.run(main) is CANCELLED
    assert results == [["told"]]


@loops
def test_try_does_not_swallow_it(loop):
    assert cancelled_at(loop, lambda ready: Try(awaiting(loop, ready))) is CANCELLED


@loops
def test_run_that_was_not_begun_is_cancelled(loop):
    """Nothing of the program runs, or it is cancelled at its first wait."""

    async def main():
        return await loop.cancel(async_run(Await(forever(loop)), handlers=[scheduler]), set_event(loop))

    assert loop.run(main) is CANCELLED


def set_event(loop):
    event = loop.event()
    event.set()
    return event


@loops
@pytest.mark.parametrize("wait", ["Await", "Sleep", "task", "busy"])
def test_limit_of_time_around_async_run(loop, wait):
    """`asyncio.timeout` and `trio.move_on_after`: their own cancellation, and nothing of it is left behind."""

    async def main():
        never = loop.event()
        got = await loop.limited(0.02, async_run(WAITS[wait](loop, never), handlers=[scheduler]))
        await loop.sleep(0)
        return got

    assert loop.run(main) is CANCELLED


@loops
def test_one_that_comes_while_tasks_end_waits_for_them_and_is_what_the_run_comes_to(loop):
    """The root has returned: there is no other for whom it is, and what is awaited still ends before its task."""
    log = []

    async def ends_slowly(ready):
        try:
            await loop.event().wait()
        finally:
            ready.set()
            await loop.at_rest(after(loop, 0.02))
            log.append("awaited")

    @do
    def task(ready):
        try:
            yield Await(ends_slowly(ready))
        finally:
            log.append("task")

    @do
    def program(ready):
        yield Spawn(task(ready), daemon=True)
        yield Await(after(loop, 0.001))
        return "value"

    assert cancelled_at(loop, program) == CANCELLED
    assert log == ["awaited", "task"]
