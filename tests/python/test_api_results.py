"""The public interface to the letter: results, limits, trace, errors, the machine by hand."""

import asyncio
import inspect

import pytest

from segue import (
    Call,
    ContinuationError,
    Discontinued,
    Err,
    InternalError,
    LimitExceeded,
    Limits,
    MissingKeyError,
    Ok,
    Pure,
    PythonAsyncSyntaxEscape,
    PyVM,
    RunResult,
    SegueError,
    TraceEntry,
    UnhandledEffectError,
    VMStateError,
    async_run,
    do,
    run,
    state,
    writer,
)
from segue._vm import vm_live_counts
from vocabulary import Fetch, ask, echo

# Results, limits, trace, errors.


def test_ok_and_err():
    error = ValueError("x")
    assert (Ok(1).value, Ok(1).is_ok(), Ok(1).is_err()) == (1, True, False)
    assert (Err(error).error, Err(error).is_ok(), Err(error).is_err()) == (error, False, True)
    assert Ok.__match_args__ == ("value",)
    assert Err.__match_args__ == ("error",)


def test_run_result_has_its_fields():
    r = run(Pure(1), handlers=[state, writer])
    assert isinstance(r, RunResult)
    assert r.result == Ok(1)
    assert (r.value, r.is_ok(), r.is_err()) == (1, True, False)
    assert (r.raw_store, list(r.log), list(r.unobserved)) == ({}, [], [])
    assert isinstance(r.display(), str)
    for name in ("error", "reports", "trace", "usage"):
        assert name in dir(r)


def test_limits_are_by_name_with_defaults():
    limits = Limits()
    for name in ("steps", "depth", "segments", "tasks", "promises", "seconds"):
        assert getattr(limits, name) is None
        assert getattr(Limits(**{name: 7}), name) == 7
    assert limits.grace == 10_000
    with pytest.raises(TypeError):
        Limits(5)


def test_usage_has_the_names_of_the_limits():
    usage = run(ask(1), handlers=[echo]).usage
    for name in ("steps", "depth", "segments", "tasks", "promises", "seconds"):
        assert getattr(usage, name) >= 0


def test_limit_exceeded_names_the_limit_and_its_value():
    error = run(ask(1), handlers=[echo], limits=Limits(steps=1)).error
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value) == ("steps", 1)


def test_trace_entries_are_named_tuples_of_a_closed_set():
    fields = ("step", "event", "mode", "pending", "dispatch_depth", "result")
    assert TraceEntry._fields == fields
    trace = run(ask(1), handlers=[echo], trace=True).trace
    assert len(trace) > 0
    for entry in trace:
        assert isinstance(entry, TraceEntry)
        assert entry.event in {"enter", "exit"}
        assert entry.mode in {"Deliver", "Throw", "HandleYield", "Return"}


def test_error_hierarchy():
    for error in (ContinuationError, UnhandledEffectError, VMStateError, MissingKeyError):
        assert issubclass(error, SegueError)
    assert issubclass(InternalError, SegueError)
    assert SegueError.__bases__ == (Exception,)
    assert issubclass(MissingKeyError, KeyError)
    assert Discontinued.__bases__ == (BaseException,)
    assert issubclass(LimitExceeded, BaseException)
    assert not issubclass(LimitExceeded, Exception)


def test_unhandled_effect_error_has_effect_and_handlers():
    error = run(Fetch("u"), handlers=[writer, echo]).error
    assert isinstance(error, UnhandledEffectError)
    assert error.effect == Fetch("u")
    assert list(error.handlers) == ["echo", "writer"]


# The machine by hand.


def events(vm):
    """Step to the first event that is not `continue`."""
    event = vm.step_once()
    while event[0] == "continue":
        assert event == ("continue",)
        event = vm.step_once()
    return event


def test_event_done():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    assert events(vm) == ("done", 3)


def test_event_error():
    error = ValueError("x")

    def raises():
        raise error

    vm = PyVM()
    vm.start_program(Call(raises))
    event = events(vm)
    assert type(event) is tuple
    assert event[0] == "error"
    assert event[1] is error


def test_event_call_async_and_both_feeds():
    def action():
        raise AssertionError("stepping never calls the action")

    @do
    def awaits():
        first = yield PythonAsyncSyntaxEscape(action)
        try:
            yield PythonAsyncSyntaxEscape(action)
        except ValueError as e:
            return first, str(e)

    vm = PyVM()
    vm.start_program(awaits())
    assert events(vm) == ("call_async", action)
    vm.feed_async_result("fed")
    assert events(vm) == ("call_async", action)
    vm.feed_async_error(ValueError("bad"))
    assert events(vm) == ("done", ("fed", "bad"))


def test_vm_run_and_run_scoped():
    vm = PyVM(trace=True, limits=Limits(steps=1000))
    assert vm.run(ask(1), handlers=[echo]).value == 1
    assert vm.run_scoped(ask(2), [echo]).value == 2
    assert isinstance(vm.run(ask(3)).error, UnhandledEffectError)


def test_async_run_is_a_coroutine():
    coroutine = async_run(ask(1), handlers=[echo])
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine).value == 1


def test_live_counts():
    assert set(vm_live_counts()) == {"segments", "frames", "continuations"}
