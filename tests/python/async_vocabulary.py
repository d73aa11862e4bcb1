"""What the tests of `async_run` have in common: the loops that each runs in, and small programs and coroutines.

`loops` parametrises a test, or with `pytestmark` a file, by a `loop`: asyncio, trio, and
asyncio with uvloop where that is installed. What a test needs of a loop is the same in all of them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import textwrap
import traceback
from pathlib import Path

import pytest
import trio

import segue
from child import run_child
from segue import Await, Gather, Pure, async_run, do, scheduler
from tasks_vocabulary import spawn_all

PACKAGE = os.fspath(Path(segue.__file__).parent)
CANCELLED = "cancelled from outside"


class Asyncio:
    """A loop of asyncio."""

    cancelled = asyncio.CancelledError
    event = asyncio.Event
    sleep = staticmethod(asyncio.sleep)
    task = staticmethod(asyncio.current_task)

    def __init__(self, name="asyncio", factory=None):
        self.name, self.factory = name, factory

    def run(self, main, *args):
        """Run a coroutine function; no task of the loop may be left when it is over."""

        async def whole():
            value = await main(*args)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return value

        with asyncio.Runner(loop_factory=self.factory) as runner:
            return runner.run(whole())

    async def cancel(self, coroutine, ready):
        """Cancel what runs a coroutine when `ready` is set: what it comes to, or `CANCELLED`."""
        task = asyncio.create_task(coroutine)
        await ready.wait()
        await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            assert task.cancelled()
            return CANCELLED

    async def limited(self, seconds, coroutine):
        """What a coroutine comes to; `CANCELLED` if it takes longer."""
        try:
            async with asyncio.timeout(seconds):
                return await coroutine
        except TimeoutError:
            return CANCELLED

    async def together(self, *coroutines):
        return await asyncio.gather(*coroutines)

    async def at_rest(self, awaitable):
        """Await even where a cancellation is under way."""
        return await awaitable

    def soon(self, call):
        asyncio.get_running_loop().call_soon(call)


class Trio:
    """The loop of trio."""

    name = "trio"
    cancelled = trio.Cancelled
    event = trio.Event
    sleep = staticmethod(trio.sleep)
    task = staticmethod(trio.lowlevel.current_task)

    def run(self, main, *args):
        return trio.run(main, *args)

    async def cancel(self, coroutine, ready):
        value = CANCELLED

        async def whole():
            nonlocal value
            value = await coroutine

        async with trio.open_nursery() as nursery:
            nursery.start_soon(whole)
            await ready.wait()
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        return value

    async def limited(self, seconds, coroutine):
        with trio.move_on_after(seconds):
            return await coroutine
        return CANCELLED

    async def together(self, *coroutines):
        values = [None] * len(coroutines)

        async def one(place, coroutine):
            values[place] = await coroutine

        async with trio.open_nursery() as nursery:
            for place, coroutine in enumerate(coroutines):
                nursery.start_soon(one, place, coroutine)
        return values

    async def at_rest(self, awaitable):
        with trio.CancelScope(shield=True):
            return await awaitable

    def soon(self, call):
        trio.lowlevel.current_trio_token().run_sync_soon(call)


ASYNCIO = Asyncio()
TRIO = Trio()
LOOPS = [ASYNCIO, TRIO]
if importlib.util.find_spec("uvloop"):
    import uvloop

    LOOPS.append(Asyncio("uvloop", uvloop.new_event_loop))

loops = pytest.mark.parametrize("loop", LOOPS, ids=[loop.name for loop in LOOPS])
asyncios = pytest.mark.parametrize("loop", [loop for loop in LOOPS if loop is not TRIO], ids=lambda loop: loop.name)


# Running.


def done(loop, program, *handlers, outside=(), **options):
    """The result of a program under `async_run` with a scheduler, and handlers inside and outside of it."""

    async def main():
        return await async_run(program, handlers=[*outside, scheduler, *handlers], **options)

    return loop.run(main)


def value(loop, program, *handlers, outside=(), **options):
    """What a program comes to there. Nothing may be left unobserved."""
    result = done(loop, program, *handlers, outside=outside, **options)
    assert result.is_err() or not result.unobserved, result.unobserved
    return result.value


def cancelled_at(loop, make, *handlers, patience=10):
    """What a program comes to that is cancelled from outside after it set the event that `make` is given."""

    async def main():
        ready = loop.event()
        run = async_run(make(ready), handlers=[scheduler, *handlers])
        return await loop.limited(patience, loop.cancel(run, ready))

    return loop.run(main)


# Coroutines and programs.


async def after(loop, seconds, value=None):
    await loop.sleep(seconds)
    return value


async def raises(loop, error, seconds=0):
    await loop.sleep(seconds)
    raise error


async def forever(loop, log=None, name="awaited"):
    """Never ends by itself, and notes that it was ended."""
    try:
        await loop.event().wait()
    finally:
        if log is not None:
            log.append(name)


async def set_then(ready, coroutine):
    ready.set()
    return await coroutine


class Never:
    """An awaitable of no loop, which stays suspended."""

    def __await__(self):
        yield


@do
def awaits(loop, value, turns=1):
    """Awaits some turns of the loop."""
    for _ in range(turns):
        yield Await(loop.sleep(0))
    return value


@do
def set_and(event, program):
    """Sets an event of the loop, then goes on with a program."""
    yield Pure(event.set())
    return (yield program)


@do
def gathered(*programs):
    """What several programs come to, each in a task of its own."""
    tasks = yield spawn_all(*programs)
    return (yield Gather(*tasks))


# Looking at errors.


def turns_while(coroutine_function):
    """How many turns of the loop something takes, and what it comes to."""

    async def main():
        turns, done = 0, False

        async def counts():
            nonlocal turns
            while not done:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(counts())
        await asyncio.sleep(0)
        result = await coroutine_function()
        done = True
        await other
        return turns, result

    return asyncio.run(main())


def frames(error):
    """The functions in a traceback, outermost first: none of them the library's."""
    entries = traceback.extract_tb(error.__traceback__)
    assert [entry.name for entry in entries if entry.filename.startswith(PACKAGE)] == []
    return [entry.name for entry in entries]


# In a process of its own.

PRELUDE = """
import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading

import trio

from segue import *

signal.signal(signal.SIGINT, signal.default_int_handler)
"""


def child(source, *args, seconds=30):
    """Run `source` with warnings as errors in a process of its own; it must end well and say nothing on stderr."""
    ended = run_child(PRELUDE + textwrap.dedent(source), args=args, seconds=seconds)
    said = ended.ok()
    assert ended.stderr == ""
    return said
