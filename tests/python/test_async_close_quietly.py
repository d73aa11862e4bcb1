"""Semantics 8: nothing warns of a run that was closed, and clean-up that need not wait is done."""

import contextlib
import contextvars
from contextlib import aclosing

import pytest

from async_vocabulary import Never, after, asyncios, child
from segue import (
    Await,
    RunClosedError,
    acontext,
    async_run,
    do,
    scheduler,
)

# In a process of its own, where each warning is an error and each is on stderr.


@do
def notes_end(log, program, name="closed"):
    try:
        return (yield program)
    finally:
        log.append(name)


def test_closed_runs_warn_of_nothing():
    """No "never awaited", no "destroyed but it is pending", no "never retrieved"."""
    child("""
        async def forever():
            await asyncio.Event().wait()

        async def cleans():
            await asyncio.sleep(0)

        @do
        def careful(program):
            try:
                yield program
            finally:
                try:
                    yield Await(cleans())
                except RunClosedError:
                    pass

        @contextlib.asynccontextmanager
        async def resource():
            yield "resource"

        async def letters():
            yield "a"
            yield "b"

        PROGRAMS = [
            lambda: careful(Await(forever())),
            lambda: careful(Spawn(careful(Await(forever())), daemon=True).flat_map(Wait)),
            lambda: acontext(resource(), lambda _: Await(forever())),
            lambda: aiter(letters(), lambda _: Await(forever())),
            lambda: careful(Sleep(60)),
            lambda: Spawn(Await(forever())).flat_map(lambda _: Await(forever())),
        ]

        async def main():
            for make in PROGRAMS:
                coroutine = async_run(make(), handlers=[scheduler])
                coroutine.send(None)
                for _ in range(5):
                    await asyncio.sleep(0)
                coroutine.close()
                del coroutine
                gc.collect()
                for _ in range(5):
                    await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}, asyncio.all_tasks()

        asyncio.run(main())
        gc.collect()
    """)


@asyncios
def test_run_in_a_generator_of_the_loop_is_closed_with_it(loop):
    """A run inside of an asynchronous generator that is closed between two values."""
    log = []

    async def values():
        while True:
            yield (await async_run(notes_end(log, Await(after(loop, 0, 1))), handlers=[scheduler])).value

    async def main():
        async with aclosing(values()) as generator:
            log.append(await anext(generator))
        await loop.sleep(0)

    loop.run(main)
    assert log == ["closed", 1]


@contextlib.asynccontextmanager
async def resource(log):
    try:
        yield "resource"
    finally:
        log.append("released")


@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "with a scheduler"])
def test_clean_up_that_awaits_but_need_not_wait_is_done(handlers):
    """As in a coroutine that is closed: `__aexit__` runs, up to where it would suspend."""
    log = []
    coroutine = async_run(acontext(resource(log), lambda _: Await(Never())), handlers=handlers)
    coroutine.send(None)
    coroutine.close()
    assert log == ["released"]


async def releases(log):
    try:
        await Never()
    finally:
        log.append("left in the middle")


@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "with a scheduler"])
def test_clean_up_that_would_wait_is_closed_where_it_is(handlers):
    log = []

    @do
    def program():
        try:
            yield Await(Never())
        finally:
            try:
                yield Await(releases(log))
            except RunClosedError:
                log.append("refused")

    coroutine = async_run(program(), handlers=handlers)
    coroutine.send(None)
    coroutine.close()
    assert log == ["left in the middle", "refused"]


def test_what_clean_up_awaits_at_once_gives_its_value_its_error_and_its_context():
    log = []
    where = contextvars.ContextVar("where", default="outside")

    async def gives():
        return where.get()

    async def fails():
        raise KeyError("clean-up")

    @do
    def program():
        where.set("in the program")
        try:
            yield Await(Never())
        finally:
            log.append((yield Await(gives())))
            try:
                yield Await(fails())
            except KeyError as error:
                log.append(error.args)

    coroutine = async_run(program(), handlers=[scheduler])
    coroutine.send(None)
    coroutine.close()
    assert log == ["in the program", ("clean-up",)]
