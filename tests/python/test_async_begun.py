"""Semantics 8: without a scheduler an await is begun where it is performed, as by `await`: no turn if it is ready."""

import asyncio
import gc
import traceback
import types

import pytest

from async_vocabulary import ASYNCIO, TRIO, after, asyncios, forever, frames, loops, value
from segue import (
    Await,
    PythonAsyncSyntaxEscape,
    RunClosedError,
    Spawn,
    Try,
    Yield,
    async_run,
    do,
    scheduler,
    task_group,
    timeout,
)

with_and_without = pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "with a scheduler"])


def come_to(loop, program, handlers):
    async def main():
        return (await async_run(program, handlers=handlers)).value

    return loop.run(main)


@loops
def test_what_is_ready_takes_no_turn_of_the_loop(loop):
    turns = []

    async def ready(value):
        return value

    @do
    def program():
        loop.soon(lambda: turns.append("turn"))
        first, second = (yield Await(ready(1))), (yield Await(ready(2)))
        return first, second, list(turns)

    assert come_to(loop, program(), []) == (1, 2, [])


@loops
@with_and_without
def test_what_waits_goes_on_where_it_was_begun(loop, handlers):
    log = []

    async def works():
        log.append("begins")
        for n in range(3):
            await loop.sleep(0)
            log.append(n)
        return "done"

    assert come_to(loop, Await(works()), handlers) == "done"
    assert log == ["begins", 0, 1, 2]


@loops
@with_and_without
@pytest.mark.parametrize("turns", [0, 2])
def test_its_error_is_raised_at_the_yield(loop, handlers, turns):
    async def fails():
        for _ in range(turns):
            await loop.sleep(0)
        raise KeyError("no")

    @do
    def program():
        try:
            yield Await(fails())
        except KeyError as error:
            return frames(error)

    assert come_to(loop, program(), handlers) == ["program", "fails"]


@loops
def test_time_limit_is_raised_in_what_had_begun_and_its_clean_up_awaits(loop):
    log = []

    async def works():
        try:
            await forever(loop)
        finally:
            await loop.at_rest(after(loop, 0.001))
            log.append("cleaned")

    assert isinstance(value(loop, Try(timeout(0.005, Await(works())))).error, TimeoutError)
    assert log == ["cleaned"]


@asyncios
@with_and_without
def test_cancellation_from_outside_is_raised_in_what_had_begun(loop, handlers):
    log = []

    async def works():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            await asyncio.sleep(0)
            log.append("cleaned")
            raise

    async def main():
        task = asyncio.ensure_future(async_run(Await(works()), handlers=handlers))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.run(main)
    assert log == ["cancelled", "cleaned"]


@asyncios
@with_and_without
def test_what_had_begun_is_closed_with_the_run(loop, handlers):
    log = []

    async def works():
        try:
            await asyncio.Event().wait()
        finally:
            log.append("closed")

    @do
    def program():
        try:
            yield Await(works())
        except RunClosedError:
            log.append("refused")
            raise

    async def main():
        coroutine = async_run(program(), handlers=handlers)
        coroutine.send(None)
        coroutine.close()

    loop.run(main)
    assert "closed" in log


@loops
@with_and_without
def test_what_cannot_be_awaited_is_a_type_error_at_the_yield(loop, handlers):
    @do
    def program():
        for wrong in (5, None, (n for n in range(3)), "text"):
            outcome = yield Try(Await(wrong))
            assert isinstance(outcome.error, TypeError)
            assert "await" in str(outcome.error)
        return "checked"

    assert come_to(loop, program(), handlers) == "checked"


@with_and_without
def test_coroutine_of_generators_and_generators_of_the_loop_are_awaited(handlers):
    @types.coroutine
    def old_style():
        yield from asyncio.sleep(0).__await__()
        return "old"

    async def letters():
        yield "a"

    @do
    def program():
        return (yield Await(old_style())), (yield Await(anext(letters())))

    assert come_to(ASYNCIO, program(), handlers) == ("old", "a")


@with_and_without
def test_under_trio_scopes_may_be_entered_by_what_is_awaited(handlers):
    """An await of the scheduler's stands in a scope there: it is not begun before that is entered."""
    import trio

    async def works():
        with trio.move_on_after(0.001):
            await trio.sleep_forever()
        return "moved on"

    assert come_to(TRIO, Await(works()), handlers) == "moved on"


@asyncios
@with_and_without
@pytest.mark.parametrize("takes", [lambda box: Await(box.pop()), lambda box: PythonAsyncSyntaxEscape(box.pop)])
@pytest.mark.parametrize("is_a_task", [True, False])
def test_coroutine_that_somebody_awaits_is_left_to_its_owner(loop, handlers, takes, is_a_task):
    async def sleeps():
        await asyncio.sleep(0.01)
        return "owned"

    async def awaits(box):
        return await box.pop()

    @do
    def program():
        coroutine = sleeps()
        own, other = [coroutine], [coroutine]
        del coroutine
        owner = asyncio.get_running_loop().create_task(own.pop() if is_a_task else awaits(own))
        yield Await(asyncio.sleep(0))
        taken = yield Try(takes(other))
        return str(taken.error), (yield Await(owner))

    assert come_to(loop, program(), handlers) == ("coroutine is being awaited already", "owned")


@loops
def test_what_is_always_ready_holds_up_no_time_limit_and_no_task(loop):
    log = []

    async def ready():
        pass

    @do
    def hogs():
        while True:
            yield Await(ready())

    @do
    def other():
        log.append("other")
        yield Yield()

    @do
    def program():
        yield Spawn(other())
        return (yield Try(timeout(0.02, hogs()))).error

    assert isinstance(value(loop, program()), TimeoutError)
    assert log == ["other"]


@loops
def test_failure_of_a_task_in_the_same_turn_cancels_what_the_root_awaits_and_its_clean_up_awaits(loop):
    log = []

    async def works():
        log.append("begun")
        try:
            await forever(loop)
        finally:
            await loop.at_rest(after(loop, 0))
            log.append("cleaned")

    @do
    def fails():
        raise ValueError("child")
        yield

    @do
    def body(group):
        yield group.spawn(fails())
        yield Await(works())

    error = value(loop, Try(task_group(body))).error
    assert isinstance(error, ExceptionGroup)
    assert log in ([], ["begun", "cleaned"]), "it is not begun, or it is cleaned up"


@loops
@with_and_without
def test_what_making_an_await_raises_is_raised_at_the_yield_and_made_once(loop, handlers):
    made = []

    class Refuses:
        def __await__(self):
            made.append("once")
            raise KeyError("no")

    @do
    def program():
        return type((yield Try(Await(Refuses()))).error)

    assert come_to(loop, program(), handlers) is KeyError
    assert made == ["once"]


def settled(how):
    """Make a future that is done, in this way."""
    future = asyncio.get_running_loop().create_future()
    match how:
        case "value":
            future.set_result("value")
        case "error":
            future.set_exception(KeyError("no"))
        case "cancelled":
            future.cancel("no more")
    return future


async def task_of(future):
    """Make a task that has come to the same."""
    task = asyncio.ensure_future(asyncio.gather(future))
    await asyncio.wait([task])
    return task


class Subclass(asyncio.Future):
    """Its class has a table of its own."""

    def done(self):
        raise AssertionError("nobody asks a future by its name")

    result = done


@with_and_without
@pytest.mark.parametrize("form", ["future", "task", "subclass"])
@pytest.mark.parametrize("how", ["value", "error", "cancelled"])
def test_futures_that_are_done_give_what_await_gives(how, form, handlers):
    async def outcome(awaited):
        try:
            return await awaited
        except (KeyError, asyncio.CancelledError) as error:
            return type(error), error.args

    @do
    def program(awaited):
        try:
            return (yield Await(awaited))
        except (KeyError, asyncio.CancelledError) as error:
            return type(error), error.args

    async def made():
        future = settled(how)
        if form == "subclass":
            future = Subclass()
            future.set_result("value") if how == "value" else future.cancel("no more")
        return await task_of(future) if form == "task" else future

    async def main():
        return await outcome(await made()), (await async_run(program(await made()), handlers=handlers)).value

    plain, run = asyncio.run(main())
    assert run == plain


@with_and_without
@pytest.mark.parametrize("how", ["error", "cancelled"])
def test_what_a_task_failed_with_comes_whole(how, handlers):
    """Semantics 4: its traceback, cause and context are those that `await` gives, on the short way too."""

    async def raises():
        raise ValueError("failed") from KeyError("why")

    async def is_cancelled():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise asyncio.CancelledError("its own") from KeyError("why")

    async def ready():
        return 1

    async def failed():
        task = asyncio.ensure_future(raises() if how == "error" else is_cancelled())
        await asyncio.sleep(0)
        task.cancel("from outside")
        await asyncio.wait([task])
        return task

    def shown(error):
        frames = [entry.name for entry in traceback.extract_tb(error.__traceback__)][1:]
        return type(error), error.args, frames, repr(error.__cause__), repr(error.__context__)

    async def awaited(task):
        try:
            await task
        except BaseException as error:
            return shown(error)

    @do
    def program(task):
        yield Await(ready())
        yield Await(ready())
        try:
            yield Await(task)
        except BaseException as error:
            return shown(error)

    async def main():
        plain = await awaited(await failed())
        return plain, (await async_run(program(await failed()), handlers=handlers)).value

    plain, run = asyncio.run(main())
    assert run == plain
    assert plain[2] == ["raises" if how == "error" else "is_cancelled"]


class Stops:
    """A mistake in what makes it an awaitable."""

    def __await__(self):
        raise StopIteration(5)


@with_and_without
@pytest.mark.parametrize(
    "effect", [Await(Stops()), PythonAsyncSyntaxEscape(lambda: next(iter([])))], ids=["await", "action"]
)
def test_a_stop_iteration_is_no_answer(effect, handlers):
    """Semantics 2: one that leaves a function called by the machine is a `RuntimeError`, and it is the cause."""

    async def main():
        return await async_run(effect, handlers=handlers)

    error = asyncio.run(main()).error
    assert type(error) is RuntimeError
    assert type(error.__cause__) is StopIteration


@with_and_without
def test_futures_that_are_pending_are_waited_for(handlers):
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, "late")
        return (await async_run(Await(future), handlers=handlers)).value

    assert asyncio.run(main()) == "late"


@with_and_without
def test_a_failed_future_that_is_awaited_counts_as_looked_at(handlers):
    told = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))
        await async_run(Try(Await(settled("error"))), handlers=handlers)
        gc.collect()

    asyncio.run(main())
    assert told == []


@loops
@with_and_without
def test_a_coroutine_that_ended_cannot_be_awaited_again(loop, handlers):
    async def ready():
        return 1

    @do
    def program():
        coroutine = ready()
        first = yield Await(coroutine)
        return first, (yield Try(Await(coroutine)))

    first, second = come_to(loop, program(), handlers)
    assert first == 1
    assert isinstance(second.error, RuntimeError)
    assert "cannot reuse already awaited coroutine" in str(second.error)


@asyncios
@with_and_without
def test_coroutine_that_is_half_done_is_left_alone_whoever_holds_it(loop, handlers):
    @types.coroutine
    def turn():
        yield

    async def works():
        await turn()
        return "done"

    def half():
        coroutine = works()
        coroutine.send(None)
        return coroutine

    @do
    def program():
        alone = yield Try(Await(half()))
        held = half()
        return [str(taken.error) for taken in (alone, (yield Try(Await(held))))]

    assert come_to(loop, program(), handlers) == ["coroutine is being awaited already"] * 2
