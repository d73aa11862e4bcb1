"""The collector comes at every moment of a run, and changes nothing (M08, M10)."""

from __future__ import annotations

import functools
import gc
import threading
import weakref

import pytest

from conftest import left_over, live_counts
from lifetime_law import BODIES, WAYS, Law
from lifetimes import KINDS, Case, layers, names
from segue import (
    Effect,
    Get,
    Handler,
    Put,
    PyVM,
    Resume,
    Tell,
    Try,
    VMStateError,
    WithIntercept,
    answers,
    do,
    handles,
    run,
    state,
    writer,
)


class Ping(Effect[object]):
    payload: object = None


@answers(Ping)
def echo(e):
    return e.payload


@pytest.fixture(autouse=True, scope="module")
def only_what_these_tests_make_is_collected():
    """Collecting is then a matter of microseconds, and may be done at every moment."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def always():
    """A collection, of all generations, at every allocation of a container."""
    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*threshold)


class Cycle:
    """Garbage that only the collector finds; what it does then is given."""

    def __init__(self, then):
        self.me, self.then = self, then

    def __del__(self):
        self.then()


# M08: lifetimes, with a collection wherever user code is.


class CollectingLog(list):
    """Leaves garbage and collects it at each entry, in finalizers too."""

    def append(self, entry):
        Cycle(gc.collect)
        gc.collect()
        super().append(entry)


SURROUNDINGS = [((), ()), (KINDS, ()), ((), KINDS), (KINDS, KINDS[::-1]), (KINDS[::-1], KINDS)]


def agrees_with_the_law(way, body, inside, outside, log):
    before = live_counts()
    case = Case(names("segue"), way, body, layers("inside", inside), layers("outside", outside), log=log)
    outcome, unobserved = case.run()
    law = Law(case.way, case.body, case.inside, case.outside)
    assert list(case.log) == law.log
    assert (outcome, [type(e).__name__ for e in unobserved]) == (law.outcome, law.unobserved)
    assert case.suspended() == []
    assert left_over(before) == {}


every_lifetime = pytest.mark.parametrize(
    ("way", "body"), [(way, body) for way in WAYS for body in BODIES if body != "signalled" and "thread" not in way]
)


@every_lifetime
def test_m08_collection_in_every_clause_hook_interceptor_and_clean_up(way, body, unraisable):
    for inside, outside in SURROUNDINGS:
        agrees_with_the_law(way, body, inside, outside, CollectingLog())


@every_lifetime
def test_m08_collection_at_every_allocation_of_every_lifetime(way, body, unraisable, always):
    for inside, outside in SURROUNDINGS:
        agrees_with_the_law(way, body, inside, outside, [])


def test_m08_a_whole_run_with_threshold_one_gives_what_it_gives_without(always):
    @handles(Ping)
    def non_tail(e, k):
        return (e.payload, (yield Resume(k, e.payload)))

    @do
    def inner(n):
        yield Put("sum", (yield Get("sum")) + n)
        r = yield Try(Ping(n))
        yield Tell([r.value])
        return r.value

    @do
    def program():
        values = []
        for n in range(10):
            values.append((yield inner(n)))  # noqa: PERF401  (no yield stands in a comprehension)
        return values

    r = run(program(), handlers=[state({"sum": 0}), writer, non_tail])
    nested = list(range(10))
    for n in reversed(range(10)):
        nested = (n, nested)
    assert r.value == nested
    assert (r.raw_store, list(r.log)) == ({"sum": 45}, [[n] for n in range(10)])


def test_m08_lost_k_in_a_cycle_is_unwound_once_wherever_the_collector_finds_it(always):
    log = []

    @handles(Ping)
    def loses(e, k):
        cycle = [k.keep()]
        cycle.append(cycle)

    @do
    def body(n):
        try:
            yield Ping(n)
        finally:
            log.append(n)

    @do
    def program():
        for n in range(50):
            yield loses(body(n))

    assert run(program()).is_ok()
    assert sorted(log) == list(range(50))


# M10: the collector, while a step holds the machine.


def between_steps(vm):
    """Steps to the end, and collects between any two steps."""
    while (event := vm.step_once()) == ("continue",):
        gc.collect()
    return event


def test_m10_traversal_shows_a_machine_between_steps_and_nothing_of_one_that_is_at_work():
    marker = object()
    seen = []
    vm = PyVM()

    @answers(Ping)
    def looks(e):
        seen.append(("at work", found(vm, marker)))
        gc.collect()
        return e.payload

    @do
    def program():
        for _ in range(3):
            yield Ping([marker])
        return marker

    def found(one, target, depth=5):
        return one is target or (depth > 0 and any(found(x, target, depth - 1) for x in held(one)))

    def held(one):
        return [x for x in gc.get_referents(one) if not isinstance(x, type) and x is not globals()]

    vm.start_program(program(), handlers=[looks])
    while (event := vm.step_once()) == ("continue",):
        seen.append(("between", any(type(x).__name__ in {"generator", "Call"} for x in gc.get_referents(vm))))
    assert event == ("done", marker)
    assert ("at work", True) not in seen
    assert seen.count(("at work", False)) == 3
    assert ("between", True) in seen


class Finder(Handler):
    """Collects in its whole life cycle."""

    def enter(self):
        gc.collect()

    @answers(Ping)
    def ping(self, e):
        gc.collect()
        return e.payload

    def result(self, value):
        gc.collect()
        yield Tell("result")
        gc.collect()
        return value

    def exit(self):
        gc.collect()
        yield Tell("exit")


@do
def work(n):
    total = 0
    for i in range(n):
        total += yield Ping(i)
        r = yield Try(Ping(i).map(lambda x: (gc.collect(), x)[1]))
        total += r.value
        yield Put("n", total)
    return total


def collects(effect):
    gc.collect()
    return effect


def test_m10_collection_within_every_step_of_a_machine():
    before = live_counts()
    vm = PyVM(trace=True)
    vm.start_program(Finder()(WithIntercept(collects, work(10))), handlers=[state, writer])
    assert between_steps(vm) == ("done", 90)
    r = vm.finish()
    assert (r.value, r.raw_store, list(r.log)) == (90, {"n": 90}, ["result", "exit"])
    del vm, r
    assert left_over(before) == {}


def test_m10_finalizers_that_come_while_a_step_holds_the_machine_find_it_taken(always):
    """A finalizer steps and feeds the machine, runs programs of its own, and drops other machines."""
    before = live_counts()
    stepping, said = [False], []

    def meddle(vm):
        if not stepping[0]:
            return
        for act in (vm.step_once, lambda: vm.feed_async_result(1), vm.finish):
            with pytest.raises(VMStateError):
                act()
        said.append(run(Ping("nested"), handlers=[echo]).value)
        other = PyVM()
        other.start_program(Ping(), handlers=[echo])
        other.step_once()

    @do
    def program(vm):
        total = 0
        for i in range(30):
            Cycle(functools.partial(meddle, vm))
            total += yield Try(Ping(i)).map(lambda r: r.value)
        return total

    vm = PyVM()
    vm.start_program(program(vm), handlers=[echo])
    event = ("continue",)
    while event == ("continue",):
        stepping[0] = True
        event = vm.step_once()
        stepping[0] = False
    assert event == ("done", 435)
    assert len(said) > 10
    del vm
    gc.collect()
    assert left_over(before) == {}


def test_m10_continuations_that_die_while_a_step_holds_the_machine_are_unwound_by_it(always):
    """The collector drops kept continuations of this run in the middle of its steps."""
    log = []

    @handles(Ping)
    def loses(e, k):
        Cycle(functools.partial(bool, k.keep()))

    @do
    def body(n):
        try:
            yield Ping(n)
        finally:
            log.append((yield Ping2(n)))

    class Ping2(Effect[int]):
        n: int

    @answers(Ping2)
    def inside(e):
        return e.n

    @do
    def program():
        for n in range(30):
            yield Try(loses(inside(body(n))))
        return "done"

    vm = PyVM()
    vm.start_program(program())
    assert between_steps(vm) == ("done", "done")
    assert sorted(log) == list(range(30))


def test_m10_collection_in_another_thread_while_a_step_holds_the_machine():
    before = live_counts()
    at_work, collected = threading.Event(), threading.Event()

    def collector():
        for _ in range(20):
            at_work.wait(30)
            at_work.clear()
            gc.collect()
            collected.set()

    @answers(Ping)
    def waits(e):
        collected.clear()
        at_work.set()
        assert collected.wait(30)
        return e.payload

    @do
    def program():
        total = 0
        for i in range(20):
            total += yield Ping(i)
        return total

    thread = threading.Thread(target=collector, daemon=True)
    thread.start()
    vm = PyVM()
    vm.start_program(program(), handlers=[waits])
    while (event := vm.step_once()) == ("continue",):
        pass
    thread.join(30)
    assert event == ("done", 190)
    del vm
    assert left_over(before) == {}


def test_m10_weak_reference_callbacks_during_steps_change_nothing(always):
    called = []
    vm = PyVM()

    def callback(_):
        gc.collect()
        called.append(gc.get_referents(vm) is not None)

    refs = []

    @do
    def program():
        for i in range(10):
            garbage = Cycle(lambda: None)
            refs.append(weakref.ref(garbage, callback))
            del garbage
            yield Try(Ping(i))
        return "done"

    vm.start_program(program(), handlers=[echo])
    while (event := vm.step_once()) == ("continue",):
        pass
    gc.collect()
    assert event == ("done", "done")
    assert called == [True] * 10
