"""Threads (T-rows), as far as they do not stand in `test_running_threads.py` and with forks and free threading."""

import textwrap
import threading

import pytest

from child import run_child
from segue import Get, LimitExceeded, Limits, Pure, Put, PyVM, Resume, VMStateError, do, handles, run, state
from vocabulary import Ping, answers

# T10: other threads progress. The main one spins in the machine until another has had its turns.

NATIVE_LOOPS = {
    "state": (Put("n", 1), [state]),
    "read": (Get("n"), [state({"n": 1})]),
    "nodes": (Pure(1).map(int), []),
}


@pytest.mark.parametrize(("effect", "handlers"), NATIVE_LOOPS.values(), ids=NATIVE_LOOPS)
def test_t10_other_threads_progress_during_a_run_answered_by_native_handlers(effect, handlers):
    turns, started = [], threading.Event()

    def other():
        started.wait()
        for turn in range(20):
            turns.append(turn)
            threading.Event().wait(0.001)

    @do
    def loop():
        started.set()
        while len(turns) < 20:
            yield effect

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert run(loop(), handlers=handlers, limits=Limits(seconds=60)).is_ok()
    finally:
        thread.join()


def test_t10_other_threads_progress_during_a_run_without_a_line_of_python():
    """The loop ends by the limit; until then the other thread had its turns."""
    nothing = {}
    nothing[None] = Pure(None).flat_map(nothing.__getitem__)
    turns, ready, over = [], threading.Event(), threading.Event()

    def other():
        ready.set()
        while not over.wait(0.001):
            turns.append(1)

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    before = len(turns)
    error = run(nothing[None], limits=Limits(seconds=2)).error
    during = len(turns) - before
    over.set()
    thread.join()
    assert isinstance(error, LimitExceeded)
    assert during > 20


# Programs, handlers and machines that go from thread to thread.


def in_a_thread(work):
    """What `work` gives in a thread of its own."""
    given = []
    thread = threading.Thread(target=lambda: given.append(work()))
    thread.start()
    thread.join()
    return given[0]


def test_t01_programs_built_in_one_thread_run_and_are_dropped_in_others():
    @handles(Ping)
    def adds(effect, k):
        return Resume(k, effect.n + 1)

    def build():
        program = Pure(0)
        for _ in range(10_000):
            program = program.flat_map(Ping)
        return [program]

    box = in_a_thread(build)
    assert in_a_thread(lambda: run(box[0], handlers=[adds]).value) == 10_000
    assert in_a_thread(lambda: run(box[0], handlers=[adds]).value) == 10_000
    in_a_thread(box.clear)


def test_t02_machine_that_runs_is_refused_to_four_threads_and_each_entry():
    vm, inside, leave = PyVM(), threading.Event(), threading.Event()

    @answers(Ping)
    def waits(effect):
        inside.set()
        leave.wait()
        return "answered"

    entries = [
        lambda: vm.run(Pure(1)),
        lambda: vm.run_scoped(Pure(1), []),
        lambda: vm.start_program(Pure(1)),
        vm.step_once,
        lambda: vm.feed_async_result(1),
        lambda: vm.feed_async_error(ValueError()),
    ]

    def enters(entry):
        try:
            return entry()
        except VMStateError as error:
            return str(error)

    owner = []
    thread = threading.Thread(target=lambda: owner.append(vm.run(Ping(), handlers=[waits]).value))
    thread.start()
    inside.wait()
    refusals = [in_a_thread(lambda entry=entry: enters(entry)) for entry in entries for _ in range(4)]
    leave.set()
    thread.join()
    assert {type(refusal) for refusal in refusals} == {str}, refusals
    assert "running" in refusals[0]
    assert owner == ["answered"]
    assert vm.run(Pure(2)).value == 2


# T104: the interpreter exits while a daemon thread is inside a run.

DAEMONS = """
import sys
import threading
import time

from segue import *


class Ping(Effect[int]):
    n: int = 0


started = threading.Event()


@answers(Ping)
def value(effect):
    started.set()
    return effect.n


@handles(Ping)
def control(effect, k):
    started.set()
    return (yield Resume(k, effect.n))


@answers(Ping)
def sleeps(effect):
    started.set()
    time.sleep(1000)


@answers(Ping)
def computes(effect):
    started.set()
    while True:
        effect = effect


nothing = {}
nothing[None] = Pure(None).flat_map(nothing.__getitem__)


@do
def endless(effect):
    try:
        while True:
            started.set()
            yield effect
    finally:
        yield Tell("closed")


def steps():
    vm = PyVM()
    vm.start_program(endless(Ping()), handlers=[writer, value])
    while True:
        vm.step_once()


def inside(effect, *handlers):
    return lambda: run(endless(effect), handlers=[writer, *handlers])


loops = {
    "value_clause": inside(Ping(), value),
    "control_clause": inside(Ping(), control),
    "native_handler": inside(Get("n"), state({"n": 1})),
    "asleep_in_c": inside(Ping(), sleeps),
    "computes": inside(Ping(), computes),
    "without_python": inside(nothing[None]),
    "steps": steps,
    "short_runs": lambda: [run(Ping(), handlers=[value]) for _ in iter(int, 1)],
}
loop, threads, delay = sys.argv[1:]
for _ in range(int(threads)):
    threading.Thread(target=loops[loop], daemon=True).start()
started.wait()
time.sleep(float(delay))
print("main ends")
"""
LOOPS = [
    "value_clause",
    "control_clause",
    "native_handler",
    "asleep_in_c",
    "computes",
    "without_python",
    "steps",
    "short_runs",
]


@pytest.mark.parametrize("delay", [0, 0.003, 0.02])
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("loop", LOOPS)
def test_t141_interpreter_exits_while_a_daemon_thread_is_inside_a_run(loop, threads, delay):
    ended = run_child(textwrap.dedent(DAEMONS), args=(loop, threads, delay), memory=4 * 2**30, seconds=30)
    assert (ended.ok(), ended.stderr) == ("main ends\n", "")
