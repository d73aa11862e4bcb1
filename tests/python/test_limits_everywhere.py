"""Semantics 5: no bound is got round: by what makes no step, by swallowing, by forks, by lazy values (C-rows)."""

import pytest

from segue import (
    Ask,
    CreateContinuation,
    Effect,
    Inherit,
    LimitExceeded,
    Limits,
    Pure,
    PyVM,
    Seal,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(effect):
    return effect.n


@do
def values_for_ever():
    while True:
        yield Pure(None)


def spin(_=None):
    return Pure(None).flat_map(spin)


@pytest.mark.parametrize("program", [values_for_ever, spin], ids=["values", "flat_map"])
def test_c101_loop_that_makes_no_step_ends_by_the_bound_on_steps(program):
    error = run(program(), limits=Limits(steps=10)).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "steps"


def test_c101_work_without_steps_that_ends_is_not_bounded():
    program = Pure(0)
    for _ in range(100_000):
        program = program.map(lambda n: n + 1)
    result = run(program, limits=Limits(steps=1))
    assert (result.value, result.usage.steps) == (100_000, 0)


@pytest.mark.parametrize("limits", [Limits(steps=10, grace=5), Limits(seconds=0.0, grace=5)], ids=["steps", "seconds"])
def test_c102_program_that_swallows_the_limit_and_makes_no_more_steps_is_closed(limits):
    log = []

    @do
    def stubborn():
        try:
            while True:
                yield Ping()
        except LimitExceeded:
            log.append("swallowed")
        try:
            yield values_for_ever()
        finally:
            log.append("closed")

    result = run(stubborn(), handlers=[echo], limits=limits)
    assert isinstance(result.error, LimitExceeded)
    assert log == ["swallowed", "closed"]


def test_c103_depth_counts_the_chain_and_not_what_is_kept_beside_it():
    @do
    def waits():
        yield Ping()

    kept = []

    @handles(Ping)
    def keeps(effect, k):
        kept.append(k.keep())

    @do
    def down(n):
        return n if n == 0 else (yield down(n - 1))

    @do
    def program(n):
        for _ in range(50):
            yield WithHandler(keeps, waits())
        return (yield down(n))

    assert run(program(8), limits=Limits(depth=10)).value == 0
    error = run(program(9), limits=Limits(depth=10)).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "depth"


@do
def child():
    yield Ping()


def layers(program, n):
    """One handler, one interceptor and one wall, n times."""
    for _ in range(n):
        program = WithHandler(state, WithIntercept(lambda effect: effect, Seal([Ping], program)))
    return program


def test_c104_forks_ask_for_their_segments():
    log = []

    @handles(Ping)
    def spawns(effect, k):
        try:
            yield Inherit(k, Pure("child"))
        except LimitExceeded as error:
            log.append((error.limit, error.value))
            raise

    def bounded(segments):
        return run(WithHandler(spawns, layers(child(), 10)), limits=Limits(segments=segments))

    assert bounded(70).is_ok()
    assert isinstance(bounded(40).error, LimitExceeded)
    assert log == [("segments", 40)]


def test_c104_lazy_values_ask_for_the_segment_that_they_run_in():
    def bounded(segments):
        return run(Ask("n"), handlers=[reader({"n": lazy(Pure(1))})], limits=Limits(segments=segments))

    needed = next(n for n in range(1, 10) if bounded(n).is_ok())
    assert needed == bounded(needed).usage.segments
    error = bounded(needed - 1).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "segments"


def test_unstarted_continuations_ask_for_their_segments():
    @do
    def hoards():
        held = []
        while True:
            held.append((yield CreateContinuation(Pure(1), [])))

    error = run(hoards(), limits=Limits(segments=30)).error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "segments"


@pytest.mark.timeout(60)
def test_d101_stepping_and_a_bound_on_depth_cost_the_same_at_any_depth():
    """Neither walks the chain at each step: with 100 000 handlers around it that would take minutes."""

    @do
    def rounds():
        for _ in range(100_000):
            yield child()

    program = rounds()
    for _ in range(100_000):
        program = WithHandler(echo, program)
    vm = PyVM(limits=Limits(depth=10))
    vm.start_program(program)
    while vm.step_once() == ("continue",):
        pass
    assert vm.finish().usage.steps == 300_001
