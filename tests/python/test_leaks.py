"""What a run leaves behind: nothing (M-rows of the faults)."""

import gc
import sys
import weakref

import pytest

from leak_scenarios import SCENARIOS, Ping, Token, ask, echo, ends, raises
from segue import (
    Call,
    Get,
    Handler,
    Listen,
    Pure,
    Put,
    PyVM,
    Tell,
    Try,
    WithHandler,
    answers,
    do,
    handles,
    reader,
    run,
    state,
    writer,
)
from segue._vm import vm_live_counts

all_scenarios = pytest.mark.parametrize("name", SCENARIOS)


@all_scenarios
def test_nothing_of_the_machine_is_left(name):
    """Targets: live segments, frames and continuations are what they were, after every run."""
    before = vm_live_counts()
    SCENARIOS[name](Token())
    gc.collect()
    assert vm_live_counts() == before


@all_scenarios
def test_payload_is_released(name):
    token = Token()
    ref = weakref.ref(token)
    for _ in range(3):
        SCENARIOS[name](token)
    del token
    gc.collect()
    assert ref() is None


@all_scenarios
def test_m12_reference_counts_do_not_grow(name):
    """In the small: what a scenario touches has the count that it had before."""
    token = Token()
    watched = (token, Token, ValueError, Ping, echo, ends, ask, raises, state, writer, reader, Pure, run)
    SCENARIOS[name](token)  # caches are warm now
    gc.collect()
    before = [sys.getrefcount(x) for x in watched]
    for _ in range(20):
        SCENARIOS[name](token)
    gc.collect()
    grown = [after - b for after, b in zip([sys.getrefcount(x) for x in watched], before, strict=True)]
    assert max(grown) <= 2, grown  # an inline cache of the interpreter may hold one


@all_scenarios
def test_m08_every_scenario_runs_with_gc_at_each_allocation(name):
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        SCENARIOS[name](Token())
    finally:
        gc.set_threshold(*threshold)


def test_counts_see_what_lives_in_a_run():
    """Without this the tests above could not fail."""
    before = vm_live_counts()
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    @do
    def program():
        empty = vm_live_counts()
        yield keeps(ask())
        return empty, vm_live_counts()

    first, second = run(program()).value
    assert first["segments"] > before["segments"]
    assert first["frames"] > before["frames"]
    assert second["continuations"] == first["continuations"] + 1
    assert second["segments"] > first["segments"]
    assert vm_live_counts() == before


def test_m15_payloads_are_not_copied():
    payload = bytearray(50_000_000)

    @do
    def program():
        yield Put("p", (yield Ping(payload)))
        yield Tell((yield Get("p")))
        return (yield Listen(Tell(payload)))[1][0]

    r = run(program(), handlers=[state, writer, echo])
    assert r.value is payload
    assert r.raw_store["p"] is payload
    assert all(entry is payload for entry in r.log)


def test_m08_results_are_right_with_gc_at_each_allocation():
    @do
    def program(n):
        total = 0
        for i in range(n):
            total += yield Ping(i)
            yield Put("n", total)
            ended = yield WithHandler(ends, ask(i))
            assert ended == i
        return total, (yield Get("n"))

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert run(program(50), handlers=[state, echo]).value == (1225, 1225)
    finally:
        gc.set_threshold(*threshold)


def test_m10_gc_while_a_step_holds_the_machine():
    """In clauses, finalizers, functions of nodes and between steps."""
    collected = []

    class Collects:
        def __del__(self):
            collected.append(gc.collect())

    @answers(Ping)
    def clause(e):
        gc.collect()
        gc.get_referrers(e)
        cycle = [Collects()]
        cycle.append(cycle)
        return 1

    def collects(x):
        gc.collect()
        return x

    @do
    def program():
        total = 0
        for _ in range(5):
            total += yield Ping(Collects()).map(collects)
        return total

    assert run(program(), handlers=[clause]).value == 5
    vm = PyVM()
    vm.start_program(program(), handlers=[clause])
    while (event := vm.step_once()) == ("continue",):
        gc.collect()
    assert event == ("done", 5)


def test_cycle_through_a_program_is_collected():
    def make():
        token = Token()
        box = [token]
        box.append(Try(ask(box)).map(lambda x: (x, box)))
        return weakref.ref(token)

    ref = make()
    gc.collect()
    assert ref() is None


def test_cycle_through_a_handler_object_is_collected():
    class Holds(Handler):
        @answers(Ping)
        def ping(self, e):
            return 1

    handler = Holds()
    handler.program = WithHandler(handler, ask())
    ref = weakref.ref(handler)
    assert run(handler.program).value == 1
    del handler
    gc.collect()
    assert ref() is None


def test_cycle_through_a_machine_is_collected():
    @do
    def waits(box):
        yield Ping(box)  # no clean-up that performs: a generator that gc finalizes cannot

    token = Token()
    ref = weakref.ref(token)
    vm = PyVM()
    box = [token, vm]
    vm.start_program(waits(box), handlers=[echo])
    vm.step_once()
    del token, vm, box
    gc.collect()
    assert ref() is None


def test_error_of_a_result_is_released_with_it():
    token = Token()
    ref = weakref.ref(token)
    r = run(raises(token), handlers=[echo])
    del token
    assert ref() is not None
    del r
    gc.collect()
    assert ref() is None


def test_value_that_a_program_no_longer_needs_is_released_during_the_run():
    """A body's value lives no longer than in plain Python."""
    seen = []

    @do
    def program():
        token = yield Call(lambda: Pure(Token()))
        ref = weakref.ref(token)
        del token
        yield Pure(None)
        gc.collect()
        seen.append(ref())

    run(program())
    assert seen == [None]
