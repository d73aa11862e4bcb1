"""What the root awaits is driven by hand here, as a loop does: sends, errors and the close go to it as under `await`.

Semantics 8: what is awaited cannot tell a program from a coroutine that awaits it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import traceback
import types
import weakref

import pytest

from async_vocabulary import turns_while
from segue import Await, Get, async_run, do, scheduler, state


class Steps:
    """An awaitable whose iterator is a generator function's."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __await__(self):
        return self.function(*self.arguments)


@types.coroutine
def trap(value):
    """What suspends, and gives what is sent."""
    return (yield value)


def ended(coroutine, *sent):
    """Sends all of it: what the coroutine yielded, and what it came to."""
    yielded = []
    try:
        for value in sent:
            yielded.append(coroutine.send(value))  # noqa: PERF401 - in a generator its end would be an error
    except StopIteration as end:
        return yielded, end.value.value
    raise AssertionError(f"it goes on after {yielded}")


async def asks(questions):
    return [(await trap(question)) for question in questions]


@do
def asks_twice():
    first = yield Await(asks(["a", "b"]))
    second = yield Await(asks(["c"]))
    return first + second


async def plainly():
    return types.SimpleNamespace(value=await asks(["a", "b"]) + await asks(["c"]))


@pytest.mark.parametrize("drives", [lambda: async_run(asks_twice()), plainly])
def test_what_is_sent_goes_to_what_is_awaited_as_under_await(drives):
    yielded, value = ended(drives(), None, 1, None, "three")
    assert yielded == ["a", "b", "c"]
    assert value == [1, None, "three"]


def test_an_iterator_that_is_no_generator_is_stepped():
    class Counts:
        def __init__(self):
            self.left = 2

        def __await__(self):
            return self

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration("done")
            self.left -= 1
            return self.left

    assert ended(async_run(Await(Counts())), None, None, None) == ([1, 0], "done")


def test_an_error_from_the_loop_is_raised_in_what_is_awaited_which_may_go_on():
    async def catches():
        try:
            await trap("first")
        except KeyError as error:
            return (await trap("second")), error.args

    coroutine = async_run(Await(catches()))
    assert coroutine.send(None) == "first"
    assert coroutine.throw(KeyError("k")) == "second"
    assert ended(coroutine, 5) == ([], (5, ("k",)))


@pytest.mark.parametrize("thrown", [ValueError, ValueError("no")])
def test_an_error_that_is_not_caught_there_is_the_programs(thrown):
    seen = []

    @do
    def program():
        try:
            yield Await(asks(["first"]))
        except ValueError as error:
            seen.extend(frame.name for frame in traceback.extract_tb(error.__traceback__))
            return "caught", (yield Await(asks(["second"])))

    coroutine = async_run(program())
    assert coroutine.send(None) == "first"
    assert coroutine.throw(thrown) == "second"
    assert ended(coroutine, 1) == ([], ("caught", [1]))
    # From the yield to where it was raised, and nothing of the library's in between.
    assert seen[0] == "program"
    assert set(seen[1:]) <= {"asks", "<listcomp>", "trap"}


class Bare:
    """An iterator that waits for ever, and has no `throw`."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return "waits"


class Broken(Bare):
    """One that cannot even tell."""

    def __getattr__(self, name):
        raise ZeroDivisionError(name)


@pytest.mark.parametrize(("awaited", "raised"), [(Bare, "OSError('gone')"), (Broken, "ZeroDivisionError('throw')")])
def test_what_has_no_throw_raises_at_the_yield(awaited, raised):
    """The error, or what looking `throw` up raises."""

    @do
    def program():
        try:
            yield Await(awaited())
        except (OSError, ZeroDivisionError) as error:
            return repr(error)

    coroutine = async_run(program())
    assert coroutine.send(None) == "waits"
    with pytest.raises(StopIteration) as end:
        coroutine.throw(OSError("gone"))
    assert end.value.value.value == raised


@pytest.mark.parametrize("handlers", [(), (state({"n": 1}),)])
def test_a_close_goes_to_what_is_awaited_first_and_then_unwinds_the_program(handlers):
    log = []

    async def awaited():
        try:
            await trap("waits")
        except GeneratorExit:
            log.append("awaited")
            raise

    @do
    def program():
        try:
            yield Await(awaited())
        finally:
            log.append("program")
            if handlers:
                log.append((yield Get("n")))

    coroutine = async_run(program(), handlers=handlers)
    assert coroutine.send(None) == "waits"
    coroutine.close()
    assert log == ["awaited", "program", 1][: 2 + len(handlers)]


def test_a_generator_exit_that_is_thrown_closes_what_is_awaited():
    log = []

    def steps():
        try:
            yield "waits"
        finally:
            log.append("closed")

    coroutine = async_run(Await(Steps(steps)))
    assert coroutine.send(None) == "waits"
    with pytest.raises(GeneratorExit):
        coroutine.throw(GeneratorExit)
    assert log == ["closed"]
    with pytest.raises(RuntimeError, match="cannot reuse"):
        coroutine.send(None)


def test_what_cannot_be_closed_is_told_and_the_program_is_unwound(monkeypatch):
    told, log = [], []
    monkeypatch.setattr(sys, "unraisablehook", lambda about: told.append(str(about.exc_value)))

    def steps():
        try:
            yield "waits"
        except GeneratorExit:
            raise OSError("will not close") from None

    @do
    def program():
        try:
            yield Await(Steps(steps))
        finally:
            log.append("unwound")

    coroutine = async_run(program())
    assert coroutine.send(None) == "waits"
    coroutine.close()
    assert told == ["will not close"]
    assert log == ["unwound"]


@pytest.mark.parametrize(("handlers", "waits"), [((), False), ((), True), ((scheduler,), False)])
def test_what_is_awaited_may_raise_anything(handlers, waits):
    """Also what closes a coroutine, after it waited: it is an error at the yield."""

    async def leaves(error):
        if waits:
            await asyncio.sleep(0)
        raise error

    @do
    def program():
        seen = []
        for error in (KeyboardInterrupt(), SystemExit(3), asyncio.CancelledError(), ValueError()):
            try:
                yield Await(leaves(error))
            except BaseException as met:
                seen.append(met is error)
        return seen

    async def main():
        return (await async_run(program(), handlers=handlers)).value

    assert asyncio.run(main()) == [True] * 4


def test_a_generator_exit_that_is_raised_after_a_wait_is_raised_at_the_yield():
    async def leaves():
        await asyncio.sleep(0)
        raise GeneratorExit

    @do
    def program():
        try:
            yield Await(leaves())
        except GeneratorExit:
            return "caught"

    async def main():
        return (await async_run(program())).value

    assert asyncio.run(main()) == "caught"


def test_a_run_that_is_dropped_where_it_waits_leaves_nothing():
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)

    def steps(kept):
        yield "waits"
        return kept

    coroutine = async_run(Await(Steps(steps, held)))
    del held
    assert coroutine.send(None) == "waits"
    assert gone() is not None
    del coroutine
    gc.collect()
    assert gone() is None


def test_a_cycle_by_way_of_what_is_awaited_is_collected():
    class Holder:
        def __init__(self):
            self.run = None

        def __await__(self):
            yield "waits"

    holder = Holder()
    holder.run = async_run(Await(holder))
    assert holder.run.send(None) == "waits"
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


def test_what_awaits_its_own_run_is_told():
    coroutine = None

    def steps():
        with pytest.raises(ValueError, match="already executing"):
            coroutine.send(None)
        yield "waits"

    coroutine = async_run(Await(Steps(steps)))
    assert ended(coroutine, None, None) == (["waits"], None)


def test_a_thousand_awaits_in_a_row_wait_for_the_loop_each():
    async def turn():
        await asyncio.sleep(0)
        return 1

    @do
    def program():
        total = 0
        for _ in range(1000):
            total += yield Await(turn())
        return total

    async def run():
        return (await async_run(program())).value

    turns, result = turns_while(run)
    assert result == 1000
    assert turns > 900
