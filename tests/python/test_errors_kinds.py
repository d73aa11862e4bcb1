"""Semantics 4: exceptions that are no Exception, their relatives, and where errors are raised."""

import asyncio

import pytest

import segue
from errors_vocabulary import Load, fails, inner, outer
from segue import (
    Call,
    ContinuationError,
    Get,
    Handler,
    InternalError,
    LimitExceeded,
    Local,
    MissingKeyError,
    Pure,
    Put,
    Resume,
    SegueError,
    Tell,
    Transfer,
    Try,
    UnhandledEffectError,
    VMStateError,
    answers,
    bracket,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, ask, echo

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


def test_error_of_a_nested_run_has_no_context_from_around_the_run():
    """What is handled where `run` was called is no context of what is raised at a yield inside."""

    @do
    def wrong():
        yield 3

    try:
        raise ValueError("around")
    except ValueError:
        errors = [run(wrong()).error, run(Get("n")).error]
    assert [error.__context__ for error in errors] == [None, None]
