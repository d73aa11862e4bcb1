"""Semantics 2 and 3: what a clause can do with its `k`, with its effect and with other continuations."""

import contextlib

import pytest

from segue import (
    Call,
    ContinuationError,
    CreateContinuation,
    Delegate,
    Discontinue,
    Discontinued,
    Effect,
    Err,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Handler,
    Inherit,
    Ok,
    Pass,
    Pure,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Seal,
    SegueError,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    UnhandledEffectError,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    run,
    writer,
)


class Ping(Effect[int]):
    n: int = 0


class Pong(Effect[str]):
    text: str = ""


class Fork(Effect[object]):
    program: object


@do
def ask(n=0):
    return (yield Ping(n))


@do
def twice():
    return (yield Ping(1)), (yield Ping(2))


@do
def catches():
    """Gives what an error at the perform says."""
    try:
        return (yield Ping())
    except Exception as e:
        return f"{type(e).__name__}: {e}"


@do
def guarded(log, name="body"):
    """Notes the answer and, in `finally`, that it was closed."""
    try:
        v = yield Ping()
        log.append((name, v))
        return (name, v)
    finally:
        log.append((name, "closed"))


@answers(Ping)
def echo(e):
    return e.n


@answers(Pong)
def pong(e):
    return "pong"


def refused(node):
    """A program that gives the type of the SegueError that `node` raises at its yield."""

    @do
    def program():
        try:
            yield node
        except SegueError as e:
            return type(e)

    return program()


class Results(Handler):
    """Accepts nothing; shows what passes `result`."""

    def result(self, value):
        return ("result", value)


# Resume.


def plain_resume(e, k):
    return Resume(k, e.n * 10)


def generator_resume(e, k):
    return (yield Resume(k, e.n * 10))


def generator_returns_resume(e, k):
    yield Pure(None)
    return Resume(k, e.n * 10)


def method_resume(e, k):
    return k.resume(e.n * 10)


def plain_transfer(e, k):
    return Transfer(k, e.n * 10)


def generator_transfer(e, k):
    yield Transfer(k, e.n * 10)


def resume_continuation(e, k):
    return ResumeContinuation(k, e.n * 10)


def keeps_and_resumes(e, k):
    return k.keep().resume(e.n * 10)


@pytest.mark.parametrize(
    "clause",
    [
        plain_resume,
        generator_resume,
        generator_returns_resume,
        method_resume,
        plain_transfer,
        generator_transfer,
        resume_continuation,
        keeps_and_resumes,
        do(plain_resume),
        do(generator_resume),
    ],
)
@pytest.mark.parametrize("wrap", [handles(Ping), lambda f: f])
def test_every_form_of_tail_resume_gives_the_same(wrap, clause):
    """Semantics 2: `return Resume(k, v)` is the tail resume, in plain and generator clauses."""
    assert run(twice(), handlers=[wrap(clause)]).value == (10, 20)
    assert run(Results()(WithHandler(wrap(clause), twice()))).value == ("result", (10, 20))


@pytest.mark.parametrize("clause", [plain_resume, generator_resume, plain_transfer])
def test_tail_resume_is_out_of_the_way_of_the_bodys_error(clause):
    error = KeyError("x")

    @do
    def breaks():
        yield Ping()
        raise error

    assert run(breaks(), handlers=[clause]).error is error


def test_resume_that_is_not_last_comes_back_with_the_bodys_value():
    log = []

    def clause(e, k):
        log.append("before")
        r = yield Resume(k, e.n)
        log.append("after")
        return ("handled", r)

    @do
    def body():
        log.append((yield Ping(1)))
        return "body"

    assert run(body(), handlers=[clause]).value == ("handled", "body")
    assert log == ["before", 1, "after"]


def test_resumes_that_are_not_last_unwind_like_calls():
    order = []

    def clause(e, k):
        r = yield Resume(k, e.n)
        order.append(e.n)
        return r

    assert run(twice(), handlers=[clause]).value == (1, 2)
    assert order == [2, 1]


def test_clause_catches_the_bodys_error_around_resume():
    """Semantics 3: an exception of the body reaches a clause that is suspended in `yield Resume`."""
    error = KeyError("x")

    def clause(e, k):
        try:
            yield Resume(k, 1)
        except KeyError as caught:
            return ("caught", caught)

    @do
    def breaks():
        yield Ping()
        raise error

    assert run(breaks(), handlers=[clause]).value == ("caught", error)


def test_with_around_resume_closes_after_the_body():
    log = []

    @contextlib.contextmanager
    def noted():
        log.append("open")
        try:
            yield
        finally:
            log.append("close")

    def clause(e, k):
        with noted():
            return (yield Resume(k, e.n))

    @do
    def body():
        log.append((yield Ping(1)))

    run(body(), handlers=[clause])
    assert log == ["open", 1, "close"]


def test_resume_through_a_helper_of_the_clause():
    @do
    def helper(k):
        return ("helped", (yield Resume(k, 5)))

    def sub(k):
        return ("sub", (yield Resume(k, 5)))

    def by_program(e, k):
        return (yield helper(k))

    def by_yield_from(e, k):
        return (yield from sub(k))

    assert run(ask(), handlers=[by_program]).value == ("helped", 5)
    assert run(ask(), handlers=[by_yield_from]).value == ("sub", 5)


def test_resume_may_happen_under_other_handlers_of_the_clause():
    """Semantics 2: outside of k's prompt are the handlers of the place of the Resume."""

    @answers(Pong)
    def local(e):
        return "local"

    @handles(Ping)
    def clause(e, k):
        return (yield WithHandler(local, Resume(k, 1)))

    @do
    def body():
        before = yield Pong()
        yield Ping()
        return before, (yield Pong())

    assert run(body(), handlers=[pong, clause]).value == ("pong", "local")


def test_kept_k_continues_under_the_handlers_of_the_place_of_the_resume():
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def body():
        yield Ping()
        return (yield Pong())

    def named(name):
        @answers(Pong)
        def clause(e):
            return name

        return clause

    @do
    def program():
        yield WithHandler(named("first"), WithHandler(keeps, body()))
        return (yield WithHandler(named("second"), Resume(kept[0], 1)))

    assert run(program()).value == "second"


# Throwing into k.


@pytest.mark.parametrize("node", [ResumeThrow, TransferThrow, lambda k, exc: k.throw(exc)])
@pytest.mark.parametrize("exc", [ValueError("no"), ValueError])
def test_throw_is_caught_at_the_perform(node, exc):
    """Semantics 2: raising at the perform; an exception class is instantiated."""

    def plain(e, k):
        return node(k, exc)

    def generator(e, k):
        return (yield node(k, exc))

    for clause in (plain, generator):
        assert run(catches(), handlers=[clause]).value.startswith("ValueError")


def test_thrown_exception_keeps_its_identity():
    error = ValueError("no")

    @do
    def body():
        try:
            yield Ping()
        except ValueError as e:
            return e

    def clause(e, k):
        return ResumeThrow(k, error)

    assert run(body(), handlers=[clause]).value is error


def test_resume_throw_that_the_body_does_not_catch_comes_back_to_the_clause():
    log = []

    def clause(e, k):
        try:
            yield ResumeThrow(k, ValueError("no"))
        except ValueError as error:
            return ("back", str(error))

    assert run(guarded(log), handlers=[clause]).value == ("back", "no")
    assert log == [("body", "closed")]


def test_resume_throw_comes_to_what_the_body_returns():
    def clause(e, k):
        return ("handled", (yield ResumeThrow(k, ValueError("no"))))

    assert run(catches(), handlers=[clause]).value == ("handled", "ValueError: no")


def test_transfer_throw_that_the_body_does_not_catch_goes_outward():
    def clause(e, k):
        try:
            yield TransferThrow(k, ValueError("no"))
        except ValueError:
            pytest.fail("the clause has finished")

    assert run(Try(WithHandler(clause, ask()))).value.error.args == ("no",)


@pytest.mark.parametrize("node", [ResumeThrow, TransferThrow])
@pytest.mark.parametrize("wrong", [42, "text", None, int])
def test_throwing_what_is_no_exception_is_a_type_error_and_k_stays(node, wrong):
    """Semantics 2: a non-exception is a TypeError and `k` stays unused."""

    def clause(e, k):
        try:
            yield node(k, wrong)
        except TypeError:
            assert not k.used
            return Resume(k, "fine")

    assert run(ask(), handlers=[clause]).value == "fine"


# Transfer.


def test_transfer_never_comes_back():
    """Semantics 2: Transfer finishes the clause: Discontinued runs its blocks, then control moves."""
    log = []

    def clause(e, k):
        try:
            yield Transfer(k, "moved")
            log.append("never")
        except Discontinued:
            log.append("discontinued")
            raise
        finally:
            log.append("finally")

    assert run(guarded(log), handlers=[clause]).value == ("body", "moved")
    assert log == ["discontinued", "finally", ("body", "moved"), ("body", "closed")]


def test_effects_of_the_clauses_blocks_are_handled_before_control_moves():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Transfer(k, 1)
        finally:
            yield Tell("clause")

    @do
    def body():
        yield Ping()
        yield Tell("body")

    assert list(run(body(), handlers=[writer, clause]).log) == ["clause", "body"]


def test_transfer_from_a_helper_finishes_helper_and_clause():
    log = []

    @do
    def helper(k):
        try:
            yield Transfer(k, 1)
        finally:
            log.append("helper")

    def clause(e, k):
        try:
            yield helper(k)
        finally:
            log.append("clause")

    assert run(guarded(log), handlers=[clause]).value == ("body", 1)
    assert log[:2] == ["helper", "clause"]


def test_value_of_a_transfer_passes_result_once():
    class Maps(Results):
        @handles(Ping)
        def ping(self, e, k):
            yield Transfer(k, e.n)

    assert run(twice(), handlers=[Maps()]).value == ("result", (1, 2))


def test_error_of_the_clauses_own_blocks_stops_the_transfer_and_reaches_the_performer():
    def clause(e, k):
        try:
            yield Transfer(k, 1)
        finally:
            raise ValueError("clumsy")

    assert run(catches(), handlers=[clause]).value == "ValueError: clumsy"


def keeper(kept):
    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    return keeps


def test_transfer_to_another_continuation_unwinds_the_own_one_first():
    """Semantics 2: first the clause's blocks, then its own `k`, then control moves."""
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        try:
            yield Transfer(kept[0], 5)
        finally:
            log.append("clause closed")

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        r = yield WithHandler(switch, guarded(log, "b"))
        log.append("program")
        return r

    assert run(program()).value == ("a", 5)
    assert log == ["clause closed", ("b", "closed"), ("a", 5), ("a", "closed"), "program"]


def test_transfer_to_another_continuation_leaves_a_kept_k_alone():
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        kept.append(k.keep())
        yield Transfer(kept[0], 5)

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        first = yield WithHandler(switch, guarded(log, "b"))
        second = yield Resume(kept[1], 6)
        return first, second

    assert run(program()).value == (("a", 5), ("b", 6))
    assert log == [("a", 5), ("a", "closed"), ("b", 6), ("b", "closed")]


def test_transfer_throw_to_another_continuation():
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        yield TransferThrow(kept[0], KeyError("thrown"))

    @do
    def program():
        yield WithHandler(keeper(kept), catches())
        return (yield WithHandler(switch, guarded(log)))

    assert run(program()).value == "KeyError: 'thrown'"
    assert log == [("body", "closed")]


def test_foreign_k_of_a_transfer_that_did_not_happen_is_lost():
    """The performer gets the clause's error; the continuation that was to run is unwound."""
    log = []
    kept = []

    @handles(Ping)
    def switch(e, k):
        try:
            yield Transfer(kept.pop(), 5)
        finally:
            raise ValueError("clumsy")

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "a"))
        return (yield WithHandler(switch, catches()))

    assert run(program()).value == "ValueError: clumsy"
    assert log == [("a", "closed")]


def test_transfer_outside_any_clause_is_an_error_at_that_yield():
    @do
    def program():
        k = yield CreateContinuation(Pure(1), [])
        return (yield refused(Transfer(k, None))), (yield refused(TransferThrow(k, ValueError())))

    assert run(program()).value == (ContinuationError, ContinuationError)


# Discontinue.


def test_discontinue_unwinds_and_gives_none():
    log = []

    def clause(e, k):
        given = yield Discontinue(k)
        log.append(given)
        return "value"

    assert run(guarded(log), handlers=[clause]).value == "value"
    assert log == [("body", "closed"), None]


def test_discontinue_then_raise_fails_outward():
    """Semantics 3: to fail outward, `yield Discontinue(k)`, then raise."""
    log = []

    def clause(e, k):
        yield k.discontinue()
        raise ValueError("outward")

    assert str(run(Try(WithHandler(clause, guarded(log)))).value.error) == "outward"
    assert log == [("body", "closed")]


def test_returned_discontinue_is_evaluated_in_the_clauses_place():
    log = []

    def clause(e, k):
        return Discontinue(k)

    assert run(guarded(log), handlers=[clause]).value is None
    assert log == [("body", "closed")]


def test_error_of_a_clean_up_is_raised_at_the_discontinue():
    def clause(e, k):
        try:
            yield Discontinue(k)
        except ValueError as error:
            return str(error)

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    assert run(body(), handlers=[clause]).value == "clean-up"


# Pass.


def tagging(name, log):
    @handles(Ping)
    def clause(e, k):
        log.append(name)
        return Pass()

    return clause


def test_pass_hands_effect_and_k_outward():
    def clause(e, k):
        yield Pass()

    def plain(e, k):
        return Pass()

    assert run(twice(), handlers=[echo, clause, plain]).value == (1, 2)


def test_pass_through_the_middle_of_three():
    log = []

    def nontail(e, k):
        return ("outer", (yield Resume(k, e.n)))

    @handles(Ping)
    def inner(e, k):
        log.append("inner")
        v = yield Delegate()
        return Resume(k, v + 100)

    assert run(ask(1), handlers=[nontail, tagging("middle", log), inner]).value == ("outer", 101)
    assert log == ["inner", "middle"]


def test_handler_that_passed_is_still_there_after_the_outer_one_resumes():
    log = []
    assert run(twice(), handlers=[echo, tagging("middle", log)]).value == (1, 2)
    assert log == ["middle", "middle"]


def test_k_that_was_passed_contains_the_handlers_between():
    """Semantics 2: Pass hands the clause's own `k` outward; its chain grows by the segments between."""
    found = []

    @handles(Ping)
    def outer(e, k):
        found.extend((yield GetHandlers(k)))
        return Resume(k, 1)

    log = []
    middle = tagging("middle", log)
    run(ask(), handlers=[outer, pong, middle])
    assert [h is g for h, g in zip(found, [middle, pong, outer], strict=True)] == [True] * 3


def test_pass_runs_the_clauses_blocks_first():
    log = []

    @handles(Ping)
    def clause(e, k):
        try:
            yield Pass()
            log.append("never")
        finally:
            log.append("clause")

    @answers(Ping)
    def outer(e):
        log.append("outer")
        return 1

    assert run(guarded(log), handlers=[outer, clause]).value == ("body", 1)
    assert log == ["clause", "outer", ("body", 1), ("body", "closed")]


def test_error_of_the_clauses_blocks_stops_the_pass_and_reaches_the_performer():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Pass()
        finally:
            raise ValueError("clumsy")

    assert run(catches(), handlers=[echo, clause]).value == "ValueError: clumsy"


def test_pass_with_nobody_outside_is_unhandled_at_the_performer():
    def clause(e, k):
        try:
            yield Pass()
        except UnhandledEffectError:
            pytest.fail("not here")

    assert run(catches(), handlers=[clause]).value.startswith("UnhandledEffectError")


@pytest.mark.parametrize("use", ["resume", "keep"])
def test_pass_of_a_k_that_is_used_or_kept_is_an_error_at_its_yield(use):
    @handles(Ping)
    def clause(e, k):
        r = (yield Resume(k, 1)) if use == "resume" else k.keep()
        try:
            yield Pass()
        except ContinuationError:
            return ("refused", r)

    assert run(ask(), handlers=[echo, clause]).value[0] == "refused"


# Delegate.


def test_delegate_transforms_the_outer_answer_in_chains_of_three():
    def outer(e, k):
        return Resume(k, 2)

    def doubles(e, k):
        v = yield Delegate()
        return Resume(k, v * 2)

    def increments(e, k):
        v = yield Delegate()
        return Resume(k, v + 1)

    assert run(ask(), handlers=[outer, doubles, increments]).value == 5
    assert run(ask(), handlers=[outer, increments, doubles]).value == 6


def test_delegate_through_plain_value_and_generator_clauses_mixed():
    @answers(Ping)
    def squares(e):
        return (yield Delegate()) ** 2

    @handles(Ping)
    def around(e, k):
        v = yield Delegate()
        r = yield Resume(k, v + 1)
        return ("around", r)

    @do
    def body():
        return (yield Ping(2)), (yield Ping(3))

    assert run(body(), handlers=[echo, squares, around]).value == ("around", ("around", (5, 10)))


def test_delegate_may_be_repeated():
    counter = iter(range(10))

    @answers(Ping)
    def counts(e):
        return next(counter)

    @handles(Ping)
    def sums(e, k):
        a = yield Delegate()
        b = yield Delegate()
        return Resume(k, [a, b])

    assert run(ask(), handlers=[counts, sums]).value == [0, 1]


def test_delegate_leaves_k_with_the_clause():
    """Fault K21: using `k` after Delegate works."""

    @handles(Ping)
    def clause(e, k):
        yield Delegate()
        assert not k.used
        return ("done", (yield Resume(k, "own")))

    assert run(ask(), handlers=[echo, clause]).value == ("done", "own")


def test_error_of_the_outer_clause_is_raised_at_the_delegate():
    @answers(Ping)
    def fails(e):
        raise ValueError("outer")

    @handles(Ping)
    def recovers(e, k):
        try:
            v = yield Delegate()
        except ValueError:
            v = "recovered"
        return Resume(k, v)

    assert run(ask(), handlers=[fails, recovers]).value == "recovered"


def test_delegate_with_nobody_outside_is_unhandled_at_its_own_yield():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Delegate()
        except UnhandledEffectError as error:
            return Resume(k, type(error.effect))

    assert run(ask(), handlers=[clause]).value is Ping


def test_outer_handler_that_ends_its_block_ends_the_delegating_clause_too():
    log = []

    @handles(Ping)
    def ends(e, k):
        return "ended"

    @handles(Ping)
    def delegates(e, k):
        try:
            yield Delegate()
        finally:
            log.append("clause")

    assert run(guarded(log), handlers=[ends, delegates]).value == "ended"
    assert log == ["clause", ("body", "closed")]


def test_returned_delegate_is_the_value_of_the_clause():
    """A value clause answers with it; a control clause, its `k` unused, ends the block with it."""

    @answers(Ping)
    def value(e):
        return Delegate()

    @handles(Ping)
    def control(e, k):
        return Delegate()

    log = []
    assert run(guarded(log), handlers=[echo, value]).value == ("body", 0)
    assert run(ask(7), handlers=[echo, control]).value == 7
    log.clear()
    assert run(guarded(log), handlers=[echo, control]).value == 0
    assert log == [("body", "closed")]


def test_delegate_and_pass_from_a_helper_find_the_nearest_clause():
    @do
    def helper():
        return (yield Delegate())

    @handles(Ping)
    def clause(e, k):
        v = yield helper()
        return Resume(k, v + 1)

    @do
    def passing():
        yield Pass()

    @handles(Ping)
    def hands_on(e, k):
        yield passing()
        pytest.fail("a clause does not go on after Pass")

    assert run(ask(4), handlers=[echo, clause]).value == 5
    assert run(ask(4), handlers=[echo, hands_on]).value == 4


@pytest.mark.parametrize("node", [Pass(), Delegate(), GetContinuation()])
def test_outside_any_clause_they_are_errors_at_that_yield(node):
    assert issubclass(run(refused(node), handlers=[echo]).value, SegueError)


@pytest.mark.parametrize("node", [Pass(), Delegate(), GetContinuation()])
def test_clause_that_resumed_this_very_body_does_not_count(node):
    """A body is not inside the clause that resumed it: its prompt lies between."""

    def clause(e, k):
        return ("handled", (yield Resume(k, None)))

    @do
    def body():
        yield Ping()
        return (yield refused(node))

    _, error = run(body(), handlers=[clause]).value
    assert issubclass(error, SegueError)


def test_transfer_from_a_resumed_body_is_outside_any_clause():
    @do
    def program():
        other = yield CreateContinuation(Pure(1), [])

        def clause(e, k):
            return ("handled", (yield Resume(k, None)))

        @do
        def body():
            yield Ping()
            return (yield refused(Transfer(other, None)))

        return (yield WithHandler(clause, body()))

    assert run(program()).value == ("handled", ContinuationError)


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
    for name in ("innermost", "some_clause", "outermost", "pong", "test_control.py"):
        assert name in text
    assert text.index("innermost") < text.index("some_clause") < text.index("outermost")


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
