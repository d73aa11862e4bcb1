"""Semantics 7: `Sleep`, `Now` and the virtual clock, whose time jumps to the next timer when no task can run."""

import math
import time

import pytest

from builtins_vocabulary import caught, sequence
from segue import DeadlockError, Gather, Now, Sleep, Spawn, VirtualClock, Wait, Yield, do, run, timeout
from tasks_vocabulary import frames, naps, result, schedulers, spawn_all, takes_turns, timed, turns_of_all, value

pytestmark = schedulers
GENEROUS = 60


@do
def noted(seconds, log, name):
    yield Sleep(seconds)
    log.append((name, (yield Now())))


def test_time_begins_where_the_clock_says_and_is_a_float(make):
    for start in (0, 100, -3.5):
        now = value(make, Now(), start=start)
        assert now == start
        assert type(now) is float


def test_time_stands_still_while_a_task_can_run(make):
    assert value(make, sequence(turns_of_all(100), Now(), takes_turns([], "x", 50), Now())) == [None, 0.0, "x", 0.0]


def test_time_jumps_to_the_next_timer(make):
    begun = time.monotonic()
    assert value(make, sequence(Sleep(3600 * 24 * 365), Now())) == [None, 31536000.0]
    assert time.monotonic() - begun < GENEROUS


def test_sleeps_overlap(make):
    log = []

    @do
    def program():
        tasks = yield spawn_all(*(noted(n, log, n) for n in (3, 1, 2, 1.5)))
        yield Gather(*tasks)
        return (yield Now())

    assert value(make, program()) == 3.0
    assert log == [(1, 1.0), (1.5, 1.5), (2, 2.0), (3, 3.0)]


def test_sleeps_that_end_at_the_same_time_end_in_their_order(make):
    log = []

    @do
    def program():
        tasks = yield spawn_all(*(noted(1, log, n) for n in range(50)))
        yield Sleep(0.5)
        tasks += yield spawn_all(*(noted(0.5, log, n) for n in range(50, 60)))
        yield Gather(*tasks)

    assert value(make, program()) is None
    assert log == [(n, 1.0) for n in range(60)]


def test_many_timers_go_off_in_the_order_of_their_times(make):
    log = []

    @do
    def program():
        yield Gather(*(yield spawn_all(*(noted(n * 7919 % 1009, log, n) for n in range(500)))))

    assert value(make, program()) is None
    assert log == sorted(((n, float(n * 7919 % 1009)) for n in range(500)), key=lambda entry: entry[1])


def test_sleeps_add_up_without_drift(make):
    """A sleep ends at its time, not at the one of another timer."""
    log = []

    @do
    def ticks(name, step, count):
        for _ in range(count):
            yield noted(step, log, name)

    @do
    def program():
        yield Gather(*(yield spawn_all(ticks("a", 2, 3), ticks("b", 3, 2))))

    assert value(make, program()) is None
    assert log == [("a", 2.0), ("b", 3.0), ("a", 4.0), ("b", 6.0), ("a", 6.0)]


def test_sleep_of_nothing_gives_way_once_like_yield(make):
    log = []

    @do
    def gives_way(name, effect):
        for turn in range(3):
            log.append(f"{name}{turn}")
            assert (yield effect) is None

    @do
    def program():
        yield Gather(*(yield spawn_all(gives_way("a", Sleep(0)), gives_way("b", Yield()), gives_way("c", Sleep(0.0)))))
        return (yield Now())

    assert value(make, program()) == 0.0
    assert log == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


@pytest.mark.parametrize("seconds", [-1, -1e-9, math.nan, -math.inf, None, "1", [1]])
def test_sleep_of_what_is_no_time_is_a_value_error_at_the_yield(make, seconds):
    error = value(make, caught(Sleep(seconds), ValueError))
    assert frames(error) == ["caught"]


@pytest.mark.parametrize("seconds", [math.inf, 1e300])
def test_sleep_without_an_end_lasts_until_it_is_broken_off(make, seconds):
    """It is no timer that a clock could jump to."""
    assert value(make, timed(timeout(5, Sleep(seconds)))) == (TimeoutError, 5.0)
    assert isinstance(value(make, caught(Sleep(seconds), DeadlockError)), DeadlockError)


def test_negative_zero_is_zero(make):
    assert value(make, timed(Sleep(-0.0))) == (None, 0.0)


def test_tasks_that_can_run_go_before_the_next_timer(make):
    log = []

    @do
    def busy():
        yield Sleep(1)
        yield takes_turns(log, "turn", 3)

    @do
    def program():
        task = yield Spawn(busy())
        yield noted(1.5, log, "timer")
        yield Wait(task)

    assert value(make, program()) is None
    assert log == ["turn0", "turn1", "turn2", ("timer", 1.5)]


def test_clocks_of_runs_are_their_own(make):
    """A clock starts again in each run, or goes on: never back, and never shared with one of its own."""
    assert [value(make, timed(naps(5)))[1] for _ in range(2)] == [5.0, 5.0]
    clock = VirtualClock(start=1)
    first = run(timed(naps(5)), handlers=[make(clock=clock)]).value[1]
    other = run(timed(naps(5)), handlers=[make(clock=VirtualClock(start=1))]).value[1]
    assert first == other == 6.0


# The wall clock.


def test_wall_clock_tells_the_time_since_the_epoch(make):
    before = time.time()
    now = run(Now(), handlers=[make()]).value
    assert before - 1 <= now <= time.time() + 1


def test_wall_clock_sleeps_at_least_as_long_as_it_says(make):
    @do
    def program():
        begun = yield Now()
        yield Gather(*(yield spawn_all(*[naps(0.02)] * 20)))
        return (yield Now()) - begun

    begun = time.monotonic()
    assert 0.0199 <= run(program(), handlers=[make()]).value < GENEROUS
    assert 0.0199 <= time.monotonic() - begun < GENEROUS


def test_wall_clock_wakes_in_the_order_of_the_times(make):
    log = []

    @do
    def program():
        yield Gather(*(yield spawn_all(*(noted(n / 100, log, n) for n in (3, 1, 2)))))

    assert run(program(), handlers=[make()]).is_ok()
    assert [name for name, _ in log] == [1, 2, 3]
    assert [now for _, now in log] == sorted(now for _, now in log)


def test_tasks_run_while_another_sleeps_on_the_wall_clock(make):
    log = []

    @do
    def program():
        sleeper = yield Spawn(noted(0.01, [], "sleeper"))
        while not sleeper.done:
            log.append("turn")
            yield Yield()

    assert run(program(), handlers=[make()]).is_ok()
    assert len(log) > 10


def test_virtual_time_leaves_the_wall_clock_alone(make):
    begun = time.monotonic()
    assert result(make, sequence(*[Sleep(100)] * 100, Now())).value[-1] == 10_000.0
    assert time.monotonic() - begun < GENEROUS
