"""What has brought runners of effects down, shown to be survived: each in a process of its own, with limits.

Nested handlers, trees that are dropped unrun, nested runs, memory that is exhausted, exit with a daemon thread inside a
run, and cycles of continuations. The rows of the catalogue go further; here stands each class once, at full size.
"""

import textwrap

import pytest

from child import ON_SMALL_STACK, run_child

MEGABYTE = 2**20
PRELUDE = (
    ON_SMALL_STACK
    + """
import functools
import gc
import operator
import sys
import threading
import time
import weakref

from segue import *
from segue._vm import vm_live_counts


class Ping(Effect[object]):
    what: object = None


@answers(Ping)
def echo(effect):
    return effect.what


def same(value):
    return value

"""
)


def child(source, memory=4096 * MEGABYTE):
    """Run `source` after the prelude in a process of its own; it must end well and say no word."""
    ended = run_child(PRELUDE + textwrap.dedent(source), memory=memory, seconds=110)
    assert (ended.ok(), ended.stderr) == ("", "")


def test_hundred_thousand_nested_handlers():
    """Of every kind, on a small stack: performed through, ended, and failed through."""
    child("""
        class Counts(Handler):
            left = 0

            def result(self, value):
                return value

            def exit(self):
                Counts.left += 1

        @handles(Ping)
        def delegates(effect, k):
            return (yield Resume(k, (yield Delegate())))

        @handles(Ping)
        def ends(effect, k):
            return "ended"

        @do
        def body(effect):
            return (yield effect)

        def layers(program):
            for n in range(100_000):
                kinds = (Counts(), state, delegates, writer, reader({}))
                program = WithHandler(kinds[n % 5], program)
            return program

        def work():
            assert run(layers(body(Ping("answer"))), handlers=[echo]).value == "answer"
            assert run(layers(body(Ping())), handlers=[ends]).value == "ended"
            assert run(layers(body(Pure(1).map(operator.itemgetter(0))))).is_err()
            assert Counts.left == 60_000
            assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}

        on_small_stack(work)
    """)


KINDS_OF_NODES = {
    "pure": "Pure(p)",
    "map": "p.map(same)",
    "flat_map": "p.flat_map(same)",
    "function_of_map": "Pure(0).map(functools.partial(same, p))",
    "call": "Call(same, p)",
    "call_by_keyword": "Call(same, x=p)",
    "do": "do(same)(p)",
    "do_by_keyword": "do(same)(value=p)",
    "effect": "Ping(p)",
    "perform": "Perform(Ping(p))",
    "with_handler": "WithHandler(echo, p)",
    "with_intercept": "WithIntercept(same, p)",
    "seal": "Seal([Ping], p)",
    "try": "Try(p)",
    "local": "Local({}, p)",
    "local_that_holds_it": "Local({'x': p}, Pure(1))",
    "lazy": "Local({'x': lazy(p)}, Pure(1))",
    "listen": "Listen(p)",
    "bracket": "bracket(p, Pure, Pure)",
    "put": "Put('x', p)",
    "tell": "Tell(p)",
    "create_continuation": "CreateContinuation(p, [echo])",
    "escape": "PythonAsyncSyntaxEscape(functools.partial(same, p))",
    "ok": "Ok(p)",
}


HANDLERS_THAT_HOLD = {
    "state": "WithHandler(state({'x': p}), Pure(1))",
    "reader": "WithHandler(reader({'x': lazy(p)}), Pure(1))",
    "clause": "WithHandler(answers(Ping)(functools.partial(same, p)), Pure(1))",
    "row": "(echo | answers(Ping)(functools.partial(same, p)))(Pure(1))",
}
DROPPED_UNRUN = """
        def deep():
            p = Pure(0)
            for _ in range({depth}):
                p = {wrapped}
            return p

        def work():
            p = deep()
            del p
            cycle = [deep()]
            cycle.append(cycle)
            del cycle
            gc.collect()

        gc.disable()
        on_small_stack(work)
"""


@pytest.mark.parametrize("wrapped", KINDS_OF_NODES.values(), ids=KINDS_OF_NODES)
def test_d106_million_deep_tree_of_each_node_is_dropped_unrun_on_a_small_stack(wrapped):
    """By its last reference, and by the collector."""
    child(DROPPED_UNRUN.format(wrapped=wrapped, depth=1_000_000))


@pytest.mark.parametrize("wrapped", HANDLERS_THAT_HOLD.values(), ids=HANDLERS_THAT_HOLD)
def test_d106_programs_that_handlers_hold_are_dropped_unrun_on_a_small_stack(wrapped):
    child(DROPPED_UNRUN.format(wrapped=wrapped, depth=100_000))


def test_nodes_that_use_a_continuation_hold_it_as_deep_as_one_likes():
    """Each continuation is held by a node for the next; the collector and the last reference drop them."""
    child("""
        kept = []

        @handles(Ping)
        def keeps(effect, k):
            kept.append(k.keep())

        def hold(k, n):
            uses = (Resume, Transfer, ResumeContinuation)
            nodes = [use(k, n) for use in uses] + [ResumeThrow(k, ValueError()), Discontinue(k), Inherit(k, Pure(n))]
            return nodes[n % 6]

        @do
        def program():
            node = Pure(0)
            for n in range(20_000):
                yield WithHandler(keeps, Ping(node).map(same))
                node = hold(kept.pop(), n)

        def work():
            assert run(program()).is_ok()
            gc.collect()
            assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}

        on_small_stack(work)
    """)


def test_twenty_thousand_nested_runs_with_the_recursion_limit_raised():
    """`RecursionError`, and the next run works; so on a small stack."""
    child("""
        @do
        def nest(n):
            return run(nest(n - 1)).value if n else 0

        def work():
            error = run(nest(20_000)).error
            assert isinstance(error, RecursionError), error
            assert run(nest(20)).value == 0

        sys.setrecursionlimit(1_000_000)
        work()
        on_small_stack(work)
    """)


DEEP = {
    "calls": "calls(0)",
    "calls_with_clean_up": "cleaned(0)",
    "handlers": "blocks(0)",
    "waiting_clauses": "waits(pings())",
    "clauses_that_perform": "echo(performs(pings()))",
    "clauses_that_wait_for_one_outside": "waits(passes_on(pings()))",
    "nodes": "nodes(0)",
    "kept_continuations": "hoards()",
}


@pytest.mark.parametrize("megabytes", [200, 400])
@pytest.mark.parametrize("program", DEEP.values(), ids=DEEP)
def test_p15_memory_exhausted_in_deep_recursion_is_a_memory_error(program, megabytes):
    """To the caller; nothing is left of the run, and the next one works."""
    child(
        f"""
        @do
        def calls(n):
            return 1 + (yield calls(n + 1))

        @do
        def cleaned(n):
            try:
                return 1 + (yield cleaned(n + 1))
            finally:
                yield Pure(None)

        @do
        def blocks(n):
            return 1 + (yield WithHandler(echo, blocks(n + 1)))

        @handles(Ping)
        def waits(effect, k):
            return 1 + (yield Resume(k, None))

        @handles(Ping)
        def performs(effect, k):
            return (yield Ping(1)), (yield Delegate()), (yield Resume(k, None))

        @handles(Ping)
        def passes_on(effect, k):
            return (yield Resume(k, (yield Delegate())))

        @do
        def pings():
            while True:
                yield Ping()

        def nodes(n):
            return Pure(n + 1).flat_map(nodes).map(abs)

        @handles(Ping)
        def keeps(effect, k):
            kept.append(k.keep())

        @do
        def hoards():
            while True:
                yield keeps(pings())

        kept = []

        def work():
            error = run({program}).error
            assert type(error) is MemoryError, error
            del error
            kept.clear()
            gc.collect()
            assert vm_live_counts() == {{"segments": 0, "frames": 0, "continuations": 0}}
            assert run(Ping(3), handlers=[echo]).value == 3

        # CPython 3.13.0 lets a traceback go by recursion, 10 000 deep: the main thread has no stack for it.
        on_stack({16 * MEGABYTE}, work)
        """,
        memory=megabytes * MEGABYTE,
    )


def test_cycles_of_continuations_are_collected_and_their_finally_has_run():
    """A thousand: through the handler, a machine, another continuation, and themselves."""
    child("""
        closed, gone = [], []

        class Token:
            pass

        @do
        def guarded(token):
            try:
                yield Ping()
            finally:
                closed.append(1)

        def through_the_handler():
            held, token = [], Token()

            @handles(Ping)
            def keeps(effect, k):
                held.extend([k.keep(), keeps, token])

            run(WithHandler(keeps, guarded(token)))
            return token

        def through_itself():
            token = Token()

            @handles(Ping)
            def keeps(effect, k):
                token.k = k.keep()
                token.me = token

            run(WithHandler(keeps, guarded(token)))
            return token

        def through_a_machine():
            token = Token()
            token.vm = PyVM()

            @handles(Ping)
            def keeps(effect, k):
                token.k = k.keep()

            @do
            def program():
                yield WithHandler(keeps, guarded(token))
                yield PythonAsyncSyntaxEscape(print)

            token.vm.start_program(program())
            while token.vm.step_once() == ("continue",):
                pass
            return token

        gc.disable()
        for make in (through_the_handler, through_itself, through_a_machine):
            for _ in range(333):
                gone.append(weakref.ref(make()))
        gc.collect()
        gc.collect()
        assert len(closed) == 999, len(closed)
        assert not any(ref() for ref in gone)
        assert vm_live_counts() == {"segments": 0, "frames": 0, "continuations": 0}
    """)
