"""Semantics 7 and 8: promises that are completed from outside of a run in a loop: by threads, and by the loop."""

import asyncio
import signal
import threading

import pytest
import trio

from async_vocabulary import after, done, loops, value
from segue import (
    Await,
    BrokenPromiseError,
    CreateExternalPromise,
    Gather,
    PromiseCompletedError,
    Spawn,
    Try,
    Wait,
    async_run,
    do,
    scheduler,
)
from tasks_vocabulary import spawn_all

pytestmark = loops


def by_thread(loop, call):
    threading.Thread(target=call).start()


def by_loop(loop, call):
    loop.soon(call)


def at_once(loop, call):
    call()


ways = pytest.mark.parametrize("way", [by_thread, by_loop, at_once])


@ways
def test_completed_while_the_root_waits(loop, way):
    @do
    def program():
        external = yield CreateExternalPromise()
        way(loop, lambda: external.complete("value"))
        return (yield Wait(external))

    assert value(loop, program()) == "value"


def test_completed_by_a_handler_of_signals_while_the_loop_sleeps(loop):
    """It runs in the loop's own thread, between two turns that nothing else would end."""
    handlers = []

    @do
    def program():
        external = yield CreateExternalPromise()
        handlers.append(signal.signal(signal.SIGALRM, lambda *_: external.complete("value")))
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        return (yield Wait(external))

    try:
        assert value(loop, program()) == "value"
    finally:
        signal.signal(signal.SIGALRM, handlers[0])


def test_many_that_go_on_in_one_turn_of_the_loop_all_do(loop):
    """What they await ends at the same time, while a thread completes what the root waits for."""

    @do
    def waits(shared, n):
        yield Await(shared.wait())
        yield Await(after(loop, 0))
        return n

    @do
    def program():
        shared = loop.event()
        external = yield CreateExternalPromise()
        tasks = yield spawn_all(*(waits(shared, n) for n in range(200)))
        yield Await(after(loop, 0.01))
        by_thread(loop, lambda: external.complete("value"))
        shared.set()
        return (yield Wait(external)), (yield Gather(*tasks))

    assert value(loop, program()) == ("value", list(range(200)))


@ways
def test_failed_while_a_task_waits_and_the_root_awaits(loop, way):
    error = ValueError("x")

    @do
    def waits(external, event):
        try:
            yield Wait(external)
        except ValueError as caught:
            event.set()
            return caught

    @do
    def program():
        external, event = (yield CreateExternalPromise()), loop.event()
        task = yield Spawn(waits(external, event))
        yield Await(after(loop, 0))
        way(loop, lambda: external.fail(error))
        yield Await(event.wait())
        return (yield Wait(task))

    assert value(loop, program()) is error


def test_many_threads_complete_many(loop):
    """None is lost, whether it arrives while the program runs, waits or awaits."""
    count = 8

    @do
    def program():
        externals = []
        for _ in range(count * 50):
            got = yield CreateExternalPromise()
            externals.append(got)
        tasks = yield spawn_all(*(Wait(external) for external in externals))

        def complete(start):
            for n in range(start, count * 50, count):
                externals[n].complete(n)

        for start in range(count):
            by_thread(loop, lambda start=start: complete(start))
        yield Await(after(loop, 0))
        return (yield Gather(*tasks))

    assert value(loop, program()) == list(range(count * 50))


def test_what_is_awaited_completes_it(loop):
    @do
    def program():
        external = yield CreateExternalPromise()

        async def completes():
            await loop.sleep(0)
            external.complete("inside")
            await event.wait()
            return "after"

        event = loop.event()
        task = yield Spawn(Await(completes()))
        got = yield Wait(external)
        event.set()
        return got, (yield Wait(task))

    assert value(loop, program()) == ("inside", "after")


def test_lost_completer_breaks_the_promise(loop):
    """Semantics 7: nobody is left who could complete it."""

    @do
    def program():
        external = yield CreateExternalPromise()
        promise = external.promise
        loop.soon(lambda kept=external: None)
        del external
        return type((yield Try(Wait(promise))).error)

    assert value(loop, program()) is BrokenPromiseError


def test_completed_when_the_run_is_over(loop):
    """It comes too late, which is told, and the loop is not disturbed."""
    kept = []

    async def main():
        await async_run(CreateExternalPromise().map(kept.append), handlers=[scheduler])
        with pytest.raises(PromiseCompletedError):
            kept[0].complete(1)
        await loop.sleep(0)

    loop.run(main)


def test_two_runs_complete_each_other_s_promises(loop):
    box = {}

    @do
    def program(me, other, event, ready):
        box[me] = yield CreateExternalPromise()
        event.set()
        yield Await(ready.wait())
        box[other].complete(f"from {me}")
        return (yield Wait(box[me]))

    async def main():
        a, b = loop.event(), loop.event()
        runs = [
            async_run(program("a", "b", a, b), handlers=[scheduler]),
            async_run(program("b", "a", b, a), handlers=[scheduler]),
        ]
        results = await loop.limited(20, loop.together(*runs))
        return [result.value for result in results]

    assert loop.run(main) == ["from b", "from a"]


def test_thread_of_the_loop_s_own_helper(loop):
    """`asyncio.to_thread` and `trio.to_thread` are awaited like anything else, and complete a promise on the way."""
    to_thread = trio.to_thread.run_sync if loop.name == "trio" else asyncio.to_thread

    @do
    def program():
        external = yield CreateExternalPromise()

        def work():
            external.complete(threading.current_thread())
            return "work"

        task = yield Spawn(Await(to_thread(work)))
        return (yield Wait(external)) is threading.current_thread(), (yield Wait(task))

    assert value(loop, program()) == (False, "work")
    assert done(loop, program()).unobserved == ()
