"""Semantics 3: how a body is unwound, what its clean-up may do, and what counts afterwards."""

import contextlib

import pytest

from segue import (
    Discontinue,
    Discontinued,
    Effect,
    Get,
    Handler,
    Listen,
    Local,
    Ok,
    Pure,
    Put,
    Resume,
    ResumeThrow,
    Tell,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    bracket,
    do,
    handles,
    reader,
    run,
    state,
    writer,
)


class Ping(Effect[int]):
    n: int = 0


class Pong(Effect[str]):
    text: str = ""


@handles(Ping)
def stop(e, k):
    return "stopped"


@answers(Pong)
def pong(e):
    return "pong"


@do
def then_tell(program):
    """Tell what `program` comes to, after whatever its unwinding told."""
    value = yield program
    yield Tell(value)
    return value


def told(program, *handlers):
    """What `program` and its unwinding told, in order, its value last."""
    return list(run(then_tell(program), handlers=[writer, *handlers]).log)


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


# What Discontinued is.


def test_discontinued_is_no_exception():
    assert Discontinued.__bases__ == (BaseException,)


def test_except_exception_and_try_do_not_stop_it():
    @do
    def inner():
        try:
            yield Ping()
        except Exception:
            yield Tell("never")

    @do
    def body():
        yield Try(inner())
        yield Tell("never")

    assert told(stop(body())) == ["stopped"]


def test_error_hooks_do_not_see_it():
    log = []

    class Nosy(Handler):
        def error(self, exc):
            log.append("error")
            raise exc

        def result(self, value):
            log.append("result")
            return value

        def exit(self):
            log.append("exit")

    assert run(stop(Nosy()(Ping()))).value == "stopped"
    assert log == ["exit"]


def test_body_that_catches_it_runs_on_as_a_normal_body():
    """Semantics 3: its effects are handled, its result is dropped without passing `result`."""

    class Stops(Handler):
        @handles(Ping)
        def ping(self, e, k):
            return "stopped"

        def result(self, value):
            return ("never", value)

    @do
    def body():
        try:
            yield Ping()
        except Discontinued:
            yield Tell("caught")
        yield Tell("ran on")
        return "dropped"

    assert told(Stops()(body())) == ["caught", "ran on", "stopped"]


def test_prompts_inside_behave_normally_when_the_body_runs_on():
    """Only the own prompt of `k` skips `result`."""
    log = []

    class Inner(Handler):
        def result(self, value):
            log.append(value)
            return ("mapped", value)

    @do
    def inner():
        try:
            yield Ping()
        except Discontinued:
            return "ran on"

    @do
    def body():
        log.append((yield Inner()(inner())))

    assert run(stop(body())).value == "stopped"
    assert log == ["ran on", ("mapped", "ran on")]


def test_handlers_inside_are_left_innermost_first():
    log = []

    class Named(Handler):
        def __init__(self, name):
            self.name = name

        def exit(self):
            yield Tell(self.name)
            log.append(self.name)

    program = stop(Named("outer")(Named("inner")(Ping())))
    assert told(program) == ["inner", "outer", "stopped"]


def test_exit_of_the_own_handler_runs_before_the_value_arrives():
    class Stops(Handler):
        @handles(Ping)
        def ping(self, e, k):
            return "stopped"

        def result(self, value):
            return ("never", value)

        def error(self, exc):
            return "never"

        def exit(self):
            yield Tell("exit")

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell("finally")

    assert told(Stops()(body())) == ["finally", "exit", "stopped"]


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


# Clauses that are themselves unwound.


def test_clause_in_the_middle_of_its_work_is_unwound_with_its_body():
    @answers(Pong)
    def works(e):
        try:
            yield Ping()
        finally:
            yield Tell("clause")

    @do
    def body():
        try:
            yield Pong()
        finally:
            yield Tell("body")

    assert told(stop(works(body()))) == ["clause", "body", "stopped"]


def test_control_clause_in_the_middle_of_its_work_is_unwound_with_its_unused_k():
    @handles(Pong)
    def works(e, k):
        try:
            yield Ping()
        finally:
            yield Tell("clause")
        return Resume(k, "never")

    @do
    def body():
        try:
            yield Pong()
        finally:
            yield Tell("body")

    assert told(stop(works(body()))) == ["clause", "body", "stopped"]


def test_clause_that_waits_in_resume_is_unwound_after_its_body():
    @handles(Pong)
    def waits(e, k):
        try:
            return (yield Resume(k, "answer"))
        finally:
            yield Tell("clause")

    @do
    def body():
        yield Pong()
        try:
            yield Ping()
        finally:
            yield Tell("body")

    assert told(stop(waits(body()))) == ["body", "clause", "stopped"]


def test_body_is_unwound_through_local_listen_and_interceptors():
    @do
    def inner():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    program = stop(Local({"a": 1}, Listen(WithIntercept(lambda e: e, inner()))))
    assert told(program, reader({})) == ["cleaned", "stopped"]


def test_bracket_releases_when_the_body_is_ended():
    program = stop(bracket(Pure("file"), lambda _: Ping(), Tell))
    assert told(program) == ["file", "stopped"]


# Errors that pass.


def test_error_that_passes_runs_clean_up_under_the_handlers_of_its_place():
    @do
    def inner():
        try:
            raise ValueError("x")
        finally:
            yield Tell((yield Pong()))

    @do
    def outer():
        try:
            yield pong(inner())
        finally:
            yield Tell("outer")

    r = run(Try(outer()), handlers=[writer])
    assert list(r.log) == ["pong", "outer"]


def test_clause_that_throws_base_exception_into_k():
    class Leave(BaseException):
        pass

    @handles(Ping)
    def throws(e, k):
        return ResumeThrow(k, Leave("now"))

    @do
    def body():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    with pytest.raises(Leave) as caught:
        run(Try(throws(body())), handlers=[writer])
    assert list(caught.value.run_result.log) == ["cleaned"]


def test_unwinding_leaves_the_rest_of_the_program_alone():
    @do
    def body(n):
        try:
            yield Ping()
        finally:
            yield Put("n", (yield Get("n")) + n)

    @do
    def program():
        yield Put("n", 0)
        values = []
        for n in (1, 2, 3):
            value = yield stop(body(n))
            values.append(value)
        return values, (yield Get("n"))

    assert run(Try(program()), handlers=[state]).value == Ok((["stopped"] * 3, 6))
