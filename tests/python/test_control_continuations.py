"""Semantics 2 and 3: what a program can ask of its place, created continuations, and Inherit."""

import pytest

from control_vocabulary import refused
from segue import (
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    Err,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Inherit,
    Ok,
    Pure,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Seal,
    SegueError,
    Transfer,
    Try,
    UnhandledEffectError,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    run,
)
from vocabulary import Fork, Ping, Pong, ask, echo, keeper, pong, twice

# GetContinuation, GetHandlers, GetExecutionContext.


def test_get_continuation_is_the_clauses_own_k():
    @do
    def helper():
        return (yield GetContinuation())

    def clause(e, k):
        assert (yield GetContinuation()) is k
        assert (yield helper()) is k
        return Resume(k, "same")

    assert run(ask(), handlers=[clause]).value == "same"


def test_value_clause_has_no_continuation():
    @answers(Ping)
    def clause(e):
        return (yield refused(GetContinuation()))

    assert issubclass(run(ask(), handlers=[clause]).value, SegueError)


def test_get_handlers_of_the_place_where_it_is_yielded():
    """Semantics 2: innermost first; a clause stands outside its own prompt."""
    seen = []

    @handles(Ping)
    def clause(e, k):
        seen.append((yield GetHandlers()))
        seen.append((yield GetHandlers(k)))
        return Resume(k, None)

    @do
    def body():
        yield Ping()
        return (yield GetHandlers())

    visible = run(body(), handlers=[echo, clause, pong]).value
    assert list(visible) == [pong, clause, echo]
    assert [list(s) for s in seen] == [[echo], [pong, clause]]


def test_get_execution_context_names_what_runs_here():
    """Semantics 2: a snapshot of the programs, clauses and handlers from here outward, with file and line."""

    @do
    def innermost():
        return (yield GetExecutionContext())

    @handles(Ping)
    def some_clause(e, k):
        context = yield innermost()
        return Resume(k, context)

    @do
    def outermost():
        return (yield WithHandler(some_clause, ask()))

    text = str(run(outermost(), handlers=[pong]).value)
    for name in ("innermost", "some_clause", "outermost", "pong", "test_control_continuations.py"):
        assert name in text
    assert text.index("innermost") < text.index("some_clause") < text.index("outermost")


def test_get_execution_context_of_a_clause_whose_block_is_over_names_the_effect():
    @handles(Ping)
    def some_clause(e, k):
        yield Resume(k, 1)
        return (yield GetExecutionContext())

    text = str(run(ask(), handlers=[some_clause]).value)
    assert "a clause for Ping" in text
    assert "some_clause for" not in text


# Created continuations.


def test_created_continuation_is_kept_and_runs_when_resumed():
    log = []

    @do
    def body():
        log.append("runs")
        return (yield Ping(3))

    @do
    def program():
        k = yield CreateContinuation(body(), [echo])
        log.append((k.used, k.kept))
        return (yield Resume(k, None))

    assert run(program()).value == 3
    assert log == [(False, True), "runs"]


@pytest.mark.parametrize("handlers", [[echo, pong], (echo, pong), echo | pong])
def test_created_continuation_takes_handlers_like_run(handlers):
    @do
    def body():
        return (yield GetHandlers()), (yield Ping(3))

    @do
    def program():
        k = yield CreateContinuation(body(), handlers)
        return (yield ResumeContinuation(k, None))

    visible, answer = run(program()).value
    assert (list(visible), answer) == ([pong, echo], 3)


def test_first_value_of_a_created_continuation_must_be_none():
    """Semantics 2: else a TypeError at the yield, and `k` stays usable."""

    @do
    def program():
        k = yield CreateContinuation(Pure("ran"), [])
        for node in (Resume, ResumeContinuation):
            try:
                yield node(k, 1)
            except TypeError:
                assert not k.used
        return (yield ResumeContinuation(k, None))

    assert run(program()).value == "ran"


def test_created_continuation_suspends_and_goes_on_like_any_other():
    kept = []

    @do
    def program():
        k = yield CreateContinuation(twice(), [keeper(kept)])
        a = yield Resume(k, None)
        b = yield Resume(kept[0], 10)
        c = yield Resume(kept[1], 20)
        return a, b, c

    assert run(program()).value == ("kept", "kept", (10, 20))


def test_throwing_into_an_unstarted_one_runs_nothing():
    ran = []

    @do
    def program():
        k = yield CreateContinuation(Call(lambda: ran.append(1)), [echo])
        return (yield Try(ResumeThrow(k, ValueError("x")))), k.used

    result, used = run(program()).value
    assert isinstance(result, Err)
    assert result.error.args == ("x",)
    assert used
    assert ran == []


def test_discontinuing_an_unstarted_one_runs_nothing():
    ran = []

    @do
    def program():
        k = yield CreateContinuation(Call(lambda: ran.append(1)), [echo])
        return (yield Discontinue(k)), k.used

    assert run(program()).value == (None, True)
    assert ran == []


def test_unstarted_one_that_nobody_resumes_runs_nothing():
    ran = []
    kept = []

    @do
    def program():
        kept.append((yield CreateContinuation(Call(lambda: ran.append(1)), [echo])))

    r = run(program())
    assert (r.is_ok(), ran, list(r.unobserved)) == (True, [], [])


def test_clause_may_transfer_to_a_created_continuation():
    log = []

    @handles(Pong)
    def replace(e, k):
        other = yield CreateContinuation(ask(5), [echo])
        yield Transfer(other, None)

    @do
    def body():
        try:
            yield Pong()
        finally:
            log.append("closed")

    assert run(body(), handlers=[replace]).value == 5
    assert log == ["closed"]


# Inherit.


@handles(Fork)
def spawns(e, k):
    value = yield Try(Inherit(k, e.program))
    return Resume(k, value)


@do
def parent(program):
    return (yield Fork(program))


def test_inherit_runs_a_program_inside_the_handlers_of_k():
    @answers(Ping)
    def outside(e):
        return "outside"

    assert run(parent(ask(5)), handlers=[outside, spawns, echo]).value == Ok(5)
    assert run(parent(ask(5)), handlers=[outside, spawns]).value == Ok("outside")


def test_inherit_keeps_the_order_of_handlers():
    @answers(Ping)
    def plus(e):
        return (yield Delegate()) + 1

    @answers(Ping)
    def times(e):
        return (yield Delegate()) * 2

    assert run(parent(ask(5)), handlers=[spawns, echo, plus, times]).value == Ok(12)
    assert run(parent(ask(5)), handlers=[spawns, echo, times, plus]).value == Ok(11)


def test_inherit_copies_interceptors_and_walls_of_k():
    """Semantics 2: Inherit copies the walls inside `k`."""
    seen = []

    def sees(e):
        seen.append(type(e))
        return e

    inside = WithHandler(spawns, WithHandler(echo, WithIntercept(sees, parent(ask(5)))))
    assert run(inside).value == Ok(5)
    assert seen == [Fork, Ping]
    walled = WithHandler(echo, WithHandler(spawns, Seal([Fork], parent(ask(5)))))
    assert isinstance(run(walled).value.error, UnhandledEffectError)


def test_inherit_leaves_k_usable():
    assert run(parent(Pure(1)), handlers=[spawns]).value == Ok(1)
