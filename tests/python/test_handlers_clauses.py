"""Semantics 2: value clauses and control clauses, and what is no handler (H-rows of the faults)."""

import functools
import inspect

import pytest

from segue import (
    Delegate,
    Handler,
    K,
    Pass,
    Pure,
    Resume,
    Tell,
    Try,
    UnhandledEffectError,
    WithHandler,
    answers,
    do,
    handles,
    run,
    writer,
)
from vocabulary import Ping, Pong, ask, echo, stop, twice

# Value clauses.


def test_value_clause_answers_with_its_return_value():
    assert run(ask(7), handlers=[echo]).value == 7


def test_value_clause_as_a_generator_runs_outside_its_prompt():
    @answers(Ping)
    def clause(e):
        yield Tell(e.n)
        return e.n + 1

    r = run(twice(), handlers=[writer, clause])
    assert (r.value, list(r.log)) == ((2, 3), [1, 2])


class Callable:
    def __call__(self, e):
        return e.n

    def method(self, e):
        return (yield Pure(e.n))


class GeneratorCallable:
    def __call__(self, e):
        return (yield Pure(e.n))


def generator_clause(e, unused=None):
    return (yield Pure(e.n))


@pytest.mark.parametrize(
    "clause",
    [
        lambda e: e.n,
        generator_clause,
        do(generator_clause),
        functools.partial(generator_clause, unused=1),
        functools.partial(functools.partial(generator_clause), unused=1),
        Callable(),
        Callable().method,
        GeneratorCallable(),
    ],
)
def test_value_clause_may_be_any_callable(clause):
    """Semantics 2: the generator flag is read through partials, methods and `__call__`."""
    assert run(ask(7), handlers=[answers(Ping)(clause)]).value == 7


def test_value_clause_that_fails_is_an_error_at_the_perform():
    error = ValueError("no")

    @answers(Ping)
    def fails(e):
        raise error

    r = run(Try(ask()), handlers=[fails])
    assert r.value.error is error


def test_value_clause_generator_that_fails_is_an_error_at_the_perform():
    @answers(Ping)
    def fails(e):
        yield Pure(None)
        raise ValueError("no")

    @do
    def program():
        try:
            yield Ping()
        except ValueError:
            return (yield Pong())

    @answers(Pong)
    def pong(e):
        return "alive"

    assert run(program(), handlers=[pong, fails]).value == "alive"


def test_h18_program_returned_by_a_value_clause_is_a_plain_value():
    inner = Pure(3)

    @answers(Ping)
    def clause(e):
        return inner

    assert run(ask(), handlers=[clause]).value is inner


def test_value_clause_may_return_delegate_or_pass():
    """Semantics 2: a clause of any form that returns Pass() or Delegate() has it evaluated in its place."""
    for node in (Delegate(), Pass()):

        @answers(Ping)
        def hands_on(e, node=node):
            return node

        assert run(twice(), handlers=[echo, hands_on]).value == (1, 2)


def test_value_clause_generator_may_yield_delegate_or_pass():
    @answers(Ping)
    def delegates(e):
        return (yield Delegate()) + 10

    @answers(Ping)
    def passes(e):
        yield Pass()
        pytest.fail("a clause does not go on after Pass")

    assert run(twice(), handlers=[echo, delegates, passes]).value == (11, 12)


# Control clauses.


@pytest.mark.parametrize("wrap", [handles(Ping), lambda f: f])
def test_h04_plain_return_value_of_a_control_clause_ends_the_block(wrap):
    @wrap
    def clause(e, k):
        return ("ended", e.n)

    @do
    def body():
        yield Ping(4)
        pytest.fail("the body has ended")

    assert run(body(), handlers=[clause]).value == ("ended", 4)


def test_h04_nothing_is_guessed_from_the_signature():
    @answers(Ping)
    def optional(e, k="not given"):
        return k

    @handles(Ping)
    def star(*args):
        return Resume(args[1], len(args))

    assert run(ask(), handlers=[optional]).value == "not given"
    assert run(ask(), handlers=[star]).value == 2


def test_ended_block_is_the_value_of_its_withhandler_only():
    @do
    def program():
        inner = yield WithHandler(stop, ask(1))
        return inner, (yield Ping(2))

    assert run(program(), handlers=[echo]).value == ("stopped", 2)


def test_bare_callable_is_a_control_clause_for_every_effect():
    seen = []

    class Everything:
        def __call__(self, e, k):
            seen.append(type(e))
            return Resume(k, None)

    @do
    def program():
        yield Ping()
        yield Pong()
        yield Tell("x")

    for handler in (Everything(), functools.partial(lambda tag, e, k: Resume(k, None), "tag")):
        assert run(program(), handlers=[handler]).is_ok()
    assert seen == [Ping, Pong, Tell]


def test_h18_own_k_or_a_program_returned_by_a_control_clause_is_a_plain_value():
    inner = Pure(3)

    @handles(Ping)
    def gives_k(e, k):
        return k

    @handles(Ping)
    def gives_program(e, k):
        return inner

    given = run(ask(), handlers=[gives_k]).value
    assert type(given) is K
    assert given.used
    assert run(ask(), handlers=[gives_program]).value is inner


def test_h18_node_for_a_foreign_k_is_a_plain_value():
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @handles(Ping)
    def gives_foreign(e, k):
        return Resume(kept[0], 1)

    @do
    def program():
        yield WithHandler(keeps, ask())
        node = yield WithHandler(gives_foreign, ask())
        assert not kept[0].used
        return (yield node)

    assert run(program()).value == 1


def test_h01_clause_that_raises_with_k_unused_raises_at_the_perform():
    log = []
    error = ValueError("no")

    @handles(Ping)
    def fails(e, k):
        raise error

    @do
    def body():
        try:
            yield Ping()
        except ValueError as e:
            log.append(e)
            raise
        finally:
            log.append("finally")

    assert run(body(), handlers=[fails]).error is error
    assert log == [error, "finally"]


def test_h01_generator_clause_that_raises_with_k_unused_raises_at_the_perform():
    @handles(Ping)
    def fails(e, k):
        yield Tell("before")
        raise ValueError("no")

    @do
    def body():
        try:
            yield Ping()
        except ValueError:
            return "caught"

    assert run(body(), handlers=[writer, fails]).value == "caught"


def test_h01_clause_that_raises_with_k_kept_raises_outward():
    log = []

    @handles(Ping)
    def fails(e, k):
        k.keep()
        raise ValueError("no")

    @do
    def body():
        try:
            yield Ping()
        except ValueError:
            log.append("not here")
        finally:
            log.append("finally")

    @do
    def program():
        try:
            yield WithHandler(fails, body())
        except ValueError:
            return "outside"

    assert run(program()).value == "outside"
    assert log == ["finally"]


def test_h02_clause_that_raises_after_resume_raises_outward():
    log = []

    @handles(Ping)
    def fails(e, k):
        log.append((yield Resume(k, 1)))
        raise ValueError("late")

    @do
    def program():
        try:
            yield WithHandler(fails, ask())
        except ValueError as e:
            return str(e)

    assert run(program()).value == "late"
    assert log == [1]


@pytest.mark.parametrize("wrong", [1, None, "text", object()])
def test_h03_wrong_yield_in_a_clause_is_an_error_at_that_line(wrong):
    @handles(Ping)
    def clause(e, k):
        try:
            yield wrong
        except TypeError as error:
            return Resume(k, type(error))

    assert run(ask(), handlers=[clause]).value is TypeError


def test_h11_stop_iteration_in_a_clause_becomes_runtime_error_at_the_perform():
    stop_iteration = StopIteration("x")

    def plain(e, k=None):
        raise stop_iteration

    def generator(e, k=None):
        yield Pure(None)
        raise stop_iteration

    @do
    def body():
        try:
            yield Ping()
        except RuntimeError as e:
            return e.__cause__

    for handler in (
        answers(Ping)(plain),
        handles(Ping)(plain),
        answers(Ping)(generator),
        handles(Ping)(generator),
    ):
        assert run(body(), handlers=[handler]).value is stop_iteration


# Wrong handlers.


@pytest.mark.parametrize("wrong", [3, None, "text", Pure(1)])
def test_h06_handler_that_is_no_handler_is_a_type_error_at_installation(wrong):
    with pytest.raises(TypeError):
        WithHandler(wrong, Pure(1))
    with pytest.raises(TypeError):
        run(Pure(1), handlers=[wrong])


def test_h06_wrong_marks():
    for build in (
        lambda: answers(3),
        lambda: answers(Ping)(3),
        lambda: handles("x"),
        lambda: handles(Ping)(None),
    ):
        with pytest.raises(TypeError):
            build()


async def async_clause(e, k=None):
    return 1


async def async_generator_clause(e, k=None):
    yield 1


class AsyncCallable:
    async def __call__(self, e, k=None):
        return 1


@pytest.mark.parametrize(
    "clause", [async_clause, async_generator_clause, AsyncCallable(), functools.partial(async_clause)]
)
@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping), lambda f: f])
def test_h07_async_handler_points_at_await(mark, clause):
    with pytest.raises(TypeError, match="Await"):
        WithHandler(mark(clause), ask())


@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping)])
def test_h07_clause_that_returns_a_coroutine_points_at_await_and_closes_it(mark):
    made = []

    @mark
    def clause(e, k=None):
        made.append(async_clause(e))
        return made[0]

    @do
    def body():
        try:
            yield Ping()
        except TypeError as e:
            return str(e)

    assert "Await" in run(body(), handlers=[clause]).value
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED


def test_h21_unhandled_effect_is_raised_at_the_perform_and_says_everything():
    @answers(Pong)
    def inner(e):
        return "pong"

    class Outer(Handler):
        @answers(Pong)
        def pong(self, e):
            return "pong"

    @do
    def body():
        try:
            yield Ping(41)
        except UnhandledEffectError as e:
            return e

    error = run(body(), handlers=[writer, Outer(), inner]).value
    assert error.effect == Ping(41)
    assert list(error.handlers) == ["inner", "Outer", "writer"]
    message = str(error)
    assert "Ping(n=41)" in message
    assert message.index("inner") < message.index("Outer") < message.index("writer")


@pytest.mark.parametrize(("effect", "missing"), [(Tell("x"), "writer")])
def test_h21_missing_built_in_handler_is_named(effect, missing):
    assert missing in str(run(effect, handlers=[echo]).error)


def test_h21_effect_is_unhandled_when_only_a_sibling_handles_it():
    @do
    def program():
        first = yield WithHandler(echo, ask(1))
        try:
            yield Ping(2)
        except UnhandledEffectError:
            return first, "unhandled"

    assert run(program()).value == (1, "unhandled")
