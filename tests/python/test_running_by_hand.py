"""Semantics 5: the machine by hand."""

import gc

import pytest

from running_vocabulary import action, forever, pings, raises, step
from segue import (
    Call,
    Get,
    Limits,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Tell,
    UnhandledEffectError,
    VMStateError,
    do,
    state,
    writer,
)
from vocabulary import Ping, ask, echo


def test_stepping_gives_what_run_gives():
    vm = PyVM()
    vm.start_program(pings(3).flat_map(lambda _: ask(7)), handlers=[echo])
    assert step(vm) == ("done", 7)


def test_user_code_runs_in_steps_and_not_before():
    log = []
    vm = PyVM()
    vm.start_program(Call(lambda: Pure(log.append("ran"))))
    assert log == []
    assert step(vm) == ("done", None)
    assert log == ["ran"]


def test_stepping_may_stop_between_two_steps():
    log = []

    @do
    def program():
        for n in range(5):
            yield Ping(n)
            log.append(n)

    vm = PyVM()
    vm.start_program(program(), handlers=[echo])
    while len(log) < 2:
        assert vm.step_once() == ("continue",)
    assert log == [0, 1]
    assert step(vm) == ("done", None)


def test_error_event_is_the_same_exception_and_finally_has_run():
    log = []
    error = ValueError("x")

    @do
    def program():
        try:
            yield Ping()
            raise error
        finally:
            log.append("finally")

    vm = PyVM()
    vm.start_program(program(), handlers=[echo])
    name, given = step(vm)
    assert (name, given is error, log) == ("error", True, ["finally"])


def test_step_before_a_start_is_an_error():
    with pytest.raises(VMStateError):
        PyVM().step_once()


def test_step_after_the_end_is_an_error_and_a_new_start_is_not():
    vm = PyVM()
    for n in (1, 2):
        vm.start_program(Pure(n))
        assert step(vm) == ("done", n)
        with pytest.raises(VMStateError):
            vm.step_once()


def test_step_after_an_error_is_an_error():
    vm = PyVM()
    vm.start_program(ask())
    assert step(vm)[0] == "error"
    with pytest.raises(VMStateError):
        vm.step_once()


def test_second_start_and_run_of_a_started_machine_are_errors():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    vm.step_once()
    for enter in (
        lambda: vm.start_program(Pure(1)),
        lambda: vm.run(Pure(1)),
        lambda: vm.run_scoped(Pure(1), []),
    ):
        with pytest.raises(VMStateError):
            enter()
    assert step(vm) == ("done", 3)


def test_feeding_when_nothing_is_pending_is_an_error():
    """Semantics 5: before a start, between steps and after the end."""
    vm = PyVM()

    def both_are_errors():
        with pytest.raises(VMStateError):
            vm.feed_async_result(1)
        with pytest.raises(VMStateError):
            vm.feed_async_error(ValueError())

    both_are_errors()
    vm.start_program(ask(3), handlers=[echo])
    both_are_errors()
    vm.step_once()
    both_are_errors()
    assert step(vm) == ("done", 3)
    both_are_errors()


def test_step_while_the_answer_is_pending_is_an_error():
    vm = PyVM()
    vm.start_program(PythonAsyncSyntaxEscape(action))
    assert step(vm) == ("call_async", action)
    with pytest.raises(VMStateError):
        vm.step_once()
    vm.feed_async_result("late")
    with pytest.raises(VMStateError):
        vm.feed_async_result("twice")
    assert step(vm) == ("done", "late")


def test_fed_error_is_raised_at_the_yield():
    error = ValueError("fed")

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except ValueError as e:
            return e

    vm = PyVM()
    vm.start_program(program())
    assert step(vm)[0] == "call_async"
    with pytest.raises(TypeError):
        vm.feed_async_error("not an exception")
    vm.feed_async_error(error)
    assert step(vm) == ("done", error)

    vm.start_program(program())
    assert step(vm)[0] == "call_async"
    vm.feed_async_error(ValueError)
    event, made = step(vm)
    assert (event, type(made), made.args) == ("done", ValueError, ())


@pytest.mark.parametrize("wrong", [3, None, ask])
def test_wrong_program_is_an_error_of_start_and_the_machine_stays_usable(wrong):
    vm = PyVM()
    for enter in (vm.start_program, vm.run, lambda p: vm.run_scoped(p, [])):
        with pytest.raises(TypeError):
            enter(wrong)
    assert vm.run(Pure(1)).value == 1


def test_machine_may_run_many_times_and_starts_anew():
    vm = PyVM()
    assert vm.run(Put("n", 1), handlers=[state]).raw_store == {"n": 1}
    assert vm.run(Get("n"), handlers=[state]).is_err()
    assert vm.run(ask(4), handlers=[echo]).value == 4


def test_run_scoped_takes_its_handlers_away_whatever_happens():
    vm = PyVM()
    assert vm.run_scoped(ask(1), [echo]).value == 1
    assert isinstance(vm.run(ask(1)).error, UnhandledEffectError)
    assert vm.run_scoped(raises(ValueError("x")), [writer]).is_err()
    with pytest.raises(SystemExit):
        vm.run_scoped(raises(SystemExit(1)), [writer, echo])
    for effect in (Ping(), Tell("x")):
        assert isinstance(vm.run(effect).error, UnhandledEffectError)


def test_machine_has_limits_and_trace():
    vm = PyVM(trace=True, limits=Limits(steps=20))
    r = vm.run(forever(), handlers=[echo])
    assert r.error.limit == "steps"
    assert len(r.trace) > 0
    assert vm.run(pings(2), handlers=[echo]).is_ok()


def test_dropped_machine_is_closed_like_a_coroutine():
    """Semantics 5: its suspended frames are closed at once."""
    log = []

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        finally:
            log.append("finally")

    vm = PyVM()
    vm.start_program(program())
    assert step(vm)[0] == "call_async"
    del vm
    gc.collect()
    assert log == ["finally"]


def test_dropped_machine_that_never_stepped_runs_nothing():
    log = []
    vm = PyVM()
    vm.start_program(Call(lambda: Pure(log.append("ran"))))
    del vm
    gc.collect()
    assert log == []
