"""Semantics 4: identity, and tracebacks of user frames only (P12)."""

import contextlib
import io
import os
import pathlib
import traceback

import pytest

import segue
from errors_vocabulary import fails, inner, outer
from segue import (
    Call,
    FlatMap,
    Map,
    Pure,
    Resume,
    ResumeThrow,
    Try,
    WithHandler,
    WithIntercept,
    do,
    handles,
    reader,
    run,
)
from vocabulary import Ping, ask, echo

PACKAGE = os.fspath(pathlib.Path(segue.__file__).parent)


def names(error):
    """The functions in the traceback, outermost first; none may be the library's."""
    frames = traceback.extract_tb(error.__traceback__)
    assert [f.filename for f in frames if f.filename.startswith(PACKAGE)] == []
    return [f.name for f in frames]


# Identity.


def test_error_is_the_object_that_was_raised():
    error = ValueError("x")
    r = run(outer(error), handlers=[echo])
    assert r.error is error
    assert r.result.error is error
    with pytest.raises(ValueError, match="x") as caught:
        r.value
    assert caught.value is error


def test_value_raises_the_same_object_each_time():
    r = run(outer(ValueError("x")), handlers=[echo])
    for _ in range(3):
        with pytest.raises(ValueError, match="x") as caught:
            r.value
        assert caught.value is r.error


def test_error_of_a_run_with_a_value_is_a_value_error():
    with pytest.raises(ValueError, match=r".+"):
        run(Pure(1)).error


def test_type_arguments_and_attributes_are_untouched():
    class OddError(Exception):
        def __init__(self, a, *, b):
            super().__init__(a)
            self.b = b

    error = OddError(1, b=2)
    got = run(outer(error), handlers=[echo]).error
    assert (type(got), got.args, got.b) == (OddError, (1,), 2)
    assert vars(got) == {"b": 2}


def test_error_that_nothing_chained_has_no_cause_and_no_context():
    for program in (outer(ValueError("x")), ask()):
        error = run(program, handlers=[echo, fails]).error
        assert error.__cause__ is None
        assert error.__context__ is None


def test_no_notes_are_added():
    error = ValueError("x")
    error.add_note("mine")
    assert run(outer(error), handlers=[echo]).error.__notes__ == ["mine"]


# P12: tracebacks.


def test_p12_every_user_frame_once_in_order_and_none_of_the_library():
    assert names(run(outer(ValueError("x")), handlers=[echo]).error) == ["outer", "middle", "inner"]


def test_p12_lines_are_those_of_the_yields():
    error = run(outer(ValueError("x")), handlers=[echo]).error
    lines = [f.line for f in traceback.extract_tb(error.__traceback__)]
    assert lines == ["return (yield middle(error))", "return (yield inner(error))", "raise error"]


def test_p12_error_of_a_clause_shows_performer_and_clause():
    """An effect that fails behaves like a call that raises."""
    error = run(outer_of_ask(), handlers=[fails]).error
    assert names(error) == ["outer_of_ask", "ask", "fails"]


@do
def outer_of_ask():
    return (yield ask())


def test_p12_error_of_a_generator_clause():
    @handles(Ping)
    def generator(e, k):
        yield Pure(None)
        raise ValueError("x")

    assert names(run(ask(), handlers=[generator]).error) == ["ask", "generator"]


def test_p12_yield_from_leaves_no_frame_of_the_library():
    @do
    def performs():
        return (yield from Ping())

    @do
    def calls():
        return (yield from performs())

    assert names(run(calls(), handlers=[fails]).error) == ["calls", "performs", "fails"]


def test_p12_error_of_a_body_through_a_clause_that_waits():
    @handles(Ping)
    def waits(e, k):
        r = yield Resume(k, 1)
        return r

    assert names(run(outer(ValueError("x")), handlers=[waits]).error) == ["waits", "outer", "middle", "inner"]


def test_p12_error_of_a_body_through_a_clause_that_is_gone():
    @handles(Ping)
    def gone(e, k):
        return Resume(k, 1)

    assert names(run(outer(ValueError("x")), handlers=[gone]).error) == ["outer", "middle", "inner"]


def test_p12_error_through_handlers_nodes_and_functions():
    def breaks(value):
        raise ValueError("x")

    @do
    def program():
        yield WithHandler(echo, Map(Try(ask()), breaks))

    for node in (FlatMap(Pure(1), breaks), Call(breaks, 1), WithIntercept(breaks, ask())):
        assert names(run(node, handlers=[echo]).error)[-1] == "breaks"
    assert names(run(program()).error) == ["program", "breaks"]


def test_p12_error_of_a_wrong_yield_ends_at_the_yield():
    @do
    def wrong():
        yield 3

    @do
    def calls():
        yield wrong()

    assert names(run(calls()).error) == ["calls", "wrong"]


def test_p12_unhandled_effect_ends_at_the_perform():
    error = run(outer_of_ask()).error
    assert names(error) == ["outer_of_ask", "ask"]
    assert traceback.extract_tb(error.__traceback__)[-1].line == "return (yield Ping(n))"


def test_p12_thrown_error_shows_the_performer():
    def throws(e, k):
        return ResumeThrow(k, ValueError("x"))

    assert names(run(ask(), handlers=[throws]).error) == ["ask"]


def test_p12_error_caught_and_raised_again_keeps_its_frames():
    @do
    def passes_on():
        try:
            yield inner(ValueError("x"))
        except ValueError:
            raise

    shown = names(run(passes_on(), handlers=[echo]).error)
    assert shown[0] == "passes_on"
    assert shown[-1] == "inner"


def test_p12_print_exc_shows_the_frames():
    out = io.StringIO()
    try:
        run(outer(ValueError("shown")), handlers=[echo]).value
    except ValueError:
        traceback.print_exc(file=out)
    text = out.getvalue()
    assert text.index("in outer") < text.index("in middle") < text.index("in inner")
    assert text.rstrip().endswith("ValueError: shown")


def test_p12_post_mortem_sees_the_locals():
    @do
    def breaks(error):
        local = "visible"
        yield Pure(local)
        raise error

    tb = run(breaks(ValueError("x"))).error.__traceback__
    while tb.tb_next:
        tb = tb.tb_next
    assert tb.tb_frame.f_locals["local"] == "visible"


def test_p12_traceback_holds_no_frame_of_the_caller():
    def calls_run():
        with contextlib.suppress(ValueError):
            run(ask(), handlers=[fails, reader]).value
        return run(ask(), handlers=[fails]).error

    assert names(calls_run()) == ["ask", "fails"]
