"""Memory (M-rows) beside leaks, growth and the collector: cycles, payloads, the end of the interpreter."""

import gc
import textwrap
import weakref

import pytest

from child import run_child
from segue import Pure, PythonAsyncSyntaxEscape, PyVM, WithHandler, do, handles, run
from vocabulary import Ping, echo, guarded

# M03: cycles through continuations.


class Token:
    pass


def holder(kept, token):
    """A handler whose clause holds the list of the continuations that hold the handler."""

    @handles(Ping)
    def keeps(effect, k):
        kept.append((k.keep(), keeps, token))
        return "kept"

    return keeps


def test_m03_k_that_the_collector_finds_during_the_run_is_unwound_then():
    """A cycle that its own handler is no part of: what a chain holds stays with its run."""
    log, dropped = [], []

    @handles(Ping)
    def hides(effect, k):
        cycle = [k.keep()]
        cycle.append(cycle)

    @do
    def program():
        yield WithHandler(hides, guarded(log))
        dropped.append(list(log))
        gc.collect()
        yield Pure(None)
        return list(log)

    gc.disable()
    try:
        assert run(program()).value == ["body"]
    finally:
        gc.enable()
    assert dropped == [[]]
    assert log == ["body"]


def test_m03_k_in_a_cycle_runs_its_finally_once_and_lets_everything_go():
    log, kept, token = [], [], Token()
    gone = weakref.ref(token)
    assert run(WithHandler(holder(kept, token), guarded(log))).value == "kept"
    assert log == ["body"]
    assert kept[0][0].used
    kept.append(kept)
    del kept, token
    gc.collect()
    assert gone() is None
    assert log == ["body"]


# M13: the end of the interpreter.

PRELUDE = """
import atexit
import contextvars
import gc
import os
import sys
import threading
import weakref

from segue import *


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(effect):
    return effect.n


kept = []


@handles(Ping)
def keeps(effect, k):
    kept.append(k.keep())


def say(text, write=os.write):
    write(1, text.encode() + b"\\n")


@do
def waits():
    try:
        yield PythonAsyncSyntaxEscape(print)
    finally:
        yield Ping(1)
        say("closed")


def suspended(program):
    vm = PyVM()
    vm.start_program(program, handlers=[echo])
    while vm.step_once() == ("continue",):
        pass
    return vm
"""
AT_EXIT = {
    "globals": "vm = suspended(waits())",
    "modules": "sys.modules['holds'] = suspended(waits())",
    "builtins": "import builtins; builtins.holds = suspended(waits())",
    "a_cycle": "box = [suspended(waits())]; box.append(box); del box; gc.disable()",
    "a_thread": "made = []; t = threading.Thread(target=lambda: made.append(suspended(waits()))); t.start()",
    "a_thread_local": "local = threading.local(); local.vm = suspended(waits())",
    "atexit": "atexit.register(lambda vm: say('at exit'), suspended(waits()))",
    "a_finalizer": "vm = suspended(waits()); weakref.finalize(vm, say, 'finalized')",
    "a_default": "def f(vm=suspended(waits())): pass",
}


def child(source):
    """What `source` says, in a process of its own that ends well and complains of nothing."""
    ended = run_child(PRELUDE + textwrap.dedent(source), memory=2 * 2**30)
    said = ended.ok()
    assert ended.stderr == ""
    return said


@pytest.mark.parametrize("source", AT_EXIT.values(), ids=AT_EXIT)
def test_m13_program_that_is_suspended_at_exit_is_closed(source):
    assert child(source).splitlines()[-1] == "closed"


def test_m13_kept_continuations_at_exit_are_silent():
    source = """
        @do
        def program():
            yield keeps(waits())
            yield keeps(Ping(1))
            yield PythonAsyncSyntaxEscape(print)

        vm = suspended(program())
        other = run(keeps(Ping(2)))
        unstarted = []

        @do
        def creates():
            unstarted.append((yield CreateContinuation(waits(), [echo])))

        run(creates())
        context = contextvars.ContextVar("holds")
        context.set((vm, kept, unstarted))
        sys.modules["holds"] = [vm, kept, unstarted, other]
    """
    assert child(source) == ""


def test_m13_runs_at_exit_work():
    source = """
        def at_exit():
            say(str(run(Ping(3), handlers=[echo]).value))
            run(waits(), handlers=[echo])

        def after_the_main_thread():
            threading.main_thread().join()
            say(str(run(Ping(2), handlers=[echo]).value))

        atexit.register(at_exit)
        threading.Thread(target=after_the_main_thread).start()
        say("main")
    """
    assert child(source).split() == ["main", "2", "3", "closed"]


# M15, in numbers: a payload passes the machine as the object that it is.


def test_m15_payload_of_half_a_gigabyte_passes_with_less_than_another_of_memory():
    source = """
        @do
        def program(payload):
            answer = yield Ping(payload)
            yield Put("p", answer)
            yield Tell((yield Get("p")))
            (_, heard) = yield Listen(Tell((yield Ask("p"))))
            return [answer, *heard]

        payload = bytes(500_000_000)
        result = run(program(payload), handlers=[state, writer, reader({"p": payload}), echo, echo])
        assert all(entry is payload for entry in [*result.value, *result.log, result.raw_store["p"]])
        assert len(repr(result)) < 10_000
        assert len(result.display()) < 10_000
        assert len(repr(Ping(payload))) < 10_000
    """
    ended = run_child(PRELUDE + textwrap.dedent(source), memory=950_000_000)
    assert ended.ok() == ""


def test_m13_vm_that_outlives_its_thread_is_closed_by_the_main_one():
    made = []
    vm = PyVM()

    @do
    def waits(log):
        try:
            yield PythonAsyncSyntaxEscape(print)
        finally:
            yield Ping(1)
            log.append("closed")

    vm.start_program(waits(made), handlers=[echo])
    while vm.step_once() == ("continue",):
        pass
    del vm
    assert made == ["closed"]
