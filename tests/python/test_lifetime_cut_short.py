"""Lifetimes, cut short at every moment: by a limit, by Ctrl-C, by the end of the machine (semantics 3 and 5)."""

from __future__ import annotations

import contextlib
import itertools
import signal

import pytest

from conftest import left_over, live_counts
from lifetime_law import BODIES, WAYS
from lifetimes import KINDS, Case, layers, names
from segue import Limits, Pure, PyVM, Tell, do, run, writer
from vocabulary import Ping, echo, keeper

HOOKED = ("handler", "interceptor", "handler")
SURROUNDINGS = [((), ()), (HOOKED, ("handler",)), (KINDS, KINDS[::-1])]
PAIRS = [
    (way, body)
    for way, body in itertools.product(WAYS, BODIES)
    if body != "signalled" and way not in {"foreign: thread", "program interrupted"}
]
every_lifetime = pytest.mark.parametrize(("way", "body"), PAIRS, ids=[" - ".join(pair) for pair in PAIRS])


@pytest.fixture(autouse=True)
def sigint():
    """A test that runs in the background of a shell has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def each_surroundings(way, body, *, log=list):
    """For each surroundings, a way to make the same case again and again."""
    for inside, outside in SURROUNDINGS:

        def case(*args, inside=inside, outside=outside):
            return Case(names("segue"), way, body, layers("inside", inside), layers("outside", outside), log(*args))

        yield case


def nothing_is_left(case, before):
    """L3.17: no frame is suspended, although the case holds the generators, and the machine holds nothing."""
    assert case.suspended() == []
    assert left_over(before) == {}


# By a limit.


def steps_of(case):
    try:
        return run(case.program()).usage.steps
    except KeyboardInterrupt as e:
        return e.run_result.usage.steps


def limited(make, grace):
    """The case, run within each number of steps that is too small."""
    for steps in range(1, steps_of(make())):
        before, case = live_counts(), make()
        with contextlib.suppress(KeyboardInterrupt):
            run(case.program(), limits=Limits(steps=steps, grace=grace))
        nothing_is_left(case, before)
        yield case


@every_lifetime
def test_limit_at_every_step_leaves_every_block_once(way, body, unraisable):
    """Within the grace the clean-up performs (L5.14)."""
    for make in each_surroundings(way, body):
        for case in limited(make, grace=10_000):
            assert case.open_blocks() == {}


@every_lifetime
def test_limit_without_grace_at_every_step_leaves_no_frame_suspended(way, body, unraisable):
    """What is left is closed without effects (L5.15): its `finally` runs to the end, whatever it would perform."""
    for make in each_surroundings(way, body):
        for _ in limited(make, grace=0):
            pass


# By Ctrl-C.


class InterruptingLog(list):
    """Ctrl-C at certain entries."""

    def __init__(self, *at):
        self.at = at

    def append(self, entry):
        super().append(entry)
        if len(self) in self.at:
            signal.raise_signal(signal.SIGINT)


def interrupted(case):
    """Whether Ctrl-C came out of the run."""
    try:
        run(case.program())
    except KeyboardInterrupt:
        return True
    return False


@every_lifetime
def test_interrupt_at_every_moment_leaves_every_block_once(way, body, unraisable):
    for make in each_surroundings(way, body, log=InterruptingLog):
        for entry in itertools.count(1):
            before, case = live_counts(), make(entry)
            raised = interrupted(case)
            nothing_is_left(case, before)
            assert case.open_blocks() == {}
            if len(case.log) < entry:
                break
            assert raised or body == "raises"  # in a `finally`, where that takes the place of Ctrl-C as ever
        assert entry > 3


@every_lifetime
def test_second_interrupt_at_every_moment_leaves_no_frame_suspended(way, body, unraisable):
    """It closes what is left without effects."""
    for make in each_surroundings(way, body, log=InterruptingLog):
        for first in itertools.count(1):
            for second in range(first + 1, first + 4):
                before, case = live_counts(), make(first, second)
                raised = interrupted(case)
                nothing_is_left(case, before)
                assert raised or body == "raises" or len(case.log) < first
            if len(case.log) < first:
                break
        assert first > 3


def test_interrupt_that_comes_after_the_last_yield_carries_what_the_run_came_to():
    """Semantics 4: what is no `Exception` is raised with the result so far."""

    @do
    def program():
        yield Tell("told")
        signal.raise_signal(signal.SIGINT)
        return "value"

    with pytest.raises(KeyboardInterrupt) as caught:
        run(program(), handlers=[writer])
    assert (caught.value.run_result.value, list(caught.value.run_result.log)) == ("value", ["told"])


# By the end of the machine.


@every_lifetime
def test_machine_dropped_after_every_step_leaves_every_block_once(way, body, unraisable):
    for make in each_surroundings(way, body):
        for steps in itertools.count():
            before, case = live_counts(), make()
            vm = PyVM()
            vm.start_program(case.program())
            ended = any(vm.step_once() != ("continue",) for _ in range(steps))
            del vm
            nothing_is_left(case, before)
            assert case.open_blocks() == {}
            if ended:
                break
        assert steps > 3


def failing_clean_up(error):
    @do
    def program():
        try:
            yield Ping(1)
            yield Ping(2)
        finally:
            raise error

    return program()


def kept_with_a_failing_clean_up(error):
    kept = []

    @do
    def program():
        yield keeper(kept)(failing_clean_up(error))
        yield Pure(kept)

    return program()


@pytest.mark.parametrize("error", [ValueError("clean-up"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("program", [failing_clean_up, kept_with_a_failing_clean_up])
@pytest.mark.parametrize("steps", [3, 4])
def test_error_of_the_clean_up_of_a_dropped_machine_is_unraisable(program, steps, error, unraisable):
    """Semantics 4: nobody waits for it, and like that of a collected coroutine it is not swallowed."""
    vm = PyVM()
    vm.start_program(program(error), handlers=[echo])
    for _ in range(steps):
        assert vm.step_once() == ("continue",)
    del vm
    assert unraisable == [error]


def test_unobserved_error_of_a_machine_whose_result_nobody_took_is_unraisable(unraisable):
    error = ValueError("clean-up")
    vm = PyVM()
    vm.start_program(kept_with_a_failing_clean_up(error), handlers=[echo])
    while vm.step_once() == ("continue",):
        pass
    del vm
    assert unraisable == [error]
