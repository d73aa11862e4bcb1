"""Tasks take turns on the short way as they do on the long way (decision 36).

A trace closes the short way. What a program comes to, the order of all that happens, and what it used have to be equal.
"""

from __future__ import annotations

import contextvars
import gc
import os
import threading

import pytest

from segue import (
    Acquire,
    CloseChannel,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    Deadline,
    Delegate,
    Gather,
    GetExecutionContext,
    Limits,
    Receive,
    Release,
    Resume,
    Send,
    SetEvent,
    Sleep,
    Spawn,
    Try,
    VirtualClock,
    Wait,
    Yield,
    answers,
    do,
    handles,
    run,
    scheduler,
)
from tasks_graphs import Play, graph

GRAPHS = int(os.environ.get("SEGUE_GRAPHS", "120"))
SEED = int(os.environ.get("SEGUE_SEED", "0"))

ROUNDS = 70
"""More than a look-around apart, so that the short way is left and entered again."""


def played(seed, order, limits, trace):
    """What happened in a graph of tasks, what it came to, and what it used."""
    play = Play(graph(seed))
    clock = VirtualClock()
    done = run(play.program(), handlers=[scheduler(seed=order, clock=clock)], limits=limits, trace=trace)
    outcome = done.value if done.is_ok() else repr(done.error)
    used = done.usage
    return outcome, play.trace, (used.steps, used.depth, used.segments, used.tasks, used.promises)


@pytest.mark.parametrize("part", range(4))
def test_random_graphs_of_tasks_are_the_same_on_both_ways(part, unraisable):
    """Under any order, and whichever bound is passed."""
    differ = []
    for seed in range(SEED + part, SEED + GRAPHS, 4):
        for order, limits in (
            (None, None),
            (seed, None),
            (None, Limits(steps=5 + 7 * (seed % 40), grace=200)),
            (None, Limits(segments=3 + seed % 9, grace=200)),
            (None, Limits(depth=1 + seed % 4, grace=200)),
        ):
            if played(seed, order, limits, trace=False) != played(seed, order, limits, trace=True):
                differ.append((seed, order, limits))
    assert differ == []


@do
def plays(ball, own, other, log, name):
    for _ in range(ROUNDS):
        got = yield Receive(own)
        log.append((name, got))
        yield Send(other, got + 1)
    yield Release(ball)
    return name


@do
def all_kinds(log):
    """A turn is left by each effect that may have to wait."""
    lock, here, there = (yield CreateLock()), (yield CreateChannel(1)), (yield CreateChannel(0))
    ball, gate, promise = (yield CreateSemaphore(2)), (yield CreateEvent()), (yield CreatePromise())

    @do
    def holds(name):
        for turn in range(ROUNDS):
            yield Acquire(lock)
            log.append((name, turn))
            yield Yield()
            yield Release(lock)
            yield Sleep(0.25 * (turn % 3))
        return name

    @do
    def waits(name):
        yield Wait(gate)
        log.append((name, "open"))
        return (yield Wait(promise))

    first, second = (yield Spawn(holds("first"))), (yield Spawn(holds("second")))
    waiting = (yield Spawn(waits("third"))), (yield Spawn(waits("fourth")))
    one = yield Spawn(plays(ball, here, there, log, "one"))
    two = yield Spawn(plays(ball, there, here, log, "two"))
    yield Acquire(ball)
    yield Acquire(ball)
    yield Send(here, 0)
    yield Acquire(ball)
    last = yield Receive(here)
    yield SetEvent(gate)
    yield Yield()
    yield CompletePromise(promise, 5)
    names = yield Gather(first, second, one, two, *waiting)
    yield CloseChannel(there)
    closed = yield Try(Receive(there))
    wrong = yield Try(Wait(lock))
    return last, names, repr(closed.error), repr(wrong.error)


@answers(Yield)
def gives_way_outside(effect):
    return (yield Delegate())


@handles(Receive, Acquire)
def asks_outside(effect, k):
    return (yield Resume(k, (yield Delegate())))


@pytest.mark.parametrize("between", [(), (gives_way_outside,), (asks_outside,), (gives_way_outside, asks_outside)])
def test_whoever_waits_for_whatever_has_its_turn_as_on_the_long_way(between):
    found = []
    for trace in (False, True):
        log = []
        done = run(all_kinds(log), handlers=[scheduler(clock=VirtualClock()), *between], trace=trace)
        found.append((done.value, log, done.usage.steps, done.usage.depth, done.usage.segments))
    assert found[0] == found[1]
    assert found[0][0][:2] == (2 * ROUNDS, ["first", "second", "one", "two", 5, 5])


@do
def turns(log, name, rounds):
    for turn in range(rounds):
        log.append((name, turn))
        yield Yield()
    return name


@do
def pair(log, rounds):
    first, second = (yield Spawn(turns(log, "first", rounds))), (yield Spawn(turns(log, "second", rounds)))
    return (yield Gather(first, second))


def test_a_bound_on_steps_is_passed_at_the_same_turn():
    """L5.1: wherever the bound is, between a task's leaving and the next one's going on too."""
    for steps in range(1, 45):
        found = []
        for trace in (False, True):
            log = []
            done = run(pair(log, 4), handlers=[scheduler], limits=Limits(steps=steps, grace=50), trace=trace)
            found.append((done.value if done.is_ok() else repr(done.error), log, done.usage.steps))
        assert found[0] == found[1], steps


def test_a_generator_that_is_given_to_run_counts_as_one_call():
    """L5: also where all it does is answered by the scheduler at once."""

    def program():
        lock = yield CreateLock()
        yield Acquire(lock)
        return lock.locked

    for trace in (False, True):
        done = run(program(), handlers=[scheduler], trace=trace)
        assert (done.value, done.usage.depth) == (True, 1)


@pytest.mark.parametrize("trace", [False, True])
def test_a_slice_begins_with_the_turn_whoever_had_it_before(trace):
    """A task that gave way has a whole slice again, also after one that ends at once."""
    log = []

    @do
    def steps():
        for turn in range(6):
            log.append(f"a{turn}")
            yield Yield() if turn == 1 else Deadline()

    @do
    def ends():
        log.append("b")
        yield Spawn(last())

    @do
    def last():
        log.append("c")
        yield Yield()

    @do
    def program():
        first, second = (yield Spawn(steps())), (yield Spawn(ends()))
        yield Gather(first, second)

    done = run(program(), handlers=[scheduler(slice=3)], trace=trace)
    assert done.is_ok()
    assert log == ["a0", "a1", "b", "a2", "a3", "a4", "a5", "c"]


def test_each_task_has_its_own_variables_at_each_turn():
    """L7: whoever goes on does so in its own context."""
    name = contextvars.ContextVar("name", default="root")

    @do
    def keeps(own):
        name.set(own)
        seen = set()
        for _ in range(ROUNDS):
            yield Yield()
            seen.add(name.get())
        return seen

    @do
    def program():
        tasks = (yield Spawn(keeps("a"))), (yield Spawn(keeps("b"))), (yield Spawn(keeps("c")))
        seen = yield Gather(*tasks)
        return seen, name.get()

    for trace in (False, True):
        assert run(program(), handlers=[scheduler], trace=trace).value == ([{"a"}, {"b"}, {"c"}], "root")
    assert name.get() == "root"


@pytest.mark.parametrize("trace", [False, True])
def test_a_task_whose_context_somebody_else_has_entered_is_told_where_it_waits(trace):
    """Its turn comes, and its code cannot run in its context: that is an error at its yield, and nobody else's."""
    mark = contextvars.ContextVar("mark")
    entered, leave = threading.Event(), threading.Event()
    threads = []

    def occupy(own):
        (context,) = [one for one in gc.get_objects() if isinstance(one, contextvars.Context) and one.get(mark) is own]
        threads.append(threading.Thread(target=context.run, args=(lambda: (entered.set(), leave.wait(30)),)))
        threads[0].start()
        assert entered.wait(30)

    @do
    def victim(own):
        mark.set(own)
        try:
            yield Yield()
        except RuntimeError as error:
            leave.set()
            threads[0].join()
            return str(error)
        return "nothing"

    @do
    def program():
        own = object()
        task = yield Spawn(victim(own))
        yield Yield()
        occupy(own)
        yield Yield()
        after = yield Spawn(victim(object()))
        return (yield Gather(task, after))

    try:
        told, after = run(program(), handlers=[scheduler], trace=trace).value
    finally:
        leave.set()
    assert "already entered" in told
    assert after == "nothing"


def test_an_error_at_a_turn_says_where_everybody_is():
    """A fault on the short way finds the generator that yielded on its stack."""

    @do
    def inner():
        lines = yield GetExecutionContext()
        yield Yield()
        yield Acquire(3)
        return lines

    @do
    def outer():
        return (yield inner())

    @do
    def program():
        tasks = (yield Spawn(outer())), (yield Spawn(outer()))
        return (yield Gather(*tasks))

    found = []
    for trace in (False, True):
        done = run(program(), handlers=[scheduler], trace=trace)
        notes = [note.replace("with tracing", "") for note in getattr(done.error, "__notes__", ())]
        found.append((repr(done.error), notes, done.usage.steps))
    assert found[0] == found[1]
    assert "Acquire" in found[0][0]


def test_what_a_task_leaves_is_let_go_before_the_next_one_goes_on():
    """The effect of who gave way dies as on the long way: before the generator that has the turn is stepped."""
    log = []

    class Kept:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            log.append(("gone", self.name))

    @do
    def sends(channel, name):
        for turn in range(3):
            log.append((name, turn))
            yield Send(channel, Kept(f"{name} {turn}"))

    @do
    def program():
        channel = yield CreateChannel(0)
        yield Spawn(sends(channel, "one"))
        yield Spawn(sends(channel, "two"))
        for _ in range(6):
            kept = yield Receive(channel)
            log.append(("received", kept.name))
            del kept
            yield Yield()

    found = []
    for trace in (False, True):
        log.clear()
        assert run(program(), handlers=[scheduler], trace=trace).is_ok()
        found.append(log[:])
    assert found[0] == found[1]
    assert len([1 for what, _ in found[0] if what == "gone"]) == 6
