"""Semantics 5: programs that await."""

import asyncio

import pytest

from running_vocabulary import action, pings, raises
from segue import (
    Ask,
    Get,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    Tell,
    Try,
    answers,
    async_run,
    do,
    reader,
    run,
    state,
    writer,
)
from vocabulary import Ping, ask, echo


async def later(value):
    await asyncio.sleep(0)
    return value


async def later_raises(error):
    await asyncio.sleep(0)
    raise error


def test_run_refuses_the_async_escape_at_the_yield():
    """Semantics 5: a TypeError, catchable there."""

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except TypeError as e:
            return "async_run" in str(e)

    assert run(program()).value is True


def test_async_run_awaits_the_action():
    @do
    def program():
        first = yield PythonAsyncSyntaxEscape(lambda: later(1))
        second = yield PythonAsyncSyntaxEscape(lambda: later(2))
        return first, second

    assert asyncio.run(async_run(program())).value == (1, 2)


def test_error_of_the_awaitable_is_raised_at_the_yield():
    error = ValueError("x")

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(lambda: later_raises(error))
        except ValueError as e:
            return e

    assert asyncio.run(async_run(program())).value is error


@pytest.mark.parametrize("wrong", [lambda: 3, lambda: None])
def test_action_that_gives_no_awaitable_is_a_type_error_at_the_yield(wrong):
    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(wrong)
        except TypeError:
            return "caught"

    assert asyncio.run(async_run(program())).value == "caught"


def test_action_that_raises_is_an_error_at_the_yield():
    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except AssertionError as e:
            return str(e)

    assert "never calls" in asyncio.run(async_run(program())).value


def test_clause_may_await():
    @answers(Ping)
    def awaits(e):
        return (yield PythonAsyncSyntaxEscape(lambda: later(e.n)))

    assert asyncio.run(async_run(pings(3).flat_map(lambda _: ask(5)), handlers=[awaits])).value == 5


def test_programs_of_one_loop_run_side_by_side():
    events = []

    @do
    def program(name):
        for n in range(3):
            yield PythonAsyncSyntaxEscape(lambda: later(None))
            events.append((name, n))
        return name

    async def main():
        return await asyncio.gather(*(async_run(program(name)) for name in "ab"))

    assert [r.value for r in asyncio.run(main())] == ["a", "b"]
    assert events[:2] == [("a", 0), ("b", 0)]


@do
def everything():
    yield Put("n", (yield Get("n")) + 1)
    yield Tell((yield Ask("who")))
    caught = yield Try(Ping(1))
    return caught, (yield Get("n"))


@pytest.mark.parametrize("program", [everything(), ask(3), raises(ValueError("x")), Pure(1), Get("missing")])
def test_same_program_gives_the_same_from_both(program):
    """Semantics 5: same program, no await: same result from `run` and `async_run`."""
    options = {"handlers": [state, writer, reader, echo], "env": {"who": "me"}, "store": {"n": 1}}
    a, b = run(program, **options), asyncio.run(async_run(program, **options))
    assert a.is_ok() == b.is_ok()
    if a.is_ok():
        assert a.value == b.value
    else:
        assert (type(a.error), a.error.args) == (type(b.error), b.error.args)
    assert (a.raw_store, list(a.log), a.usage.steps) == (b.raw_store, list(b.log), b.usage.steps)


def test_async_run_raises_base_exceptions_with_the_result():
    class Leave(BaseException):
        pass

    with pytest.raises(Leave) as caught:
        asyncio.run(async_run(raises(Leave()), handlers=[writer]))
    assert list(caught.value.run_result.log) == ["told"]


def test_async_run_checks_its_arguments():
    with pytest.raises(TypeError):
        asyncio.run(async_run(3))


def test_bare_generator_may_be_the_root_of_async_run():
    def program():
        return (yield Ping(4))

    assert asyncio.run(async_run(program(), handlers=[echo])).value == 4
