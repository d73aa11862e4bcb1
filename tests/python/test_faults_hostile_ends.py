"""How a process ends: its daemon threads, its forks, its last finalisers. Each in a process of its own."""

import textwrap

import pytest

from child import run_child

PRELUDE = """
import atexit
import os
import signal
import sys
import threading
import time
import warnings

from segue import *

signal.signal(signal.SIGINT, signal.default_int_handler)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(e):
    return e.n + 1


@handles(Ping)
def stop(e, k):
    return "stopped"


@do
def forever(started=None):
    while True:
        yield Ping()
        if started:
            started.set()


@do
def guarded():
    try:
        return (yield Ping(3))
    finally:
        print("left", flush=True)
"""


def ended(source, **given):
    return run_child(PRELUDE + textwrap.dedent(source), seconds=30, **given)


def test_t121_daemon_threads_in_runs_do_not_abort_the_end_of_the_process():
    for _ in range(3):
        said = ended("""
            for _ in range(4):
                started = threading.Event()
                threading.Thread(target=run, args=(forever(started), echo), daemon=True).start()
                started.wait()
            print("end")
        """)
        assert said.ok() == "end\n"


def test_t121_nor_do_daemon_threads_that_step_a_vm():
    for _ in range(3):
        said = ended("""
            def steps(started):
                vm = PyVM()
                vm.start_program(forever(started), [echo])
                while True:
                    vm.step_once()

            for _ in range(4):
                started = threading.Event()
                threading.Thread(target=steps, args=(started,), daemon=True).start()
                started.wait()
            print("end")
        """)
        assert said.ok() == "end\n"


def test_t121_programs_still_run_while_the_process_ends():
    said = ended("""
        started = threading.Event()
        threading.Thread(target=run, args=(forever(started), echo), daemon=True).start()
        started.wait()
        atexit.register(lambda: print(run(guarded(), echo).value))
    """)
    assert said.ok() == "left\n4\n"


def test_t122_child_forked_by_a_thread_has_its_own_ctrl_c():
    said = ended("""
        warnings.simplefilter("ignore")
        over = threading.Event()
        running = threading.Event()

        def forker():
            running.wait()
            child = os.fork()
            if child == 0:
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(5)
                    os.write(1, b"swallowed\\n")
                except KeyboardInterrupt:
                    os.write(1, b"interrupted\\n")
                os._exit(0)
            os.waitpid(child, 0)
            over.set()

        @do
        def until_over():
            while not over.is_set():
                yield Ping()
                running.set()

        threading.Thread(target=forker).start()
        run(until_over(), echo)
        print("over")
    """)
    assert said.ok() == "interrupted\nover\n"


def test_t122_child_forked_by_a_clause_goes_on_or_is_interrupted():
    said = ended("""
        @answers(Ping)
        def forks(e):
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                return "parent"
            if e.n:
                return "child"
            os.kill(os.getpid(), signal.SIGINT)

        @do
        def twice():
            yield Ping(0)
            return (yield Ping(1))

        parent = os.getpid()
        try:
            print(run(twice(), forks).value, flush=True)
        except KeyboardInterrupt:
            os.write(1, b"interrupted\\n")
        if os.getpid() != parent:
            os._exit(0)
        print(run(Ping(1), forks).value, flush=True)
    """)
    assert said.ok() == "interrupted\nchild\nparent\nchild\nparent\n"


def test_t123_vm_is_closed_on_both_sides_of_a_fork():
    said = ended("""
        vm = PyVM()
        vm.start_program(guarded(), [echo])
        vm.step_once()
        vm.step_once()
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        del vm
        if not child:
            os._exit(0)
        print("parent")
    """)
    assert said.ok() == "left\nleft\nparent\n"


def test_m121_program_of_a_last_finaliser_runs_with_no_modules_left():
    said = ended("""
        class Last:
            run, guarded, echo, print = staticmethod(run), staticmethod(guarded), echo, staticmethod(print)

            def __del__(self):
                self.print(self.run(self.guarded(), [Last_echo]).value)

        Last_echo = echo
        Last.__del__.__globals__["Last_echo"] = echo

        def finaliser(run=run, program=guarded(), handlers=[echo], print=print):
            class Last:
                def __del__(self):
                    print(run(program, handlers).value)
            return Last()

        last = finaliser()
        sys.modules.clear()
    """)
    assert said.ok() == "left\n4\n"


def test_m121_a_run_that_waited_keeps_nothing_of_the_main_module():
    said = ended("""
        class Last:
            def __init__(self, print=print):
                self.print = print

            def __del__(self):
                self.print("gone")

        last = Last()
        run(Sleep(0.001), scheduler)
        sys.modules.clear()
    """)
    assert said.ok() == "gone\n"


@pytest.mark.parametrize(
    ("source", "code", "out"),
    [
        ("run(guarded(), answers(Ping)(lambda e: sys.exit(7)))", 7, "left\n"),
        ("run(Bracket_of(lambda: sys.exit(8)), echo)", 8, "left\n"),
        ("run(guarded(), answers(Ping)(lambda e: run(Pure(1).map(lambda n: sys.exit(9)))))", 9, "left\n"),
    ],
    ids=["clause", "clean-up", "nested run"],
)
def test_p124_exit_keeps_its_code_and_the_clean_up(source, code, out):
    said = ended(
        """
        def Bracket_of(leave):
            return bracket(guarded(), Pure, lambda _: Pure(None).map(lambda _: leave()))

        """
        + source
    )
    assert (said.returncode, said.stdout) == (code, out), said


def test_s121_handler_of_a_signal_may_run_programs_and_step_a_vm():
    said = ended("""
        ticks = 0
        vm = PyVM()

        def tick(*_):
            global ticks
            ticks += 1
            assert run(Ping(1), echo).value == 2
            try:
                vm.step_once()
            except VMStateError:
                pass

        @do
        def until_ticked():
            total = 0
            while ticks < 20:
                total += yield Ping()
            return total > 0

        run(Ping(), echo)  # a module that is half imported at the first run is half imported to the handler too
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        print(run(until_ticked(), echo).value)
        ticks = 0
        vm.start_program(until_ticked(), [echo])
        while True:
            try:
                event = vm.step_once()
            except VMStateError:
                break  # the handler made the last step
            if event[0] == "done":
                break
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(vm.finish().value)
    """)
    assert said.ok() == "True\nTrue\n"


def test_s122_what_a_handler_of_a_signal_raises_is_caught_at_the_yield():
    said = ended(
        """
        class Tick(Exception): ...

        def tick(*_):
            raise Tick

        @do
        def survives():
            caught = left = 0
            signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
            while caught < 30:
                try:
                    while True:
                        try:
                            yield Ping()
                        finally:
                            left += 1
                except Tick:
                    caught += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            return left >= caught

        run(Ping(), echo)  # what is imported at the first run is not to be interrupted
        signal.signal(signal.SIGALRM, tick)
        try:
            result = run(survives(), echo)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        assert vm_live_counts()["segments"] == 0
        print(result.is_ok() or type(result.error).__name__)
    """.replace("vm_live_counts()", "__import__('segue._vm')._vm.vm_live_counts()")
    )
    assert said.ok() in {"True\n", "Tick\n"}
