"""Semantics 1: wrong yields and wrong roots, and what each says (P-rows of the faults)."""

import asyncio
import inspect
import re
import traceback

import pytest

from programs_vocabulary import add, async_generator, coroutine, error_at_yield, raw
from segue import Pure, do, run
from vocabulary import Ping, echo

# Wrong yields.


@pytest.mark.parametrize("wrong", [1, None, "text", [1, 2], 2.5, {"a": 1}, (1,)])
def test_p01_plain_value_points_at_pure_and_return(wrong):
    message = str(error_at_yield(wrong))
    assert type(wrong).__name__ in message or repr(wrong) in message
    assert "Pure" in message
    assert "return" in message


@pytest.mark.parametrize("wrong", [Ping, int, asyncio.Future])
def test_p01_class_is_named(wrong):
    assert wrong.__name__ in str(error_at_yield(wrong))


def test_p01_exception_is_named_and_not_raised():
    message = str(error_at_yield(ValueError("not raised")))
    assert "ValueError" in message


def test_p01_the_error_stands_at_the_line_of_the_yield():
    @do
    def program():
        yield Pure(1)
        yield 3

    error = run(program()).error
    assert traceback.extract_tb(error.__traceback__)[-1].line == "yield 3"


def test_p01_uncaught_it_is_the_result():
    def program():
        yield object()

    r = run(program())
    assert isinstance(r.error, TypeError)


def test_p02_coroutine_points_at_await_and_is_closed():
    wrong = coroutine()
    assert "Await" in str(error_at_yield(wrong))
    assert inspect.getcoroutinestate(wrong) == inspect.CORO_CLOSED


def test_p02_async_generator_points_at_await():
    assert "Await" in str(error_at_yield(async_generator()))


def test_p03_do_function_that_was_not_called_is_named():
    message = str(error_at_yield(add))
    assert "add" in message
    assert "call" in message


def test_p03_bare_generator_names_its_function_and_do():
    wrong = raw()
    message = str(error_at_yield(wrong))
    wrong.close()
    assert "raw" in message
    assert "@do" in message


def test_p03_each_mistake_has_a_message_of_its_own():
    generator = raw()
    messages = [str(error_at_yield(wrong)) for wrong in (1, add, generator, coroutine(), Ping)]
    generator.close()
    assert len(set(messages)) == len(messages)


async def fails_in_its_clean_up():
    try:
        await asyncio.sleep(0)
    finally:
        raise OSError("clumsy")


def test_p02_error_of_a_coroutine_that_is_closed_goes_to_the_hook(unraisable):
    wrong = fails_in_its_clean_up()
    wrong.send(None)
    assert "Await" in str(error_at_yield(wrong))
    assert [str(error) for error in unraisable] == ["clumsy"]


def test_p02_other_awaitable_points_at_await():
    class Later:
        def __await__(self):
            yield

    assert "Await" in str(error_at_yield(Later()))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (async_generator, "async generator function async_generator"),
        (len, "callable .*len.*: call it"),
        (ValueError, "exception class ValueError: raise it"),
    ],
)
def test_p03_what_was_not_called_or_raised_is_told_so(wrong, says):
    assert re.search(says, str(error_at_yield(wrong)))


# Wrong roots.


@pytest.mark.parametrize(
    ("root", "names"),
    [
        (3, "3|int"),
        (None, "None"),
        ("text", "text|str"),
        (raw, "raw"),
        (add, "add"),
        (Ping, "Ping"),
        (coroutine, "coroutine"),
        (echo, "echo|handler"),
    ],
)
def test_p17_wrong_root_is_an_error_of_run_itself(root, names):
    with pytest.raises(TypeError, match=names):
        run(root)


def test_p17_function_that_was_not_called_says_so():
    for function in (raw, add):
        with pytest.raises(TypeError, match="call"):
            run(function)


def test_p17_coroutine_is_closed():
    root = coroutine()
    with pytest.raises(TypeError, match="coroutine"):
        run(root)
    assert inspect.getcoroutinestate(root) == inspect.CORO_CLOSED


def test_p17_async_generator():
    with pytest.raises(TypeError, match="async"):
        run(async_generator())


def test_bare_generator_may_be_a_root():
    def answer():
        return (yield Ping(6))

    assert run(answer(), handlers=[echo]).value == 6
