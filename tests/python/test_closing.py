"""A VM that is dropped or collected, and an interrupt that comes to the wrong run (semantics 4 and 5)."""

from __future__ import annotations

import gc
import os
import signal
import weakref

import pytest

from segue import Effect, Get, Pure, PyVM, VMStateError, answers, do, run, state


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def one(effect):
    return 1


def started(log):
    @do
    def program():
        try:
            yield Ping()
            yield Ping()
        finally:
            yield Ping()
            log.append("cleaned")

    vm = PyVM()
    vm.start_program(program(), [one])
    vm.step_once()
    vm.step_once()
    return vm


def test_vm_dropped_while_an_exception_passes_keeps_both():
    log = []
    with pytest.raises(TypeError, match="int"):
        int(started(log))
    with pytest.raises(VMStateError):
        started(log).run(Ping())
    assert log == ["cleaned", "cleaned"]


def test_vms_that_hold_each_other_are_all_closed():
    log = []

    def holds(inner, n):
        try:
            yield Ping()
            yield Ping()
        finally:
            del inner
            log.append(n)

    vm = None
    for n in range(20):
        outer = PyVM()
        outer.start_program(holds(vm, n), [one])
        outer.step_once()
        outer.step_once()
        vm = outer
    del vm, outer
    assert sorted(log) == list(range(20))


def test_vm_in_a_cycle_through_its_store_is_collected():
    class Box:
        pass

    @do
    def program():
        yield Ping()
        yield Ping()

    box = Box()
    box.vm = PyVM()
    box.vm.start_program(program(), [one, state], store={"me": box})
    box.vm.step_once()
    gone = weakref.ref(box)
    del box
    gc.collect()
    assert gone() is None


def test_stop_iteration_of_a_key_is_a_runtime_error():
    class Key:
        def __hash__(self):
            raise StopIteration("hash")

    error = run(Get(Key()), handlers=[state]).error
    assert isinstance(error, RuntimeError)
    assert isinstance(error.__cause__, StopIteration)


def test_interrupt_that_comes_too_late_for_an_inner_run_reaches_the_outer_one():
    performed = []

    @do
    def inner():
        performed.append(1)
        if len(performed) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return 1
        yield

    @answers(Ping)
    def nested(effect):
        return run(inner()).value

    @do
    def loop():
        for _ in range(1000):
            yield Ping()

    # A test that runs in the background of a shell has SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(loop(), handlers=[nested])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(performed) <= 4


class Box:
    pass


@pytest.mark.parametrize("first", ["vm", "program"])
def test_m101_vm_that_the_collector_finds_performs_its_clean_up(first):
    """Whichever is older: nothing of the cycle is finalised before the program is closed."""
    log = []

    @answers(Ping)
    def counts(effect):
        log.append(effect.n)
        return 1

    def body(box):
        try:
            yield Ping(1)
            yield Ping(2)
        finally:
            yield Ping(3)
            log.append(type(box.vm).__name__)

    box = Box()
    if first == "vm":
        box.vm = PyVM()
        program = body(box)
    else:
        program = body(box)
        box.vm = PyVM()
    box.vm.start_program(program, [counts])
    while not log:
        box.vm.step_once()
    del box, program
    gc.collect()
    assert log == [1, 3, "PyVM"]


def test_m101_vm_that_ended_and_was_not_asked_is_collected():
    box = Box()
    box.vm = PyVM()

    box.vm.start_program(Pure(box))
    while box.vm.step_once()[0] != "done":
        pass
    gone = weakref.ref(box)
    del box
    gc.collect()
    assert gone() is None
