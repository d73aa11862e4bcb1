"""Semantics 5: runs inside runs, and threads (C- and T-rows of the faults)."""

import gc
import threading

import pytest

from running_vocabulary import step
from segue import Get, Pure, Put, PyVM, VMStateError, WithHandler, do, run, state
from threads_vocabulary import at_once
from vocabulary import Ping, ask, echo

# Re-entrancy.


def test_c02_nested_run_in_a_program_sees_no_outer_handlers():
    @do
    def program():
        inner = run(ask(1))
        return inner.is_err(), run(ask(2), handlers=[echo]).value, (yield Ping(3))

    assert run(program(), handlers=[echo]).value == (True, 2, 3)


def test_run_inside_a_finalizer_works():
    results = []

    class Finalized:
        def __del__(self):
            results.append(run(ask(5), handlers=[echo]).value)

    @do
    def program():
        for _ in range(3):
            yield Put("x", Finalized())
        yield Put("x", None)

    assert run(program(), handlers=[state]).is_ok()
    gc.collect()
    assert results == [5, 5, 5]


def test_run_inside_every_function_that_the_machine_calls():
    def nested(value):
        assert run(ask(1), handlers=[echo]).value == 1
        return value

    program = Pure(3).map(nested).flat_map(lambda v: nested(Pure(v)))
    assert run(program).value == 3


def test_machine_inside_a_machine():
    outer_vm, inner_vm = PyVM(), PyVM()

    @do
    def program():
        return inner_vm.run(ask(2), handlers=[echo]).value + (yield Ping(3))

    assert outer_vm.run(program(), handlers=[echo]).value == 5


def test_machine_entered_from_its_own_program_says_so_and_goes_on():
    vm = PyVM()

    @do
    def program():
        with pytest.raises(VMStateError, match="already running"):
            vm.run(Pure(1))
        return (yield Ping(3))

    assert vm.run(program(), handlers=[echo]).value == 3
    assert vm.run(Pure(4)).value == 4


# Threads.


def test_t01_sixty_four_threads_each_with_its_own_run():
    @do
    def program(n):
        for _ in range(50):
            yield Put("n", (yield Get("n")) + n)
            yield Ping()
        return (yield Get("n"))

    def work(i):
        return run(program(i), handlers=[state({"n": 0}), echo]).value

    assert at_once(64, work) == [50 * i for i in range(64)]


def test_t02_one_machine_in_two_threads_refuses_the_second():
    vm = PyVM()
    refused = []

    def other_thread():
        try:
            vm.run(Pure(1))
        except VMStateError as e:
            refused.append(e)

    @do
    def program():
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        return (yield Ping(3))

    assert vm.run(program(), handlers=[echo]).value == 3
    assert len(refused) == 1


def test_t02_one_machine_shared_by_four_threads_gives_no_wrong_result():
    vm = PyVM()

    def work(i):
        outcomes = set()
        for _ in range(200):
            try:
                outcomes.add(vm.run(ask(i), handlers=[echo]).value)
            except VMStateError:
                outcomes.add("refused")
        return outcomes

    for i, outcomes in enumerate(at_once(4, work)):
        assert outcomes <= {i, "refused"}
    assert vm.run(ask(9), handlers=[echo]).value == 9


def test_machine_may_be_stepped_by_another_thread_than_its_maker():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    vm.step_once()
    assert at_once(1, lambda _: step(vm)) == [("done", 3)]


def test_handlers_may_be_shared_by_threads():
    handler = WithHandler(state({"n": 0}), Put("n", 1).flat_map(lambda _: Get("n")))
    assert at_once(8, lambda _: run(handler).value) == [1] * 8
