"""Semantics 3: what clean-up may do, and what comes of it."""

import contextlib

from segue import (
    Discontinue,
    Discontinued,
    Get,
    Handler,
    Put,
    Resume,
    Tell,
    Try,
    WithHandler,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, Pong, pong, stop, then_tell, told

# Clean-up runs, with its effects, before the value of the clause arrives.


def test_finally_performs():
    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    assert told(stop(body())) == ["cleaned", "stopped"]


def test_finally_goes_through_yield_from_helpers():
    """`yield from` does not swallow Discontinued, at any depth."""

    def innermost():
        try:
            yield Ping()
        finally:
            yield Tell("innermost")

    def middle():
        try:
            yield from innermost()
        finally:
            yield Tell("middle")

    @do
    def body():
        try:
            yield from middle()
        finally:
            yield Tell("body")

    assert told(stop(body())) == ["innermost", "middle", "body", "stopped"]


def test_clean_up_itself_through_yield_from_a_helper():
    def helper():
        yield Tell("first")
        yield Tell("second")

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield from helper()

    assert told(stop(body())) == ["first", "second", "stopped"]


def test_nested_programs_are_unwound_innermost_first():
    @do
    def nest(n):
        try:
            yield nest(n - 1) if n else Ping()
        finally:
            yield Tell(n)

    assert told(stop(nest(3))) == [0, 1, 2, 3, "stopped"]


def test_with_blocks_are_left():
    log = []

    @contextlib.contextmanager
    def noted(name):
        try:
            yield
        except Discontinued:
            log.append((name, "discontinued"))
            raise

    @do
    def body():
        with noted("outer"), noted("inner"):
            yield Ping()

    assert run(stop(body())).value == "stopped"
    assert log == [("inner", "discontinued"), ("outer", "discontinued")]


def test_rest_of_the_body_does_not_run():
    @do
    def body():
        try:
            yield Ping()
            yield Tell("never")
        finally:
            yield Tell("cleaned")
        yield Tell("never")

    assert told(stop(body())) == ["cleaned", "stopped"]


def test_clean_up_may_run_whole_programs():
    @do
    def cleaning():
        inner = yield WithHandler(pong, Pong())
        caught = yield Try(Pong())
        return inner, caught.is_err()

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell((yield cleaning()))

    assert told(stop(body())) == [("pong", True), "stopped"]


def test_clean_up_effects_may_be_answered_by_clauses_that_do_not_resume_last():
    @handles(Pong)
    def around(e, k):
        yield Tell("before")
        r = yield Resume(k, "answer")
        yield Tell("after")
        return r

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell((yield Pong()))

    assert told(around(then_tell(stop(body())))) == ["before", "answer", "stopped", "after", "stopped"]


def test_state_is_visible_to_the_clean_up():
    @do
    def body():
        yield Put("n", 1)
        try:
            yield Ping()
        finally:
            yield Put("n", (yield Get("n")) + 10)

    assert run(stop(body()), handlers=[state]).raw_store == {"n": 11}


# Clean-up that raises.


def test_clean_up_that_raises_leaves_in_place_of_the_value():
    """Semantics 3: the exception leaves the WithHandler, context kept."""

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    error = run(Try(stop(body()))).value.error
    assert error.args == ("clean-up",)
    assert isinstance(error.__context__, Discontinued)


def test_clean_up_that_raises_does_not_stop_the_outer_clean_up():
    @do
    def inner():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    @do
    def body():
        try:
            yield inner()
        finally:
            yield Tell("outer")

    @do
    def program():
        try:
            yield stop(body())
        except ValueError as e:
            return str(e)

    assert told(program()) == ["outer", "clean-up"]


def test_clean_up_error_that_the_body_catches_is_gone():
    @do
    def inner():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    @do
    def body():
        try:
            yield inner()
        except ValueError:
            return "dropped"

    assert run(stop(body())).value == "stopped"


def test_clean_up_error_passes_the_error_hook_of_the_ended_handler_and_its_answer_is_dropped():
    seen = []

    class Stops(Handler):
        @handles(Ping)
        def ping(self, e, k):
            return "stopped"

        def error(self, exc):
            seen.append(str(exc))
            return "dropped"

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    assert run(Stops()(body())).value == "stopped"
    assert seen == ["clean-up"]


def test_another_discontinued_than_the_thrown_one_is_an_error_of_the_clean_up():
    other = Discontinued()

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise other

    @do
    def program():
        try:
            yield stop(body())
        except Discontinued as e:
            return e is other

    assert run(program()).value is True


def test_clause_that_discontinues_and_the_clean_up_that_raises():
    @handles(Ping)
    def clause(e, k):
        try:
            yield Discontinue(k)
        except ValueError:
            return "the clause saw it"

    @do
    def body():
        try:
            yield Ping()
        finally:
            raise ValueError("clean-up")

    assert run(clause(body())).value == "the clause saw it"


# Clean-up that meets the same handler again.


def test_deep_handler_may_end_the_clean_up_again_and_the_first_value_stands():
    """Semantics 3: the deep handler may end the clean-up again; the first clause's value stands."""
    values = iter(["first", "second"])

    @handles(Ping)
    def ends(e, k):
        return next(values)

    @do
    def body():
        try:
            yield Ping()
        finally:
            try:
                yield Ping()
                yield Tell("never")
            finally:
                yield Tell("innermost finally")

    assert told(ends(body())) == ["innermost finally", "first"]
    assert list(values) == []


def test_clean_up_may_be_answered_by_the_same_handler():
    answered = []

    @handles(Ping)
    def ends_once(e, k):
        if e.n == 0:
            return "ended"
        answered.append(e.n)
        return Resume(k, "answer")

    @do
    def body():
        try:
            yield Ping(0)
        finally:
            yield Tell((yield Ping(1)))

    assert told(ends_once(body())) == ["answer", "ended"]
    assert answered == [1]


def test_clean_up_may_be_ended_by_an_outer_handler():
    """The outer block is the one that ends then, and its clause's value is the outer value."""

    @handles(Pong)
    def ends_outer(e, k):
        return "outer ended"

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Pong()

    @do
    def middle():
        yield stop(body())
        yield Tell("never")

    assert told(ends_outer(middle())) == ["outer ended"]


def test_clean_up_that_keeps_k_in_the_same_handler_goes_on_later():
    """Unwinding is a resume: a clean-up may be suspended by a clause that keeps its `k`."""
    kept = []

    @handles(Ping)
    def clause(e, k):
        if e.n == 0:
            return "ended"
        kept.append(k.keep())
        return "dropped"

    @do
    def body():
        try:
            yield Ping(0)
        finally:
            yield Ping(1)
            yield Tell("cleaned")

    @do
    def program():
        value = yield clause(body())
        yield Tell(value)
        with contextlib.suppress(Discontinued):
            yield Resume(kept[0], None)

    assert list(run(program(), handlers=[writer]).log) == ["ended", "cleaned"]
