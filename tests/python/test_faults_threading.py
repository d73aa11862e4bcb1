"""Semantics 3 and 5: what threads race for, and who is refused (T-rows). The same must hold without a GIL."""

from collections import Counter

import pytest

from child import run_child
from segue import (
    ContinuationError,
    PyVM,
    Resume,
    VMStateError,
    do,
    handles,
    run,
)
from threads_vocabulary import at_once, helped_by, quick_switches
from vocabulary import Ping, echo

# The extension, and a process whose first runs are many.


def test_t03_module_needs_no_gil():
    """On a free-threaded build the import neither warns nor turns the GIL on; on others there is one."""
    run_child("""
        import sys, sysconfig
        import segue
        has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
        assert has_gil != bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    """).ok()


def test_t112_first_runs_of_a_process_are_those_of_sixteen_threads():
    """All that is looked up once is looked up by all of them."""
    run_child("""
        import threading
        from segue import *

        class Ping(Effect[int]):
            n: int = 0

        class Methods:
            @do
            def program(self, n):
                try:
                    yield 3
                except TypeError as e:
                    assert "Pure" in str(e)
                return (yield Ping(n))

        def generator_clause(e, k):
            if isinstance(e, Ping):
                return (yield Resume(k, e.n))
            return Pass()

        start, results = threading.Barrier(16), {}

        def body(n):
            start.wait()
            results[n] = run(Methods().program(n), generator_clause).value

        threads = [threading.Thread(target=body, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {n: n for n in range(16)}, results
    """).ok()


# Races with one winner.


def test_t101_continuation_raced_by_eight_threads_goes_on_in_its_own_run_only():
    rounds, shown, refusals = 10_000, [], Counter()

    @handles(Ping)
    def shows(e, k):
        shown[:] = [k.keep()]
        return Resume(k, e.n)

    @do
    def rounds_of_pings():
        """As many as asked for, and until somebody was refused."""
        answers = []
        while len(answers) < rounds or not refusals:
            answer = yield Ping(len(answers))
            answers.append(answer)
        return answers == list(range(len(answers)))

    @do
    def steal(k):
        try:
            return "stolen", (yield Resume(k, -1))
        except ContinuationError as e:
            return str(e)

    def thief(_):
        for k in tuple(shown):
            refusals[run(steal(k)).value] += 1

    with quick_switches(), helped_by(7, thief):
        assert run(rounds_of_pings(), handlers=[shows]).value
    shown.clear()
    assert all("another run" in why or "already resumed" in why or "is over" in why for why in refusals), refusals


def test_t103_continuation_kept_by_seven_threads_while_its_run_uses_it():
    """To keep has an answer at once, and changes nothing for who uses it."""
    shown, answers = [], Counter()

    @handles(Ping)
    def shows(e, k):
        shown[:] = [k]
        return Resume(k, e.n)

    def keeps(_):
        for k in tuple(shown):
            before, text = k.used, repr(k)
            try:
                answers[k.keep() is k] += 1
            except ContinuationError:
                assert k.used
                answers["refused"] += 1
            assert text in ("<K>", "<K kept>", "<K used>")
            assert k.used >= before

    @do
    def until_one_was_kept_and_one_refused():
        given = 0
        while not {True, "refused"} <= set(answers):
            assert (yield Ping(given)) == given
            given += 1

    with quick_switches(), helped_by(7, keeps):
        assert run(until_one_was_kept_and_one_refused(), handlers=[shows]).is_ok()
    shown.clear()
    assert set(answers) == {True, "refused"}


def test_t102_machine_stepped_by_eight_threads_makes_each_step_once():
    vm, ends, order, refusals = PyVM(), [], [], set()

    @do
    def program():
        for n in range(1_000):
            answer = yield Ping(n)
            order.append(answer)
        return len(order)

    def steps(_):
        while not ends:
            try:
                event = vm.step_once()
            except VMStateError as e:
                refusals.add(str(e).partition(":")[0])
            else:
                if event != ("continue",):
                    ends.append(event)

    vm.start_program(program(), handlers=[echo])
    with quick_switches():
        assert at_once(8, steps) == [None] * 8
    assert ends == [("done", 1_000)]
    assert order == list(range(1_000))
    assert vm.finish().value == 1_000
    assert refusals <= {"the VM is already running", "the program has ended"}


def test_t104_generator_given_to_eight_runs_at_once_runs_in_one():
    def program():
        return (yield Ping(1)), (yield Ping(2))

    def answer(e, k):
        return Resume(k, e.n)

    with quick_switches():
        for _ in range(200):
            generator = program()
            outcomes = at_once(8, lambda _, generator=generator: run(generator, answer).value)
            assert [one for one in outcomes if not isinstance(one, (TypeError, ValueError))] == [(1, 2)]


def test_t104_generator_that_another_run_has_started_is_refused_and_goes_on():
    def program():
        return (yield Ping(1)), (yield Ping(2))

    generator = program()

    def answer(e, k):
        with pytest.raises(TypeError, match="has started already"):
            run(generator)
        return Resume(k, e.n)

    assert run(generator, answer).value == (1, 2)
    with pytest.raises(TypeError, match="has run already"):
        run(generator)


def test_t104_generator_of_a_run_that_was_refused_is_free_again():
    def program():
        return (yield Ping(7))

    generator = program()
    with pytest.raises(TypeError):
        run(generator, 3)
    assert run(generator, echo).value == 7


# A thread that is refused, and a thread that is interrupted.


def test_t110_refusal_of_a_machine_keeps_nobody_from_the_interpreter():
    """Making the error runs Python: another thread may come to the machine meanwhile."""
    run_child(
        """
        import builtins, threading
        from segue import PyVM, Pure, VMStateError

        vm, plain, refused = PyVM(), builtins.__import__, []
        vm.start_program(Pure(1))

        def attempt():
            try:
                vm.run(Pure(2))
            except VMStateError as e:
                refused.append(str(e))

        def importing(name, *args):
            if name == "segue._errors":
                builtins.__import__ = plain
                other = threading.Thread(target=attempt)
                other.start()
                other.join()
            return plain(name, *args)

        builtins.__import__ = importing
        attempt()
        assert len(refused) == 2 and refused[0] == refused[1], refused
        """,
        seconds=20,
    ).ok()


def test_t111_ctrl_c_is_for_the_run_of_the_main_thread():
    """A run of another thread that looks around meanwhile, being past its limit, does not take it."""
    run_child("""
        import os, signal, threading
        from segue import *

        signal.signal(signal.SIGINT, signal.default_int_handler)
        pressed, looked, results = threading.Event(), threading.Event(), []

        @do
        def worker():
            pressed.wait()
            try:
                while True:
                    yield Pure(None)
            except LimitExceeded:
                for _ in range(1_000):
                    yield Pure(None)
            return "undisturbed"

        def body():
            try:
                results.append(run(worker(), limits=Limits(seconds=0.001)).value)
            finally:
                looked.set()

        @do
        def main():
            os.kill(os.getpid(), signal.SIGINT)
            pressed.set()
            looked.wait()
            while True:
                yield Pure(None)

        thread = threading.Thread(target=body)
        thread.start()
        try:
            run(main())
        except KeyboardInterrupt:
            results.append("interrupted")
        thread.join()
        assert results == ["undisturbed", "interrupted"], results
    """).ok()
