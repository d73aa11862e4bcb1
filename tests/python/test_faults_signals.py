"""Interrupts from outside (S-rows), many times each, beside those of `test_interrupts.py`: each in a child."""

import textwrap

import pytest

from child import run_child

PRELUDE = """
import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time

from segue import *

signal.signal(signal.SIGINT, signal.default_int_handler)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def value(effect):
    return effect.n


@answers(Ping)
def value_of_a_generator(effect):
    yield Pure(None)
    return effect.n


@handles(Ping)
def tail(effect, k):
    return Resume(k, effect.n)


@handles(Ping)
def tail_of_a_generator(effect, k):
    yield Pure(None)
    return (yield Resume(k, effect.n))


@handles(Ping)
def delegates(effect, k):
    return Resume(k, (yield Delegate()))


nothing = {}
without_python = nothing[None] = Pure(None).flat_map(nothing.__getitem__)
'''A loop in which no line of Python runs.'''
"""

# One interrupt for each line that it reads, at a random moment after it.
SENDER = """
SENDER = '''
import os, random, signal, sys, time
random.seed(1)
for _ in sys.stdin.buffer:
    time.sleep(random.random() / 300)
    os.kill(int(sys.argv[1]), signal.SIGINT)
'''


class Sender:
    def __init__(self):
        command = [sys.executable, "-c", SENDER, str(os.getpid())]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait()

    def send(self):
        self.process.stdin.write(b"\\n")
        self.process.stdin.flush()
"""


def child(source):
    """Run `source` after the prelude in a process of its own; it must end well and say no word."""
    ended = run_child(PRELUDE + textwrap.dedent(source), memory=2 * 2**30, seconds=100)
    ended.ok()
    assert ended.stderr == ""


INTERRUPTED = (
    SENDER
    + """
log = []
effect, handlers = {loop}


@do
def loop(sender):
    try:
        sender.send()
        while True:
            yield effect
    finally:
        log.append("finally")
        yield Tell("cleaned")


with Sender() as sender:
    for trial in range(30):
        log.clear()
        try:
            run(loop(sender), handlers=[writer, *handlers])
        except KeyboardInterrupt as error:
            assert list(error.run_result.log) == ["cleaned"], trial
        else:
            raise AssertionError("not interrupted")
        assert log == ["finally"], trial
        assert run(effect, handlers=handlers).value == 1, trial
"""
)
IN_PYTHON = {
    "value": "Ping(1), [value]",
    "value_of_a_generator": "Ping(1), [value_of_a_generator]",
    "tail": "Ping(1), [tail]",
    "tail_of_a_generator": "Ping(1), [tail_of_a_generator]",
    "delegates": "Ping(1), [value, delegates]",
    "intercepted": "WithIntercept(lambda effect: effect, Ping(1)), [value]",
}
NATIVE = {
    "state": "Get('n'), [state({'n': 1})]",
    "reader": "Ask('n'), [reader({'n': 1})]",
    "nodes": "Pure(1).map(int), []",
}


@pytest.mark.parametrize("loop", IN_PYTHON.values(), ids=IN_PYTHON)
def test_s01_thirty_interrupts_from_another_process_lose_no_finally(loop):
    child(INTERRUPTED.format(loop=loop))


@pytest.mark.parametrize("loop", NATIVE.values(), ids=NATIVE)
def test_s02_thirty_interrupts_of_native_handlers_from_another_process_lose_no_finally(loop):
    child(INTERRUPTED.format(loop=loop))


def test_s103_interrupt_of_a_loop_in_which_no_line_of_python_runs():
    child(
        SENDER
        + """
log = []


@do
def program(sender):
    try:
        sender.send()
        yield without_python
    finally:
        log.append("finally")


with Sender() as sender:
    for trial in range(5):
        try:
            run(program(sender))
        except KeyboardInterrupt:
            log.append("raised")
assert log == ["finally", "raised"] * 5, log
"""
    )


FROM_ANOTHER_THREAD = """
# What runs load later: an import that an exception breaks off warns of the file that it leaves open.
import difflib, dis, segue._tail, segue._text, traceback  # noqa: E401


class Stop(BaseException):
    '''What `run` raises.'''


class Fail(Exception):
    '''What stays in the result.'''


def set_into(thread, error):
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(error)) == 1


def interrupted(make, error, handlers, delay):
    '''What comes of a program in whose thread an exception is set: its result, raised or not.'''
    ready, outcomes = threading.Event(), []

    def body():
        try:
            outcomes.append(run(make(ready), handlers=handlers, limits=Limits(seconds=20)))
        except Stop as stop:
            assert type(stop.run_result.error) is Stop
            outcomes.append(stop.run_result)

    thread = threading.Thread(target=body)
    thread.start()
    ready.wait()
    time.sleep(delay)
    set_into(thread, error)
    thread.join()
    return outcomes[0]
"""


@pytest.mark.parametrize("loop", (IN_PYTHON | NATIVE).values(), ids=IN_PYTHON | NATIVE)
def test_s09_thirty_exceptions_set_from_another_thread_lose_no_finally(loop):
    child(
        FROM_ANOTHER_THREAD
        + f"""
random.seed(1)
log = []
effect, handlers = {loop}


@do
def program(ready):
    try:
        ready.set()
        while True:
            yield effect
    finally:
        log.append("finally")
        yield Tell("cleaned")


for trial in range(30):
    log.clear()
    error = (Stop, Fail)[trial % 2]
    result = interrupted(program, error, [writer, *handlers], random.random() / 300)
    assert type(result.error) is error, (trial, result)
    assert list(result.log) == ["cleaned"], trial
    assert log == ["finally"], trial
"""
    )


def test_s09_program_may_catch_it_at_its_yield_and_go_on():
    child(
        FROM_ANOTHER_THREAD
        + """
@do
def program(ready):
    try:
        ready.set()
        while True:
            yield Get("n")
    except Fail:
        return (yield Put("n", 2)), (yield Get("n"))


result = interrupted(program, Fail, [state({"n": 1})], 0.001)
assert result.value == (None, 2)
"""
    )


def test_s09_exception_set_into_a_loop_in_which_no_line_of_python_runs():
    child(
        FROM_ANOTHER_THREAD
        + """
log = []


@do
def program(ready):
    try:
        ready.set()
        yield without_python
    finally:
        log.append("finally")


result = interrupted(program, Fail, [], 0.001)
assert type(result.error) is Fail, result
assert result.error.__context__ is None, "it came in the clean-up of the limit"
assert log == ["finally"]
"""
    )
