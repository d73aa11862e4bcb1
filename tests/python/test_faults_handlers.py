"""Faults of handlers (H-rows), as far as they do not stand with the laws of handlers."""

import gc
import traceback
import warnings

import pytest

from segue import (
    Discontinue,
    Effect,
    Get,
    GetHandlers,
    Handler,
    Pure,
    Resume,
    Tell,
    UnhandledEffectError,
    WithHandler,
    answers,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, Pong, Tally, ask, echo, guarded


def last_line(error):
    """The line where the traceback of `error` ends."""
    return traceback.extract_tb(error.__traceback__)[-1].line


# H01, H02: a clause that raises.


def test_h01_clause_that_raises_after_letting_k_go_raises_outward_and_no_finally_is_lost():
    log = []
    error = ValueError("no")

    @handles(Ping)
    def fails(e, k):
        yield Discontinue(k)
        log.append("clause")
        raise error

    @do
    def program():
        try:
            yield WithHandler(fails, guarded(log))
        except ValueError as caught:
            log.append(caught)

    assert run(program()).is_ok()
    assert log == ["body", "clause", error]


def test_h02_clause_that_raises_after_resume_does_so_when_the_program_is_finished():
    log = []
    error = ValueError("late")

    @handles(Ping)
    def fails(e, k):
        yield Resume(k, 1)
        raise error

    @do
    def body():
        try:
            yield Ping()
        except ValueError:
            log.append("the body never sees it")
        finally:
            log.append("finally")

    result = run(body(), handlers=[fails])
    assert result.error is error
    assert log == ["finally"]


# H03: what a handler yields.


@pytest.mark.parametrize("wrong", [1, None, "text", object()])
@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping)])
def test_h03_the_error_of_a_wrong_yield_stands_at_that_line_of_the_handler(mark, wrong):
    @mark
    def clause(e, k=None):
        yield Pure(None)
        yield wrong

    error = run(ask(), handlers=[clause]).error
    assert isinstance(error, TypeError)
    assert last_line(error) == "yield wrong"


@pytest.mark.parametrize("name", ["enter", "result", "error", "exit"])
def test_h03_hook_of_a_handler_that_yields_garbage(name):
    def hook(self, *given):
        yield 1

    wrong = type("Wrong", (Handler,), {name: hook})
    program = Pure(1).map(lambda n: n / 0) if name == "error" else Pure(1)
    error = run(program, handlers=[wrong()]).error
    assert isinstance(error, TypeError)
    assert last_line(error) == "yield 1"


# H04: plain functions.


def test_h04_generator_that_a_plain_function_returns_is_a_value():
    """Whether a clause is a program is read where it is written, not from what it returns."""

    def numbers():
        yield 1

    made = numbers()

    @answers(Ping)
    def clause(e):
        return made

    assert run(ask(), handlers=[clause]).value is made
    assert list(made) == [1]


# H06, H07: what is no handler.


def test_h06_wrong_handler_in_a_list_installs_none_of_them():
    entered = []

    class Enters(Handler):
        def enter(self):
            entered.append(self)

    for wrong in (3, None):
        with pytest.raises(TypeError):
            run(Pure(1), handlers=[Enters(), wrong, Enters()])
    assert entered == []


@pytest.mark.parametrize("mark", [answers(Ping), handles(Ping)])
def test_h07_no_coroutine_of_a_handler_is_left_never_awaited(mark):
    async def late(e):
        raise AssertionError("nobody awaits this")

    @mark
    def clause(e, k=None):
        return late(e)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert isinstance(run(ask(), handlers=[clause]).error, TypeError)
        gc.collect()
    assert caught == []


# H09: effects that lie or fail.


class Rude(Effect[int]):
    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_h09_rude_effect_that_nobody_handles_is_an_unhandled_effect():
    error = run(Rude(), handlers=[echo]).error
    assert isinstance(error, UnhandledEffectError)
    assert "Rude" in str(error)


def test_h09_native_handlers_read_the_fields_of_a_rude_effect():
    class RudeGet(Get):
        __getattribute__ = Rude.__getattribute__

    assert run(RudeGet("n"), handlers=[state({"n": 1})]).value == 1


# H11, H12.


def test_h11_stop_iteration_of_a_clause_that_used_its_k_goes_outward_as_a_runtime_error():
    stop = StopIteration("x")

    @handles(Ping)
    def clause(e, k):
        yield Resume(k, 1)
        raise stop

    error = run(ask(), handlers=[clause]).error
    assert type(error) is RuntimeError
    assert error.__cause__ is stop


def test_h12_two_handlers_that_ask_each_other_come_to_an_end():
    """A clause stands outside of its prompt: each of the two answers at most once, whichever is inside."""

    @answers(Ping)
    def ping(e):
        return (yield Pong())

    @answers(Pong)
    def pong(e):
        return (yield Ping(e.text == "again"))

    for handlers, left in (([ping, pong], Pong()), ([pong, ping], Ping(False))):
        for first in (Ping(1), Pong("again")):
            error = run(first, handlers=handlers).error
            assert isinstance(error, UnhandledEffectError)
            assert type(error.effect) in {type(left), type(first)}


# H14: nested runs.


def test_h14_nested_run_has_the_handlers_that_are_passed_to_it():
    @answers(Pong)
    def clause(e):
        visible = yield GetHandlers()
        return run(ask(1)), run(ask(1), handlers=list(reversed(visible)))

    bare, granted = run(Pong(), handlers=[Tally(), echo, clause]).value[1]
    assert isinstance(bare.error, UnhandledEffectError)
    assert granted.value == ([], 1)


def test_h14_nested_run_leaves_the_run_around_it_alone():
    @handles(Ping)
    def clause(e, k):
        inner = run(Tell("inner"), handlers=[writer])
        yield Tell("outer")
        return Resume(k, list(inner.log))

    result = run(ask(), handlers=[writer, clause])
    assert (result.value, list(result.log)) == (["inner"], ["outer"])


# H21: unhandled effects.


def test_h21_traceback_of_an_unhandled_effect_ends_at_the_yield():
    @do
    def program():
        yield Pure(None)
        yield Ping(3)

    assert last_line(run(program()).error) == "yield Ping(3)"


def test_h21_what_is_shown_of_the_effect_is_bounded():
    error = run(Pong("x" * 1_000_000), handlers=[echo]).error
    assert "Pong(text='xxx" in str(error)
    assert len(str(error)) < 500
    assert error.effect == Pong("x" * 1_000_000)
