"""Semantics 4, P-rows: when the interpreter refuses an object, a run says `MemoryError`, and nothing else is lost.

Each child refuses one allocation of a small run after the other: the first, the second, and so on.
"""

import textwrap

import pytest

from child import run_child

RUN = """
import ctypes
import gc
import sys
import types

import _testcapi

from segue import *
from segue._vm import vm_live_counts


class Ping(Effect[int]):
    n: int = 0


@do
def part(n):
    return (yield Ping(n))


@do
def program():
    try:
        a = yield Ping(1)
        b = yield part(2)
        yield Put("x", a)
        yield Put((1, 2), b)
        yield Modify("x", lambda n: n + 1)
        c = yield Get("x")
        failed = yield Try(Get("nowhere"))
        e = yield Local({"e": 1}, Ask("e"))
        return a, b, c, type(failed).__name__, e
    finally:
        yield Tell("left")


class Counter(Handler):
    def enter(self):
        self.seen = 0

    @answers(Ping)
    def ping(self, e):
        self.seen += 1
        return e.n

    def exit(self):
        self.seen = None


@answers(Ping)
def value(e):
    return e.n


@handles(Ping)
def tail(e, k):
    return Resume(k, e.n)


@handles(Ping)
def around(e, k):
    result = yield Resume(k, e.n)
    return result


@handles(Ping)
def passes(e, k):
    return Pass()


@handles(Ping)
def drops(e, k):
    return "dropped"


SHAPES = {
    "value": [value],
    "tail": [tail],
    "around": [around],
    "passes": [value, passes],
    "drops": [drops],
    "object": [Counter()],
}


def hold(code):
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            for _ in range(200):
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(inner))
            hold(inner)


# 3.12 and 3.13 let go of the code of a function twice when they are refused the function (python/cpython#122752): what
# the run has of such code is held more often than it can be refused. Some of it is imported by the first run.
def hold_code():
    for known in gc.get_objects():
        if isinstance(known, types.FunctionType):
            hold(known.__code__)
"""

LOOP = """
shape, allocations = sys.argv[1], int(sys.argv[2])
handlers = [state, reader({"e": 0}), writer, *SHAPES[shape]]


def once():
    return run(program(), handlers=handlers)


for _ in range(3):
    right = once().value
hold_code()
gc.collect()
gc.disable()
before = vm_live_counts()
sys.unraisablehook = lambda unraisable: None
told = 0
for refused in range(allocations):
    error = None
    _testcapi.set_nomemory(refused, refused + 1)
    try:
        result = once()
    except BaseException as raised:
        error = raised
    finally:
        _testcapi.remove_mem_hooks()
    if error is None and result.is_err():
        error = result.error
    if error is None:
        assert result.value == right, (refused, result.value)
    else:
        assert isinstance(error, MemoryError), (refused, error)
        told += 1
    error = result = None
    if vm_live_counts() != before:
        gc.collect()
    assert vm_live_counts() == before, (refused, vm_live_counts())
    assert once().value == right, refused
assert told, "no allocation of the run was refused"
print("held")
"""


@pytest.mark.parametrize("shape", ["value", "tail", "around", "passes", "drops", "object"])
def test_p121_each_allocation_of_a_run_may_fail(shape):
    assert run_child(RUN + LOOP, args=(shape, 180)).ok() == "held\n"


def test_p122_refused_answer_of_try_is_no_none():
    source = """
        results = set()
        sys.unraisablehook = lambda unraisable: None
        for refused in range(60):
            @do
            def tries():
                try:
                    return repr((yield Try(Get("nowhere"))))[:4]
                except MemoryError:
                    return "memory"

            program = tries()
            _testcapi.set_nomemory(refused, refused + 1)
            try:
                result = run(program)
                _testcapi.remove_mem_hooks()
                results.add(result.value if result.is_ok() else type(result.error).__name__)
            except MemoryError:
                _testcapi.remove_mem_hooks()
        print(*sorted(results))
    """
    said = set(run_child(RUN + textwrap.dedent(source)).ok().split())
    assert "Err(" in said
    assert said <= {"Err(", "memory", "MemoryError"}


def test_p123_vm_that_is_stepped_and_dropped_under_refusals_never_panics():
    source = RUN + (
        """
assert run(program(), handlers=[state, reader({"e": 0}), writer, value]).is_ok()
hold_code()
gc.disable()
before = vm_live_counts()
sys.unraisablehook = lambda unraisable: None
for refused in range(120):
    vm = PyVM()
    steps = program()
    try:
        _testcapi.set_nomemory(refused, refused + 1)
        vm.start_program(steps, [state, reader({"e": 0}), writer, value])
        for _ in range(8):
            vm.step_once()
        vm = None
    except (MemoryError, VMStateError):
        pass  # a VM whose step failed has ended
    finally:
        _testcapi.remove_mem_hooks()
    vm = None
    gc.collect()
    assert vm_live_counts() == before, (refused, vm_live_counts())
print("held")
"""
    )
    assert run_child(source).ok() == "held\n"
