"""Code that never yields: what a bound on seconds does not do, and what ends it from outside (guide, "A watchdog")."""

import time

import pytest

from child import run_child
from running_vocabulary import forever
from segue import LimitExceeded, Limits, answers, do, run
from vocabulary import Ping, echo


def test_bound_on_seconds_is_looked_at_between_steps_and_breaks_no_call():
    log = []

    @do
    def program():
        time.sleep(0.05)
        log.append("the call came back")
        yield forever()

    error = run(program(), handlers=[echo], limits=Limits(seconds=0.01)).error
    assert (type(error), error.limit) == (LimitExceeded, "seconds")
    assert log == ["the call came back"]


def test_bound_on_seconds_breaks_no_clause_either():
    @answers(Ping)
    def slow(e):
        time.sleep(0.05)
        return "answered"

    assert run(Ping(), handlers=[slow], limits=Limits(seconds=0.01)).value == "answered"


PRELUDE = """
import contextlib
import ctypes
import signal
import threading
import time

from segue import Put, Tell, do, run, state, writer


class OutOfTime(BaseException):
    pass


def spin():
    while True:
        pass


@do
def stubborn(work, when_begun):
    try:
        yield Tell("begun")
        when_begun()
        if work == "effects":
            while True:
                yield Put("n", 1)
        spin() if work == "loop" else time.sleep(1000)
    except Exception:
        yield Tell("swallowed")
    finally:
        yield Tell("cleaned")


def ended(work, when_begun):
    try:
        run(stubborn(work, when_begun), handlers=[writer, state])
    except OutOfTime as error:
        return list(error.run_result.log)
"""


@pytest.mark.parametrize("work", ["loop", "call", "effects"])
def test_timer_breaks_a_program_of_the_main_thread_and_its_clean_up_performs(work):
    source = f"""
def bark(*_):
    raise OutOfTime

signal.signal(signal.SIGALRM, bark)
wind_up = lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
assert ended({work!r}, wind_up) == ["begun", "cleaned"]
assert list(run(Tell("after"), handlers=[writer]).log) == ["after"]
"""
    run_child(PRELUDE + source, seconds=30).ok()


@pytest.mark.parametrize("work", ["loop", "effects"])
def test_exception_from_another_thread_breaks_a_program_and_its_clean_up_performs(work):
    """A call that blocks in C ends first: that is CPython's rule, and the guide says so."""
    source = f"""
found, begun = [], threading.Event()
thread = threading.Thread(target=lambda: found.append(ended({work!r}, begun.set)))
thread.start()
begun.wait()
hit = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(OutOfTime))
thread.join()
assert (hit, found) == (1, [["begun", "cleaned"]]), found
"""
    run_child(PRELUDE + source, seconds=30).ok()
