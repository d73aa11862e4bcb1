"""What many runs leave behind: nothing, in processes of their own (M-rows of the faults)."""

import textwrap

from child import run_child

PRELUDE = """
import gc
import os
import sys

from segue import *
from segue._vm import vm_live_counts


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(e):
    return e.n


@handles(Ping)
def ends(e, k):
    return "ended"


@do
def ask(n=0):
    try:
        return (yield Ping(n))
    finally:
        yield Pure(None)


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows(work, times):
    '''Bytes and gc objects that `times` calls of `work` add, after some to warm up.'''
    for _ in range(times // 10):
        work()
    gc.collect()
    before = resident(), len(gc.get_objects())
    for _ in range(times):
        work()
    gc.collect()
    return resident() - before[0], len(gc.get_objects()) - before[1]
"""


def child(source):
    """Run `source` after the prelude in a process of its own; it must end well and say nothing."""
    ended = run_child(PRELUDE + textwrap.dedent(source), memory=2 * 2**30, seconds=110)
    ended.ok()
    assert ended.stderr == ""


def test_m01_hundred_thousand_runs_are_flat():
    child("""
        size, objects = grows(lambda: run(ask(1), handlers=[echo]), 100_000)
        assert size < 3_000_000, size
        assert objects < 50, objects
    """)


def test_m02_hundred_thousand_dropped_continuations_in_one_run_are_flat():
    child("""
        marks = []

        @do
        def program():
            for i in range(100_000):
                if i % 10_000 == 5_000:
                    marks.append((resident(), vm_live_counts()))
                yield WithHandler(ends, ask(i))

        assert run(program()).is_ok()
        assert marks[-1][0] - marks[0][0] < 3_000_000, marks
        assert marks[-1][1] == marks[0][1]
        assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}
    """)


def test_m02_hundred_thousand_kept_and_lost_continuations_in_one_run_are_flat():
    child("""
        @handles(Ping)
        def loses(e, k):
            k.keep()

        marks = []

        @do
        def program():
            for i in range(100_000):
                if i % 10_000 == 5_000:
                    marks.append(resident())
                yield WithHandler(loses, ask(i))

        assert run(program()).is_ok()
        assert marks[-1] - marks[0] < 3_000_000, marks
        assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}
    """)


def test_m05_ten_thousand_failing_runs_are_flat():
    child("""
        @do
        def fails(n):
            if n == 0:
                raise ValueError("x")
            yield fails(n - 1)

        size, objects = grows(lambda: run(fails(10)), 10_000)
        assert size < 3_000_000, size
        assert objects < 50, objects
        size, objects = grows(lambda: run(Ping(1)), 10_000)
        assert size < 3_000_000, size
        assert objects < 50, objects
    """)


def test_new_classes_of_effects_do_not_stay_in_caches():
    """Per-class caches of the machine let their classes go."""
    child("""
        import weakref

        refs = []

        def work():
            class Fresh(Effect[int]):
                n: int = 0

            @answers(Fresh)
            def answer(e):
                return e.n

            run(Fresh(1), handlers=[echo, answer])
            refs.append(weakref.ref(Fresh))

        for _ in range(100):
            work()
        run(ask(1), handlers=[echo])
        gc.collect()
        alive = [ref for ref in refs if ref() is not None]
        assert len(alive) <= 5, len(alive)
    """)


def test_counts_are_zero_after_everything():
    child("""
        assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}
        run(ask(1), handlers=[echo])
        run(ask(1), handlers=[ends])
        run(ask(1))
        vm = PyVM()
        vm.start_program(ask(1), handlers=[echo])
        vm.step_once()
        assert vm_live_counts()["segments"] > 0
        del vm
        gc.collect()
        assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}
    """)


def test_m13_interpreter_exit_with_suspended_programs_in_globals():
    """Exit code 0 and not a word on stderr."""
    child("""
        kept = []

        @handles(Ping)
        def keeps(e, k):
            kept.append(k.keep())

        @do
        def suspended():
            try:
                yield PythonAsyncSyntaxEscape(print)
            finally:
                kept.append("closed")

        program = ask(1)
        result = run(keeps(ask(1)), trace=True)
        failed = run(ask(1))
        vm = PyVM()
        vm.start_program(suspended())
        while vm.step_once()[0] != "call_async":
            pass
        other = PyVM()
        other.start_program(keeps(suspended()), handlers=[echo, state, writer, reader])
        other.step_once()
        sys.modules["segue_holds"] = [vm, other, kept, program, result, failed]
    """)


def test_m13_interpreter_exit_in_the_middle_of_a_run():
    child("""
        @do
        def program():
            try:
                yield Ping()
            finally:
                yield Pure(None)

        @answers(Ping)
        def leaves(e):
            sys.exit(0)

        run(program(), handlers=[leaves])
    """)
