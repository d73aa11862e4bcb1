"""Semantics 8: a coroutine that is closed or dropped is unwound at once; nothing can wait any more."""

import asyncio
import gc
from contextvars import ContextVar

import pytest

from async_vocabulary import Never, asyncios, awaits, forever, set_and
from segue import (
    Acquire,
    Await,
    CreateChannel,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    Gather,
    Get,
    PythonAsyncSyntaxEscape,
    Race,
    Receive,
    Release,
    RunClosedError,
    Send,
    Sleep,
    Spawn,
    Tell,
    Wait,
    Yield,
    async_run,
    do,
    scheduler,
    state,
    writer,
)


def by_close(coroutines):
    coroutines.pop().close()


def by_drop(coroutines):
    coroutines.pop()
    gc.collect()


def by_throw(coroutines):
    with pytest.raises(GeneratorExit):
        coroutines.pop().throw(GeneratorExit())


ways = pytest.mark.parametrize("way", [by_close, by_drop, by_throw])


@do
def notes_end(log, program, name="closed"):
    try:
        yield program
    finally:
        log.append(name)


def closed_after(loop, program, way, turns=3, handlers=()):
    """Drive `async_run` by hand for some turns of a loop, close it, and let the loop have some more."""

    async def main():
        coroutine = async_run(program, handlers=[*handlers, scheduler])
        coroutines = [coroutine]
        coroutine.send(None)
        del coroutine
        for _ in range(turns):
            await asyncio.sleep(0)
        way(coroutines)
        for _ in range(turns):
            await asyncio.sleep(0)

    loop.run(main)


PLACES = {
    "Await": lambda loop: Await(forever(loop)),
    "Await in task": lambda loop: Spawn(Await(forever(loop)), daemon=True).flat_map(Wait),
    "escape": lambda loop: PythonAsyncSyntaxEscape(lambda: forever(loop)),
    "Sleep": lambda loop: Sleep(3600),
    "external": lambda loop: CreateExternalPromise().flat_map(lambda kept: Wait(kept).map(lambda _: kept)),
    "channel": lambda loop: Spawn(Sleep(3600), daemon=True).flat_map(lambda _: CreateChannel().flat_map(Receive)),
}
places = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


@asyncios
@ways
@places
def test_root_is_unwound_at_each_wait(loop, way, place):
    """And no task of the loop is left: the vocabulary's `run` looks."""
    log = []
    closed_after(loop, notes_end(log, place(loop)), way)
    assert log == ["closed"]


@asyncios
@ways
def test_tasks_are_unwound_too_and_what_they_await_is_cancelled(loop, way, unraisable):
    log = []

    @do
    def program():
        yield Spawn(notes_end(log, Await(forever(loop, log)), "a"), daemon=True)
        yield Spawn(notes_end(log, awaits(loop, None).flat_map(lambda _: Sleep(3600)), "b"), daemon=True)
        yield notes_end(log, Sleep(3600), "root")

    closed_after(loop, program(), way, turns=5)
    assert sorted(log) == ["a", "awaited", "b", "root"]


@asyncios
def test_timer_of_a_run_that_is_closed_is_forgotten(loop):
    """Else the loop holds the run until its time has come."""
    if loop.name == "uvloop":
        return

    async def main():
        coroutine = async_run(Sleep(3600), handlers=[scheduler])
        coroutine.send(None)
        coroutine.close()
        return [handle for handle in asyncio.get_running_loop()._scheduled if not handle.cancelled()]

    assert loop.run(main) == []


@do
def meets(channel):
    yield Send(channel, 1)


WAITING = {
    "Await": Await(Never()),
    "escape": PythonAsyncSyntaxEscape(Never),
    "Sleep": Sleep(1),
    "Sleep(0)": Sleep(0),
    "Yield": Yield(),
    "promise": CreatePromise().flat_map(Wait),
    "Gather": CreatePromise().flat_map(Gather),
    "Race": CreatePromise().flat_map(Race),
    "task": Spawn(Tell("never")).flat_map(Wait),
    "Receive": CreateChannel().flat_map(Receive),
    "Send": CreateChannel().flat_map(meets),
}


@pytest.mark.parametrize("effect", WAITING.values(), ids=WAITING)
def test_clean_up_that_would_wait_is_refused_at_the_perform(effect):
    """Semantics 8: "effects that would suspend raise `RunClosedError` at the perform"."""
    log = []

    @do
    def program():
        try:
            yield Await(Never())
        finally:
            try:
                yield effect
            except RunClosedError:
                log.append("refused")

    coroutine = async_run(program(), handlers=[scheduler, writer])
    coroutine.send(None)
    coroutine.close()
    assert log == ["refused"]


def test_clean_up_that_does_not_wait_is_handled():
    log = []

    @do
    def program():
        try:
            yield Await(Never())
        finally:
            lock = yield CreateLock()
            yield Acquire(lock)
            yield Release(lock)
            log.append((yield Get("n")))

    coroutine = async_run(program(), handlers=[state({"n": 1}), scheduler])
    coroutine.send(None)
    coroutine.close()
    assert log == [1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_program_that_catches_the_end_runs_on_until_it_would_wait():
    log = []

    @do
    def program():
        try:
            yield Await(Never())
        except BaseException as error:
            log.append(type(error).__name__)
        log.append((yield Get("n")))
        yield Await(Never())
        log.append("never")

    coroutine = async_run(program(), handlers=[state({"n": 1})])
    coroutine.send(None)
    try:
        coroutine.close()
    finally:
        assert log == ["Discontinued", 1]


@pytest.mark.parametrize("turns", range(6))
def test_closed_at_each_of_several_waits(turns):
    """By hand, in no loop: each `send` is one turn."""
    log = []

    @do
    def program():
        for n in range(5):
            try:
                yield Await(Never())
            finally:
                log.append(n)

    coroutine = async_run(program())
    for _ in range(turns):
        coroutine.send(None)
    coroutine.close()
    assert log == list(range(turns))
    with pytest.raises(RuntimeError, match="reuse"):
        coroutine.send(None)


def test_closed_by_what_a_task_awaits():
    """The task's context is entered by what it awaits: its clean-up runs, and finds its variables in a copy."""
    log, runs, variable = [], [], ContextVar("variable")

    class Closes:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            runs[0].close()
            yield from asyncio.sleep(10).__await__()

    @do
    def task():
        variable.set("of the task")
        try:
            yield Await(Closes())
        finally:
            log.append("begins")
            yield Tell("performs")
            log.append(variable.get())

    @do
    def program():
        yield Wait((yield Spawn(task())))

    async def main():
        # Driven by hand, so that nobody but the task closes it.
        runs.append(async_run(program(), handlers=[writer, scheduler]))
        runs[0].send(None)
        await asyncio.sleep(0.05)

    asyncio.run(main())
    assert log == ["begins", "of the task"]


def test_coroutine_that_was_never_begun_runs_nothing():
    log = []
    coroutine = async_run(set_and(asyncio.Event(), notes_end(log, Tell("x"))))
    coroutine.close()
    assert log == []


@pytest.mark.parametrize("wakes", [lambda: Await(asyncio.sleep(0)), lambda: Sleep(0.001)], ids=["await", "timer"])
def test_a_root_that_was_woken_and_has_not_gone_on_yet_is_unwound(wakes):
    """Its tasks went on without it, in a turn of the loop; it is closed before its own."""
    log = []

    @do
    def program():
        try:
            yield Wait((yield Spawn(wakes())))
        finally:
            log.append((yield Get("n")))

    async def main():
        coroutine = async_run(program(), handlers=[state({"n": 1}), scheduler])
        future = coroutine.send(None)
        await asyncio.wait([future])
        coroutine.close()

    asyncio.run(main())
    assert log == [1]
