"""Semantics 4: Ctrl-C breaks any loop of effects at once and loses no clean-up (S-rows). In child processes."""

import textwrap

import pytest

from child import run_child

PRELUDE = """
import os
import random
import signal
import threading
import time

from segue import *

signal.signal(signal.SIGINT, signal.default_int_handler)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(e):
    return e.n


@handles(Ping)
def plain(e, k):
    return Resume(k, e.n)


@handles(Ping)
def generator(e, k):
    yield Pure(None)
    return (yield Resume(k, e.n))


log = []


def interrupt_after(*events, delay=0.0):
    '''Another thread sends one SIGINT after each of the events.'''

    def body():
        for event in events:
            event.wait()
            time.sleep(delay)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=body)
    thread.start()
    return thread


@do
def loop_of(effect, ready):
    '''Performs for ever; its clean-up performs too.'''
    try:
        ready.set()
        while True:
            yield effect
    finally:
        log.append("finally")
        yield Tell("cleaned")
"""


def child(source):
    """Run `source` after the prelude in a process of its own; it must end well."""
    run_child(PRELUDE + textwrap.dedent(source), memory=2 * 2**30, seconds=100).ok()


@pytest.mark.parametrize(
    ("effect", "handler"),
    [("Get('n')", "state({'n': 1})"), ("Ping(1)", "echo"), ("Ping(1)", "plain"), ("Ping(1)", "generator")],
)
def test_s01_s02_interrupt_of_a_loop_of_effects_runs_its_clean_up(effect, handler):
    """Served by native handlers or by Python ones: thrown at the yield, raised by `run` with the result so far."""
    child(f"""
        ready = threading.Event()
        thread = interrupt_after(ready)
        try:
            run(loop_of({effect}, ready), handlers=[writer, {handler}])
        except KeyboardInterrupt as e:
            assert list(e.run_result.log) == ["cleaned"], e.run_result.log
        else:
            raise AssertionError("not interrupted")
        thread.join()
        assert log == ["finally"]
        assert run(Ping(3), handlers=[echo]).value == 3
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    """)


def test_s02_loop_that_changes_state_through_native_handlers_only():
    child("""
        ready = threading.Event()

        @do
        def counts():
            try:
                ready.set()
                while True:
                    yield Put("n", (yield Get("n")) + 1)
            finally:
                yield Put("closed", True)

        thread = interrupt_after(ready)
        try:
            run(counts(), handlers=[state({"n": 0})])
        except KeyboardInterrupt as e:
            assert e.run_result.raw_store["closed"] is True
            assert e.run_result.raw_store["n"] > 0
        else:
            raise AssertionError("not interrupted")
        thread.join()
    """)


def test_two_hundred_interrupts_at_random_moments_lose_no_clean_up():
    child("""
        random.seed(1)
        effects = [
            (Get("n"), state({"n": 1})),
            (Ping(1), echo),
            (Ping(1), plain),
            (Ping(1), generator),
        ]
        for i in range(200):
            log.clear()
            ready = threading.Event()
            effect, handler = effects[i % 4]
            thread = interrupt_after(ready, delay=random.random() / 500)
            try:
                run(loop_of(effect, ready), handlers=[writer, handler])
            except KeyboardInterrupt as e:
                assert list(e.run_result.log) == ["cleaned"], i
            else:
                raise AssertionError("not interrupted")
            thread.join()
            assert log == ["finally"], i
            assert run(Ping(i), handlers=[echo]).value == i
    """)


def test_s05_keyboard_interrupt_passes_try_and_error_hooks():
    child("""
        class Nosy(Handler):
            def error(self, exc):
                log.append("error")

            def exit(self):
                log.append("exit")

        ready = threading.Event()
        thread = interrupt_after(ready)
        try:
            run(Try(Nosy()(Try(loop_of(Get("n"), ready)))), handlers=[writer, state({"n": 1})])
        except KeyboardInterrupt:
            log.append("raised")
        thread.join()
        assert log == ["finally", "exit", "raised"], log
    """)


def test_program_may_catch_it_and_go_on():
    child("""
        ready = threading.Event()

        @do
        def program():
            try:
                yield loop_of(Get("n"), ready)
            except KeyboardInterrupt:
                yield Tell("caught")
            return (yield Get("n"))

        thread = interrupt_after(ready)
        r = run(program(), handlers=[writer, state({"n": 7})])
        thread.join()
        assert (r.value, list(r.log)) == (7, ["cleaned", "caught"])
    """)


def test_whole_stack_of_programs_and_clauses_is_unwound_innermost_first():
    child("""
        ready = threading.Event()

        @do
        def nest(n):
            try:
                yield nest(n - 1) if n else loop_of(Get("n"), ready)
            finally:
                yield Tell(n)

        @handles(Ping)
        def waits(e, k):
            try:
                yield Resume(k, None)
            finally:
                yield Tell("clause")

        @do
        def program():
            yield Ping()
            yield nest(2)

        thread = interrupt_after(ready)
        try:
            run(program(), handlers=[writer, state({"n": 1}), waits])
        except KeyboardInterrupt as e:
            assert list(e.run_result.log) == ["cleaned", 0, 1, 2, "clause"], e.run_result.log
        else:
            raise AssertionError("not interrupted")
        thread.join()
    """)


def test_kept_continuations_are_unwound_too():
    child("""
        ready = threading.Event()
        kept = []

        @handles(Ping)
        def keeps(e, k):
            kept.append(k.keep())

        @do
        def waits():
            try:
                yield Ping()
            finally:
                log.append("kept one")

        @do
        def program():
            yield keeps(waits())
            yield loop_of(Get("n"), ready)

        thread = interrupt_after(ready)
        try:
            run(program(), handlers=[writer, state({"n": 1})])
        except KeyboardInterrupt:
            log.append("raised")
        thread.join()
        assert log == ["finally", "kept one", "raised"], log
    """)


def test_second_interrupt_closes_what_remains_without_effects():
    """Semantics 5: a clean-up that never ends is left."""
    child("""
        first, second = threading.Event(), threading.Event()

        @do
        def stubborn():
            try:
                first.set()
                while True:
                    yield Get("n")
            finally:
                second.set()
                while True:
                    yield Get("n")

        thread = interrupt_after(first, second)
        try:
            run(stubborn(), handlers=[state({"n": 1})])
        except KeyboardInterrupt:
            log.append("raised")
        thread.join()
        assert log == ["raised"]
        assert run(Get("n"), store={"n": 1}).value == 1
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    """)


def test_second_interrupt_ends_a_clean_up_that_runs_no_line_of_python():
    child("""
        from operator import getitem

        again = []
        again.append(Call(getitem, again, 0))
        first, second = threading.Event(), threading.Event()

        @do
        def stubborn():
            try:
                first.set()
                yield again[0]
            finally:
                log.append("cleans up")
                second.set()
                yield again[0]
                log.append("never")

        thread = interrupt_after(first, second)
        try:
            run(stubborn())
        except KeyboardInterrupt:
            log.append("raised")
        thread.join()
        assert log == ["cleans up", "raised"]
    """)


def test_interrupt_inside_a_nested_run_leaves_both():
    child("""
        ready = threading.Event()

        @do
        def outer():
            try:
                run(loop_of(Get("n"), ready), handlers=[writer, state({"n": 1})])
                yield Tell("never")
            finally:
                yield Tell("outer cleaned")

        thread = interrupt_after(ready)
        try:
            run(outer(), handlers=[writer])
        except KeyboardInterrupt as e:
            assert list(e.run_result.log) == ["outer cleaned"], e.run_result.log
        else:
            raise AssertionError("not interrupted")
        thread.join()
        assert log == ["finally"]
    """)


def test_interrupt_of_a_machine_run_leaves_it_usable():
    child("""
        vm = PyVM()
        ready = threading.Event()
        thread = interrupt_after(ready)
        try:
            vm.run(loop_of(Ping(), ready), handlers=[writer, echo])
        except KeyboardInterrupt:
            log.append("raised")
        thread.join()
        assert log == ["finally", "raised"]
        assert vm.run(Ping(3), handlers=[echo]).value == 3
    """)


def test_handler_of_the_user_for_sigint_is_left_alone():
    child("""
        hits = []

        def mine(number, frame):
            hits.append(number)

        signal.signal(signal.SIGINT, mine)
        ready = threading.Event()

        @do
        def waits():
            ready.set()
            while not hits:
                yield Get("n")
            return "went on"

        thread = interrupt_after(ready)
        assert run(waits(), handlers=[state({"n": 1})]).value == "went on"
        thread.join()
        assert signal.getsignal(signal.SIGINT) is mine
        assert hits == [signal.SIGINT]
    """)


def test_s08_run_in_another_thread_is_not_affected():
    child("""
        ready, stop = threading.Event(), threading.Event()
        results = []

        @do
        def works():
            n = 0
            ready.set()
            while not stop.is_set():
                n += yield Ping(1)
            return n > 0

        worker = threading.Thread(target=lambda: results.append(run(works(), handlers=[echo])))
        worker.start()
        ready.wait()
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(60)
        except KeyboardInterrupt:
            log.append("main")
        stop.set()
        worker.join()
        assert log == ["main"]
        assert results[0].value is True
    """)


def test_sigint_is_pythons_own_again_after_every_kind_of_run():
    child("""
        def raises(e, k):
            raise SystemExit(1)

        assert run(Pure(1)).is_ok()
        assert run(Ping()).is_err()
        try:
            run(Ping(), handlers=[raises])
        except SystemExit:
            pass
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(60)
        except KeyboardInterrupt:
            log.append("interrupted")
        assert log == ["interrupted"]
    """)


def test_s101_second_interrupt_ends_a_clean_up_that_hangs_in_a_call():
    """The clean-up around it still runs, and is handled."""
    child("""
        hangs = threading.Event()

        @do
        def program():
            try:
                try:
                    while True:
                        yield Ping(1)
                finally:
                    hangs.set()
                    time.sleep(1000)
            finally:
                yield Tell("outer")

        ready = threading.Event()
        thread = interrupt_after(ready, hangs, delay=0.05)
        ready.set()
        try:
            run(program(), handlers=[writer, echo])
        except KeyboardInterrupt as e:
            assert list(e.run_result.log) == ["outer"], e.run_result.log
        else:
            raise AssertionError("not interrupted")
        thread.join()
        assert run(Ping(3), handlers=[echo]).value == 3
    """)


def test_s102_interrupt_of_a_report_leaves_the_run():
    child("""
        class Reporter(Handler):
            def report(self):
                raise KeyboardInterrupt

        try:
            run(Pure(1), handlers=[Reporter()])
        except KeyboardInterrupt as e:
            assert e.run_result.value == 1
            assert e.run_result.unobserved == ()
        else:
            raise AssertionError("not interrupted")
    """)


def test_interrupt_while_a_message_is_made_reaches_the_run_after_it():
    child("""
        class Shown:
            def __repr__(self):
                raise KeyboardInterrupt

        @do
        def program():
            try:
                yield Shown()
            except TypeError as e:
                message = str(e)
            try:
                while True:
                    yield Ping()
            except KeyboardInterrupt:
                return message

        message = run(program(), handlers=[echo]).value
        assert "Shown object, repr raised KeyboardInterrupt" in message, message
    """)
