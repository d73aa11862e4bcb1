"""Semantics 3: what Discontinued is, and what it unwinds."""

import pytest

from segue import (
    Discontinue,
    Discontinued,
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
    Transfer,
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
from vocabulary import Ping, Pong, guarded, keeper, pong, stop, told

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


def kept_in_its_clean_up(log, kept):
    """A program, and what keeps it: its clean-up performs, and the answer never comes."""

    @handles(Pong)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def cleans_up():
        try:
            yield Ping()
        finally:
            log.append("cleans up")
            try:
                yield Pong()
            finally:
                log.append("cleaned up")

    return cleans_up(), keeps


def test_transfer_that_waits_at_the_end_for_a_clean_up_is_over_before_its_target_is_unwound():
    log, kept = [], []
    cleans_up, keeps = kept_in_its_clean_up(log, kept)

    @handles(Ping)
    def moves(e, k):
        yield Transfer(kept[0], 5)

    @do
    def program():
        yield WithHandler(keeper(kept), guarded(log, "target"))
        return (yield keeps(moves(cleans_up)))

    assert run(program()).value == "kept"
    assert log == ["cleans up", "cleaned up", "target"]


def test_discontinue_that_waits_at_the_end_for_a_clean_up_is_unwound():
    log, kept = [], []
    cleans_up, keeps = kept_in_its_clean_up(log, kept)

    @do
    def discontinues():
        try:
            yield Discontinue(kept[0])
        finally:
            log.append("discontinued")

    @do
    def program():
        yield WithHandler(keeper(kept), cleans_up)
        return (yield keeps(discontinues()))

    assert run(program()).value == "kept"
    assert log == ["cleans up", "cleaned up", "discontinued"]
