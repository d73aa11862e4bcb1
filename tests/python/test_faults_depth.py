"""Depth (D-rows), as far as it does not stand in `test_depth.py`: in processes of their own, on a stack of 256 KB."""

import textwrap

import pytest

from child import ON_SMALL_STACK, run_child

GIGABYTE = 2**30
PRELUDE = (
    ON_SMALL_STACK
    + """
import functools
import gc
import sys
import threading
import traceback

from segue import *


class Ping(Effect[object]):
    what: object = 0


@answers(Ping)
def echo(effect):
    return effect.what


def same(value):
    return value

"""
)


def child(source, **limits):
    """Run `source` after the prelude in a process of its own; it must end well and say no word."""
    ended = run_child(PRELUDE + textwrap.dedent(source), **{"memory": 4 * GIGABYTE, "seconds": 100} | limits)
    ended.ok()
    assert ended.stderr == ""


@pytest.mark.parametrize("bottom", ["raise ValueError('bottom')", "yield Ping()"], ids=["raised", "unhandled"])
def test_d03_error_from_a_depth_of_hundred_thousand_has_every_frame_once(bottom):
    """And it can be shown: on a small stack, whole and cut."""
    child(f"""
        depth = 100_000

        @do
        def deep(n):
            if n == 0:
                {bottom}
            yield deep(n - 1)

        def work():
            error = run(deep(depth)).error
            frames = [frame.f_locals["n"] for frame, _ in traceback.walk_tb(error.__traceback__)]
            assert frames == list(range(depth, -1, -1))
            assert traceback.format_exception(error, limit=3)

        on_small_stack(work)
    """)


def test_d03_error_that_each_of_ten_thousand_levels_replaces_keeps_its_chain():
    """No deeper: Python walks the whole chain for each error that it adds to it."""
    child("""
        @do
        def deep(n):
            if n == 0:
                raise ValueError(0)
            try:
                yield deep(n - 1)
            except ValueError as error:
                raise ValueError(n) from error

        def work():
            error, levels = run(deep(10_000)).error, 0
            while error.__cause__ is not None:
                error, levels = error.__cause__, levels + 1
            assert levels == 10_000

        on_small_stack(work)
    """)


DEEP_VALUES = {
    "map": "value.map(same)",
    "flat_map": "value.flat_map(Pure)",
    "with_handler": "WithHandler(echo, value)",
    "effect": "Ping(value)",
    "ok": "Ok(value)",
    "pure": "Pure(value)",
}


@pytest.mark.parametrize("wrapped", DEEP_VALUES.values(), ids=DEEP_VALUES)
@pytest.mark.parametrize("limit", [1_000, 1_000_000])
def test_d11_text_of_a_deep_value_is_bounded_and_comparing_it_ends(wrapped, limit):
    """However the recursion limit is set. To compare and to hash gives a result or a `RecursionError`."""
    child(f"""
        def deep():
            value = Pure(0)
            for _ in range(200_000):
                value = {wrapped}
            return value

        def work():
            one, other = deep(), deep()
            for text in (repr(one), str(one), run(Pure(one)).display()):
                assert "…" in text
                assert len(text) < 10_000
            for attempt in (lambda: one == other, lambda: one != other, lambda: hash(one)):
                try:
                    attempt()
                except RecursionError:
                    pass

        sys.setrecursionlimit({limit})
        on_small_stack(work)
    """)


def test_d11_deep_program_cannot_be_pickled_and_says_so():
    child("""
        import pickle

        def work():
            program = Pure(0)
            for _ in range(200_000):
                program = program.map(same)
            for attempt in (lambda: pickle.dumps(program), lambda: pickle.dumps(Ping(program))):
                try:
                    attempt()
                except (TypeError, RecursionError):
                    pass
                else:
                    raise AssertionError("pickled")

        on_small_stack(work)
    """)


def test_d102_steps_inside_steps_are_bounded_however_the_recursion_limit_is_set():
    """`PyVM` and `async_run` inside themselves, as `run` inside `run` (H15)."""
    child("""
        @do
        def stepped(n):
            if n:
                vm = PyVM()
                vm.start_program(stepped(n - 1))
                while (event := vm.step_once()) == ("continue",):
                    pass
                if event[0] == "error":
                    raise event[1]

        @do
        def awaited(n):
            if n:
                try:
                    async_run(awaited(n - 1)).send(None)
                except StopIteration as stop:
                    stop.value.value

        @do
        def scoped(n):
            return PyVM().run_scoped(scoped(n - 1), [echo]).value if n else (yield Ping(0))

        def work():
            for nest in (stepped, awaited, scoped):
                assert isinstance(run(nest(20_000), handlers=[echo]).error, RecursionError), nest
                assert run(nest(3), handlers=[echo]).is_ok(), nest

        sys.setrecursionlimit(1_000_000)
        work()
        on_small_stack(work)
    """)


def test_d103_runs_inside_runs_are_bounded_by_the_stack_of_their_thread():
    child("""
        def mapped(n):
            return run(Pure(n - 1).map(mapped)).value if n else 0

        @answers(Ping)
        def clause(effect):
            return run(Ping(effect.what - 1), handlers=[clause]).value if effect.what else 0

        class Enters(Handler):
            def __init__(self, n):
                self.n = n

            def enter(self):
                if self.n:
                    run(Pure(0), handlers=[Enters(self.n - 1)]).value

        def work():
            for nest in (lambda n: Pure(n).map(mapped), lambda n: clause(Ping(n)), lambda n: Enters(n)(Pure(0))):
                assert isinstance(run(nest(20_000)).error, RecursionError)
                assert run(nest(3)).value == 0

        sys.setrecursionlimit(1_000_000)
        on_small_stack(work)
    """)


def test_d104_chain_of_machines_that_hold_each_other_is_dropped():
    """Each holds the next in a suspended program; every `finally` runs."""
    child("""
        log = []

        def holds(held, n):
            try:
                yield PythonAsyncSyntaxEscape(print)
            finally:
                held = None
                log.append(n)

        vm = None
        for n in range(20_000):
            outer = PyVM()
            outer.start_program(holds(vm, n))
            while outer.step_once() == ("continue",):
                pass
            vm = outer
        del vm, outer
        assert sorted(log) == list(range(20_000))
    """)


def test_d105_chain_of_kept_continuations_that_hold_each_other_is_unwound():
    """Each is held by the frame of the next, which is dropped with it."""
    child("""
        log, kept = [], []

        @handles(Ping)
        def keeps(effect, k):
            kept.append(k.keep())

        @do
        def holds(held, n):
            try:
                yield Ping()
            finally:
                held = None
                log.append(n)

        @do
        def program():
            for n in range(20_000):
                yield keeps(holds(kept.pop() if kept else None, n))
            kept.clear()
            yield Pure(None)
            return len(log)

        def work():
            assert run(program()).value == 20_000
            assert sorted(log) == list(range(20_000))

        on_small_stack(work)
    """)
