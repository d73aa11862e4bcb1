"""Semantics 3: a clause resumes its `k`, or throws into it."""

import contextlib

import pytest

from control_vocabulary import Results, catches, guarded
from segue import (
    Pure,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    answers,
    do,
    handles,
    run,
)
from vocabulary import Ping, Pong, ask, pong, twice

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
