"""Semantics 5: depth is bounded by memory, not by the native stack (D-rows). Each in a process of its own."""

import textwrap

from child import ON_SMALL_STACK, run_child

PRELUDE = (
    ON_SMALL_STACK
    + """
import gc
import os
import threading

from segue import *


class Ping(Effect[int]):
    n: int = 0


class Pong(Effect[str]):
    pass


def resident():
    '''Bytes of this process in memory.'''
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")



@do
def down(n):
    return 0 if n == 0 else 1 + (yield down(n - 1))
"""
)


def child(source):
    """Run `source` after the prelude in a process of its own; it must end well."""
    run_child(PRELUDE + textwrap.dedent(source), memory=6 * 2**30, seconds=110).ok()


# Deep calls.


def test_d01_hundred_thousand_nested_calls_in_linear_memory():
    child("""
        down_depth = 100_000
        peak = []

        @do
        def deep(n):
            if n == 0:
                peak.append(resident())
                return 0
            return 1 + (yield deep(n - 1))

        run(deep(100))
        before = resident()
        assert run(deep(down_depth)).value == down_depth
        assert (peak[-1] - before) / down_depth < 1024
    """)


def test_d02_million_nested_calls_on_a_small_stack():
    child("""
        def work():
            assert run(down(1_000_000)).value == 1_000_000

        on_small_stack(work)
    """)


def test_million_nested_calls_that_perform_at_the_bottom():
    child("""
        @do
        def deep(n):
            return (yield deep(n - 1)) if n else (yield Ping())

        def late(e, k):
            return ("handled", (yield Resume(k, "bottom")))

        def work():
            assert run(deep(1_000_000), handlers=[late]).value == ("handled", "bottom")

        on_small_stack(work)
    """)


def test_d03_error_from_a_depth_of_hundred_thousand():
    child("""
        @do
        def deep(n):
            if n == 0:
                raise ValueError("bottom")
            yield deep(n - 1)

        r = run(deep(100_000))
        assert type(r.error) is ValueError
        del r
        gc.collect()
        assert run(down(10)).value == 10
    """)


# Deep handlers.


def test_d04_hundred_thousand_nested_handlers():
    child("""
        n = 100_000

        @answers(Ping)
        def near(e):
            return "near"

        @answers(Pong)
        def far(e):
            return "far"

        @do
        def body():
            return (yield Ping()), (yield Pong()), (yield Ping())

        def work():
            program = body()
            for _ in range(n):
                program = WithHandler(near, program)
            assert run(program, handlers=[far]).value == ("near", "far", "near")

        on_small_stack(work)
    """)


def test_hundred_thousand_nested_handlers_with_a_result_each():
    child("""
        class Counts(Handler):
            def result(self, value):
                return value + 1

        def work():
            program = Pure(0)
            for _ in range(100_000):
                program = WithHandler(Counts(), program)
            assert run(program).value == 100_000

        on_small_stack(work)
    """)


def test_hundred_thousand_handlers_are_captured_and_unwound():
    child("""
        @handles(Pong)
        def ends(e, k):
            return "ended"

        left = []

        class Leaves(Handler):
            def exit(self):
                left.append(1)

        @do
        def body():
            yield Pong()

        program = body()
        for _ in range(100_000):
            program = WithHandler(Leaves(), program)
        assert run(program, handlers=[ends]).value == "ended"
        assert len(left) == 100_000
    """)


def test_unhandled_effect_below_ten_thousand_handlers():
    child("""
        @answers(Ping)
        def near(e):
            return "near"

        r = run(Pong(), handlers=[near] * 10_000)
        assert isinstance(r.error, UnhandledEffectError)
        assert len(r.error.handlers) == 10_000
        assert "Pong" in str(r.error)
    """)


def test_d06_ten_thousand_catch_all_handlers_that_each_delegate():
    child("""
        def plus_one(e, k):
            v = yield Delegate()
            return Resume(k, v + 1)

        @answers(Ping)
        def base(e):
            return e.n

        @do
        def body():
            total = 0
            for _ in range(3):
                total += yield Ping(1)
            return total

        def work():
            assert run(body(), handlers=[base] + [plus_one] * 10_000).value == 3 * 10_001

        on_small_stack(work)
    """)


def test_d06_ten_thousand_catch_all_handlers_that_each_pass():
    child("""
        def passes(e, k):
            return Pass()

        @answers(Ping)
        def base(e):
            return e.n

        assert run(Ping(7), handlers=[base] + [passes] * 10_000).value == 7
    """)


# Deep trees.

TREES = """
    def same(x):
        return x

    def tree(n):
        p = Pure(0)
        for i in range(n):
            p = (p.map(same), p.flat_map(Pure), Try(p), WithHandler(same, p), Local({}, p))[i % 5]
        return p
"""


def test_million_deep_program_dropped_unrun():
    child(
        TREES
        + """
    def work():
        p = tree(1_000_000)
        del p
        f = [Pure(0)]
        for _ in range(100_000):
            f = [Pure(f).map(lambda x, f=f: f)]
        del f
        gc.collect()

    on_small_stack(work)
    """
    )


def test_d10_million_deep_tree_runs():
    child("""
        def work():
            p = Pure(0)
            for _ in range(1_000_000):
                p = p.map(lambda x: x + 1)
            assert run(p).value == 1_000_000
            p = Pure(0)
            for _ in range(1_000_000):
                p = p.flat_map(lambda x: Pure(x + 1))
            assert run(p).value == 1_000_000

        on_small_stack(work)
    """)


def test_d10_programs_that_unfold_to_the_right_run():
    child("""
        def count(n):
            return Pure("end") if n == 0 else Pure(n - 1).flat_map(count)

        def work():
            assert run(count(1_000_000)).value == "end"

        on_small_stack(work)
    """)


def test_d11_repr_of_a_deep_tree_is_bounded_and_the_rest_does_not_crash():
    child(
        TREES
        + """
    import pickle

    def work():
        p, q = tree(200_000), tree(200_000)
        text = repr(p)
        assert "…" in text
        assert len(text) < 10_000
        for attempt in (lambda: p == q, lambda: hash(p), lambda: pickle.dumps(p), lambda: str(p)):
            try:
                attempt()
            except (RecursionError, TypeError, pickle.PicklingError, AttributeError):
                pass

    on_small_stack(work)
    """
    )


def test_d12_gc_over_a_million_deep_tree():
    child(
        TREES
        + """
    def work():
        p = tree(1_000_000)
        gc.collect()
        cycle = [p]
        cycle.append(cycle)
        del p, cycle
        gc.collect()

    on_small_stack(work)
    """
    )


# Flat memory.

FLAT = """
    marks = []
    ping = Ping(1)

    @do
    def body(n):
        for i in range(n):
            if i % 1_000_000 == 500_000:
                marks.append(resident())
            yield ping
        return "end"

    assert run(body(10_000_000), handlers=[handles(Ping)(clause)]).value == "end"
    assert len(marks) == 10
    assert max(marks) - marks[0] < 1_000_000, marks
"""


def test_d08_ten_million_tail_resumed_effects_in_flat_memory():
    """Semantics 2: `return Resume(k, v)`."""
    child(
        """
    def clause(e, k):
        return Resume(k, 1)
    """
        + FLAT
    )


def test_d08_ten_million_effects_resumed_last_by_a_generator_in_flat_memory():
    """Semantics 2: `return (yield Resume(k, v))` means the same."""
    child(
        """
    def clause(e, k):
        return (yield Resume(k, 1))
    """
        + FLAT
    )


def test_other_ways_to_go_on_are_flat_too():
    child("""
        def transfers(e, k):
            yield Transfer(k, 1)

        def through_delegate(e, k):
            v = yield Delegate()
            return Resume(k, v)

        def passes(e, k):
            return Pass()

        def created(e, k):
            return k.keep().resume(1)

        @answers(Ping)
        def value(e):
            return (yield Pure(1))

        marks = []

        @do
        def body(n):
            for i in range(n):
                if i % 100_000 == 50_000:
                    marks.append(resident())
                yield Ping(i)

        for handlers in ([transfers], [value, through_delegate], [value, passes], [created], [value]):
            marks.clear()
            assert run(body(500_000), handlers=handlers).is_ok()
            assert marks[-1] - marks[0] < 1_000_000, (handlers, marks)
    """)


# Unwinding at depth.


def test_k19_million_suspended_frames_are_unwound_innermost_first():
    child("""
        order = []

        @do
        def deep(n):
            try:
                yield deep(n - 1) if n else Ping()
            finally:
                order.append(n)

        @handles(Ping)
        def ends(e, k):
            return "ended"

        assert run(deep(1_000_000), handlers=[ends]).value == "ended"
        assert order == list(range(1_000_001))
    """)


def test_lost_k_with_hundred_thousand_frames():
    child("""
        closed = []

        @do
        def deep(n):
            try:
                yield deep(n - 1) if n else Ping()
            finally:
                closed.append(n)

        @handles(Ping)
        def loses(e, k):
            k.keep()
            return "lost"

        assert run(deep(100_000), handlers=[loses]).value == "lost"
        assert closed == list(range(100_001))
    """)


def test_hundred_thousand_clauses_that_wait_in_resume():
    child("""
        @handles(Ping)
        def counts(e, k):
            return 1 + (yield Resume(k, None))

        @do
        def body(n):
            for _ in range(n):
                yield Ping()
            return 0

        def work():
            assert run(body(100_000), handlers=[counts]).value == 100_000

        on_small_stack(work)
    """)


def test_run_result_of_a_deep_value_is_dropped_safely():
    child("""
        def work():
            p = Pure(0)
            for _ in range(1_000_000):
                p = p.map(int)
            r = run(Pure(p))
            del p
            del r

        on_small_stack(work)
    """)
