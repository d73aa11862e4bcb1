"""Semantics 8: `aiter` and `acontext`, and `await_handler`, which awaits in a plain `run`."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from async_vocabulary import (
    ASYNCIO,
    CANCELLED,
    after,
    asyncios,
    cancelled_at,
    child,
    forever,
    loops,
    raises,
    set_then,
    value,
)
from segue import (
    Await,
    Pure,
    Put,
    Spawn,
    Tell,
    Try,
    UnhandledEffectError,
    Wait,
    acontext,
    aiter,  # noqa: A004 - what Python calls it
    async_run,
    await_handler,
    do,
    run,
    scheduler,
    state,
    timeout,
    writer,
)

scripts = pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "scheduler"])


def script(program, handlers=(), **options):
    return run(program, handlers=[await_handler(), *handlers], **options)


async def letters(loop, log, count=3):
    try:
        for letter in "abc"[:count]:
            await loop.sleep(0)
            yield letter
    finally:
        await loop.at_rest(after(loop, 0))
        log.append("closed")


@asynccontextmanager
async def resource(loop, log):
    await loop.sleep(0)
    try:
        yield "resource"
    except BaseException as error:
        log.append(type(error))
        raise
    finally:
        await loop.at_rest(after(loop, 0))
        log.append("left")


@loops
@pytest.mark.parametrize("count", [0, 1, 3])
def test_aiter_runs_a_program_for_each(loop, count):
    log = []

    def note(letter):
        return Await(after(loop, 0, letter)).map(log.append)

    assert value(loop, aiter(letters(loop, log, count), note)) is None
    assert log == [*"abc"[:count], "closed"]


@loops
def test_aiter_closes_the_generator_when_the_program_fails(loop):
    log, error = [], ValueError("b")

    @do
    def fails(letter):
        yield Pure(log.append(letter))
        if letter == "b":
            raise error

    assert value(loop, Try(aiter(letters(loop, log), fails))).error is error
    assert log == ["a", "b", "closed"]


@loops
def test_aiter_of_two_tasks_overlap(loop):
    log = []

    @do
    def program():
        tasks = []
        for name in "xy":
            notes = aiter(letters(loop, []), lambda letter, name=name: Pure(log.append(name + letter)))
            tasks.append((yield Spawn(notes)))
        for task in tasks:
            yield Wait(task)

    value(loop, program())
    assert sorted(log) == ["xa", "xb", "xc", "ya", "yb", "yc"]
    assert log != sorted(log)


@loops
def test_aiter_is_cancelled_where_it_awaits(loop):
    log = []

    async def endless(ready):
        try:
            yield 1
            await set_then(ready, forever(loop))
        finally:
            log.append("closed")

    assert cancelled_at(loop, lambda ready: aiter(endless(ready), lambda n: Pure(log.append(n)))) is CANCELLED
    assert log == [1, "closed"]


class Forever:
    """An asynchronous iterable that has no `aclose`."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        return 1


@loops
def test_aiter_stops_by_an_error_of_the_program(loop):
    assert isinstance(
        value(loop, Try(aiter(Forever(), lambda _: Pure(1).map(lambda n: n / 0)))).error, ZeroDivisionError
    )


@loops
def test_acontext_gives_the_resource_and_leaves_it(loop):
    log = []
    assert value(loop, acontext(resource(loop, log), lambda got: Await(after(loop, 0, got.upper())))) == "RESOURCE"
    assert log == ["left"]


@loops
def test_acontext_leaves_after_an_error_and_may_swallow_it(loop):
    log, error = [], ValueError("x")

    class Swallows:
        async def __aenter__(self):
            return self

        async def __aexit__(self, cls, raised, traceback):
            await loop.sleep(0)
            log.append((cls, raised, traceback is not None))
            return True

    assert value(loop, Try(acontext(resource(loop, log), lambda _: Await(raises(loop, error))))).error is error
    assert log == [ValueError, "left"]
    assert value(loop, acontext(Swallows(), lambda _: Await(raises(loop, error)))) is None
    assert log[2:] == [(ValueError, error, True)]


@asyncios
def test_acontext_holds_the_scopes_of_the_loop_around_programs(loop):
    """Semantics 8: cancel scopes are left where they were entered: a task group of anyio, in root and task."""
    import anyio

    log = []

    @do
    def uses(group):
        yield Await(begins(group))
        yield Await(after(loop, 0.001))

    async def begins(group):
        group.start_soon(noted, "in the group")

    async def noted(text):
        log.append(text)

    @do
    def program():
        yield acontext(anyio.create_task_group(), uses)
        task = yield Spawn(acontext(anyio.create_task_group(), uses))
        yield Wait(task)

    value(loop, program())
    assert log == ["in the group", "in the group"]


@loops
def test_acontext_is_left_when_its_task_times_out(loop):
    log = []
    program = Try(timeout(0.005, acontext(resource(loop, log), lambda _: Await(forever(loop)))))
    assert isinstance(value(loop, program).error, TimeoutError)
    assert log[-1] == "left"


@pytest.mark.parametrize("wrong", [3, [1], None])
def test_arguments_are_checked_at_once(wrong):
    for combinator, right in ((aiter, Forever()), (acontext, resource(ASYNCIO, []))):
        with pytest.raises(TypeError, match="asynchronous"):
            combinator(wrong, Tell)
        with pytest.raises(TypeError, match="function"):
            combinator(right, wrong)


# In a plain `run`.


@scripts
def test_script_awaits(handlers):
    @do
    def program():
        first = yield Await(after(ASYNCIO, 0, 1))
        yield Put("n", first)
        yield Tell((yield Await(after(ASYNCIO, 0, 2))))
        caught = yield Try(Await(raises(ASYNCIO, ValueError("x"))))
        return first, repr(caught)

    result = script(program(), [*handlers, state, writer])
    assert (result.value, list(result.log)) == ((1, "Err(ValueError('x'))"), [2])


@scripts
def test_script_uses_aiter_and_acontext(handlers):
    log = []
    noted = aiter(letters(ASYNCIO, log), lambda letter: Pure(log.append(letter)))
    script(acontext(resource(ASYNCIO, log), lambda _: noted), handlers)
    assert log == ["a", "b", "c", "closed", "left"]


def test_all_awaits_of_a_script_are_in_one_loop():
    async def which():
        return asyncio.get_running_loop()

    @do
    def program():
        task = yield Spawn(Await(which()))
        return {(yield Await(which())), (yield Wait(task))}

    (loop,) = script(program(), [scheduler]).value
    assert loop.is_closed()


def test_script_inside_of_a_loop_is_a_runtime_error_at_the_yield():
    async def main():
        return script(Try(Await(Forever()))).value

    assert isinstance(asyncio.run(main()).error, RuntimeError)


@pytest.mark.parametrize("handlers", [[], [scheduler]], ids=["alone", "scheduler"])
def test_plain_run_says_which_handler_is_missing(handlers):
    """Semantics 8: "`Await` needs the handler that owns an event loop; without it the error says so"."""
    error = run(Await(Forever()), handlers=handlers).error
    assert isinstance(error, UnhandledEffectError)
    assert "await_handler()" in str(error)


def test_loop_of_a_script_is_closed_as_asyncio_run_does_it():
    """What was started beside is cancelled and ends, asynchronous generators are closed, and nothing warns."""
    said = child("""
        async def beside():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)
                print("beside ended")

        async def letters():
            try:
                yield "a"
                yield "b"
            finally:
                await asyncio.sleep(0)
                print("generator closed")

        async def starts():
            kept.append(asyncio.create_task(beside()))
            await asyncio.sleep(0)
            kept.append(letters())
            return await anext(kept[-1])

        kept = []
        assert run(Await(starts()), handlers=[await_handler()]).value == "a"
        kept.clear()
        gc.collect()
    """)
    assert said.splitlines() == ["beside ended", "generator closed"]


def test_async_run_prefers_a_handler_of_its_own():
    """One that is installed answers before the loop around does: here it cannot, and says so."""

    async def main():
        return await async_run(Try(Await(Forever())), handlers=[await_handler()])

    assert isinstance(asyncio.run(main()).value.error, RuntimeError)
