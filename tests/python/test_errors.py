"""Semantics 4: identity, tracebacks of user frames only, messages, and what `run` raises or keeps."""

import asyncio
import contextlib
import io
import os
import pathlib
import re
import traceback

import pytest

import segue
from segue import (
    Call,
    ContinuationError,
    Effect,
    FlatMap,
    Get,
    Handler,
    InternalError,
    LimitExceeded,
    Local,
    Map,
    MissingKeyError,
    Pure,
    Put,
    Resume,
    ResumeThrow,
    SegueError,
    Tell,
    Transfer,
    Try,
    UnhandledEffectError,
    VMStateError,
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

PACKAGE = os.fspath(pathlib.Path(segue.__file__).parent)


class Ping(Effect[int]):
    n: int = 0


class Load(Effect[bytes]):
    payload: object = None


@answers(Ping)
def echo(e):
    return e.n


@answers(Ping)
def fails(e):
    raise ValueError("from the clause")


@do
def ask(n=0):
    return (yield Ping(n))


@do
def inner(error):
    yield Ping()
    raise error


@do
def middle(error):
    return (yield inner(error))


@do
def outer(error):
    return (yield middle(error))


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


# Exceptions that are no Exception.


def body_of(error):
    @do
    def body():
        yield Tell("told")
        yield Put("n", 1)
        try:
            raise error
        finally:
            yield Tell("finally")

    return body()


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("now"), GeneratorExit(), asyncio.CancelledError()])
def test_p13_base_exceptions_are_raised_by_run_after_finally(error):
    """Semantics 4: raised after unwinding, the same object, with the result so far."""
    with pytest.raises(type(error)) as caught:
        run(body_of(error), handlers=[state, writer])
    assert caught.value is error
    result = error.run_result
    assert isinstance(result, segue.RunResult)
    assert list(result.log) == ["told", "finally"]
    assert result.raw_store == {"n": 1}
    assert result.error is error


def test_p13_exit_code_is_unchanged():
    with pytest.raises(SystemExit) as caught:
        run(Try(Call(raises_exit)))
    assert caught.value.code == 7


def raises_exit():
    raise SystemExit(7)


def test_base_exception_passes_handlers_try_and_error_hooks():
    class Leave(BaseException):
        pass

    seen = []

    class Nosy(Handler):
        def error(self, exc):
            seen.append(exc)

    @handles(Ping)
    def waits(e, k):
        try:
            return (yield Resume(k, 1))
        except Exception as error:
            seen.append(error)

    with pytest.raises(Leave):
        run(Try(outer(Leave())), handlers=[Nosy(), waits])
    assert seen == []


def test_keyboard_interrupt_of_a_clause_is_delivered_to_the_performer():
    """Semantics 3: Ctrl-C inside a clause goes the same way."""
    log = []

    @answers(Ping)
    def interrupted(e):
        raise KeyboardInterrupt

    @do
    def body():
        try:
            yield Ping()
        finally:
            log.append("finally")

    with pytest.raises(KeyboardInterrupt):
        run(body(), handlers=[interrupted])
    assert log == ["finally"]


def test_base_exception_may_be_caught_by_the_program():
    @do
    def body():
        try:
            yield Call(raises_exit)
        except SystemExit as e:
            return e.code

    assert run(body()).value == 7


# Exceptions and their relatives.


def test_context_of_an_error_in_an_except_block_is_kept_across_a_perform():
    @do
    def body():
        try:
            yield inner(KeyError("first"))
        except KeyError:
            yield Ping()
            raise ValueError("second")  # noqa: B904

    error = run(body(), handlers=[echo]).error
    assert isinstance(error.__context__, KeyError)


def test_error_at_a_perform_inside_an_except_block_has_that_context():
    @do
    def body():
        try:
            yield Pure(1)
            raise KeyError("first")
        except KeyError:
            yield Ping()

    error = run(body(), handlers=[fails]).error
    assert isinstance(error, ValueError)
    assert isinstance(error.__context__, KeyError)


def test_cause_given_by_a_clause_is_kept():
    cause = OSError("disk")

    @answers(Ping)
    def wraps(e):
        raise ValueError("x") from cause

    assert run(ask(), handlers=[wraps]).error.__cause__ is cause


def test_exception_group_keeps_its_members():
    members = [ValueError(1), KeyError(2)]
    error = ExceptionGroup("both", members)
    got = run(outer(error), handlers=[echo]).error
    assert got is error
    assert list(got.exceptions) == members


def test_stop_iteration_of_a_handler_method_is_a_runtime_error():
    stop_iteration = StopIteration()

    class Stops(Handler):
        def result(self, value):
            raise stop_iteration

    error = run(Pure(1), handlers=[Stops()]).error
    assert type(error) is RuntimeError
    assert error.__cause__ is stop_iteration


def test_active_exception_does_not_leak_between_bodies():
    """A body that performs inside `except` leaves no context on the errors of another."""
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    @do
    def waits_in_except():
        try:
            raise KeyError("first")
        except KeyError:
            yield Ping()

    @do
    def program():
        yield keeps(waits_in_except())
        raise ValueError("second")

    assert run(program()).error.__context__ is None


# Kinds of errors and where they are raised.


def test_errors_of_the_machine_are_raised_at_the_yield_and_the_program_goes_on():
    @do
    def catches(node):
        try:
            yield node
        except (SegueError, TypeError) as e:
            return type(e), (yield Ping(1))

    for node, kind in ((Load(), UnhandledEffectError), (Get("n"), MissingKeyError), (3, TypeError)):
        assert run(catches(node), handlers=[state, echo]).value == (kind, 1)


def test_hierarchy():
    kinds = [ContinuationError, UnhandledEffectError, VMStateError, MissingKeyError, InternalError]
    assert all(issubclass(kind, SegueError) for kind in kinds)
    assert issubclass(MissingKeyError, KeyError)
    assert not issubclass(LimitExceeded, Exception)


def test_users_mistakes_are_never_internal_errors():
    """A list of things that a newcomer tries."""

    def resumes_twice(e, k):
        yield Resume(k, 1)
        yield Transfer(k, 1)

    def yields_k(e, k):
        yield k

    def returns_nothing(e, k):
        pass

    def wrong_arity(e):
        return 1

    def yields_effect_class(e, k):
        yield Ping

    programs = [ask(), outer(ValueError()), Local({}, ask()), bracket(ask(), Pure, Pure)]
    for handler in (resumes_twice, yields_k, returns_nothing, wrong_arity, yields_effect_class):
        for program in programs:
            r = run(program, handlers=[handler])
            assert not isinstance(r.result, segue.Err) or not isinstance(r.error, InternalError)


def test_clause_of_the_wrong_arity_is_an_error_at_the_perform():
    def wrong(e):
        return 1

    @answers(Ping)
    def also_wrong(e, k):
        return 1

    for handler in (wrong, also_wrong):
        error = run(Try(ask()), handlers=[handler]).value.error
        assert isinstance(error, TypeError)
        assert "wrong" in str(error)


# Messages.


def test_unhandled_effect_names_effect_and_handlers_from_innermost_to_outermost():
    class Database(Handler):
        @answers(Put)
        def put(self, e):
            return None

    error = run(Load("x"), handlers=[writer, Database(), echo]).error
    assert error.effect == Load("x")
    assert list(error.handlers) == ["echo", "Database", "writer"]
    message = str(error)
    assert "Load(payload='x')" in message
    assert message.index("echo") < message.index("Database") < message.index("writer")


def test_unhandled_effect_without_handlers_says_that_there_are_none():
    error = run(Load("x")).error
    assert list(error.handlers) == []
    assert "Load" in str(error)


@pytest.mark.parametrize(("effect", "handler"), [(Get("n"), "state"), (Tell("x"), "writer")])
def test_unhandled_built_in_effect_says_how_to_install_its_handler(effect, handler):
    assert re.search(rf"\b{handler}\b", str(run(effect).error))


def test_c08_repr_of_an_effect_in_a_message_is_cut_and_escaped():
    """At most 200 characters of it, control characters escaped."""
    long = str(run(Load("a" * 1_000_000)).error)
    assert "Load" in long
    assert len(long) < 1000

    class Evil:
        def __repr__(self):
            return "\x1b[31mred\nforged line"

    text = str(run(Load(Evil())).error)
    assert "\x1b" not in text
    assert "forged line" not in text.splitlines()


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__


def test_formatting_never_raises():
    """Semantics 4: whatever the user's objects do."""

    class Rude(Handler):
        @answers(Put)
        def put(self, e):
            return None

        def __repr__(self):
            raise RuntimeError("no repr")

    error = run(Load(Unprintable()), handlers=[Rude()]).error
    assert isinstance(error, UnhandledEffectError)
    assert "Load" in str(error)
    assert "Unhandled" in repr(error)
    assert "".join(traceback.format_exception(error))


@pytest.mark.parametrize("place", ["yield", "root", "node", "key"])
def test_messages_about_objects_without_a_repr(place):
    wrong = Unprintable()

    @do
    def program():
        yield wrong

    if place == "yield":
        assert isinstance(run(program()).error, TypeError)
    elif place == "key":
        assert isinstance(run(Get(wrong), handlers=[state]).error, MissingKeyError)
    else:
        with pytest.raises(TypeError):
            run(wrong) if place == "root" else Try(wrong)


def test_long_values_in_messages_are_cut():
    wrong = "a" * 1_000_000

    @do
    def program():
        yield wrong

    assert len(str(run(program()).error)) < 1000
    assert len(str(run(Get(wrong), handlers=[state]).error)) < 1000
    with pytest.raises(TypeError) as caught:
        run(wrong)
    assert len(str(caught.value)) < 1000


def test_display_never_raises():
    for program in (Pure(Unprintable()), outer(ValueError("shown")), Load(Unprintable()), Tell(Unprintable())):
        text = run(program, handlers=[writer, echo, state], trace=True).display()
        assert isinstance(text, str)
    assert "shown" in run(outer(ValueError("shown")), handlers=[echo]).display()


def test_missing_key_error_reads_well():
    """A KeyError shows the repr of its argument; this one shows its message."""
    text = str(run(Get("cuont"), handlers=[state({"count": 1})]).error)
    assert "count" in text
    assert not text.startswith(("'", '"'))


def test_p12_traceback_holds_no_frame_of_the_caller():
    def calls_run():
        with contextlib.suppress(ValueError):
            run(ask(), handlers=[fails, reader]).value
        return run(ask(), handlers=[fails]).error

    assert names(calls_run()) == ["ask", "fails"]
