"""What a run leaves behind: nothing (M-rows of the faults)."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import textwrap
import weakref

import pytest

from segue import (
    Ask,
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    Effect,
    Get,
    Handler,
    Inherit,
    Limits,
    Listen,
    Local,
    Pass,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    ResumeThrow,
    Seal,
    Tell,
    Transfer,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    async_run,
    bracket,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)
from segue._vm import vm_live_counts


class Ping(Effect[object]):
    payload: object = None


class Token:
    """Something whose end can be seen."""


@answers(Ping)
def echo(e):
    return e.payload


@handles(Ping)
def ends(e, k):
    return e.payload


@do
def ask(payload=None):
    try:
        return (yield Ping(payload))
    finally:
        yield Pure(None)


@do
def raises(payload=None):
    local = yield Ping(payload), payload
    raise ValueError(local)


# Scenarios: each takes a payload through one way of running and leaves nothing.

SCENARIOS = {}


def scenario(f):
    SCENARIOS[f.__name__] = f
    return f


@scenario
def value_clause(x):
    run(ask(x), handlers=[echo])


@scenario
def plain_clause(x):
    run(ask(x), handlers=[lambda e, k: Resume(k, e.payload)])


@scenario
def generator_clause(x):
    @handles(Ping)
    def clause(e, k):
        yield Tell(x)
        return (yield Resume(k, e.payload))

    run(ask(x), handlers=[writer, clause])


@scenario
def clause_that_waits(x):
    def clause(e, k):
        return (e.payload, (yield Resume(k, e.payload)))

    run(ask(x), handlers=[clause])


@scenario
def transfer(x):
    def clause(e, k):
        try:
            yield Transfer(k, e.payload)
        finally:
            yield Pure(x)

    run(ask(x), handlers=[clause])


@scenario
def pass_and_delegate(x):
    @answers(Ping)
    def delegates(e):
        return (yield Delegate())

    run(ask(x), handlers=[echo, lambda e, k: Pass(), delegates])


@scenario
def ended(x):
    run(ask(x), handlers=[ends])


@scenario
def discontinued(x):
    def clause(e, k):
        yield Discontinue(k)
        return x

    run(ask(x), handlers=[clause])


@scenario
def thrown_into(x):
    run(ask(x), handlers=[lambda e, k: ResumeThrow(k, ValueError(x))])


@scenario
def failing_clause(x):
    @answers(Ping)
    def fails(e):
        raise ValueError(e.payload)

    run(ask(x), handlers=[fails])


@scenario
def failing_body(x):
    run(raises(x), handlers=[echo])


@scenario
def unhandled(x):
    run(ask(x))


@scenario
def base_exception(x):
    @answers(Ping)
    def leaves(e):
        raise SystemExit(e.payload)

    with contextlib.suppress(SystemExit):
        run(ask(x), handlers=[leaves])


@scenario
def kept_and_resumed(x):
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    @do
    def program():
        yield keeps(ask(x))
        return (yield Resume(kept[0], x))

    run(program())


@scenario
def kept_and_left(x):
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())
        kept.append(kept)

    run(keeps(ask(x)))


@scenario
def kept_and_lost(x):
    @handles(Ping)
    def loses(e, k):
        k.keep()

    run(loses(ask(x)).flat_map(Pure))


@scenario
def second_use(x):
    def clause(e, k):
        yield Resume(k, x)
        yield Resume(k, x)

    run(ask(x), handlers=[clause])


@scenario
def created(x):
    @do
    def program():
        started = yield CreateContinuation(ask(x), [echo])
        unstarted = yield CreateContinuation(ask(x), [echo])
        return (yield Resume(started, None)), unstarted

    run(program())


@scenario
def inherited(x):
    @handles(Ping)
    def spawns(e, k):
        return Resume(k, (yield Inherit(k, Get("n"))))

    run(ask(x), handlers=[spawns, state({"n": x})])


@scenario
def intercepted(x):
    run(WithIntercept(lambda e: Ping(x), ask()), handlers=[echo])


@scenario
def sealed(x):
    run(Seal([], Try(ask(x))), handlers=[echo])


@scenario
def class_handler(x):
    class Holds(Handler):
        def enter(self):
            self.x = x

        @answers(Ping)
        def ping(self, e):
            return self.x

        def error(self, exc):
            return exc

        def exit(self):
            yield Pure(None)

    run(raises(x), handlers=[Holds()])


@scenario
def built_in_handlers(x):
    @do
    def program():
        yield Put("x", x)
        yield Tell(x)
        yield Local({"y": x}, Ask("y"))
        yield Listen(Tell(x))
        yield Ask("lazy")
        return (yield Get("x"))

    run(program(), handlers=[state, writer, reader], env={"lazy": lazy(Pure(x))})


@scenario
def failing_lazy(x):
    run(Ask("v"), handlers=[echo, reader({"v": lazy(raises(x))})])


@scenario
def bracketed(x):
    run(bracket(Pure(x), Ping, Pure), handlers=[ends])


@scenario
def limited(x):
    @do
    def forever():
        while True:
            yield Ping(x)

    run(forever(), handlers=[echo], limits=Limits(steps=50))


@scenario
def traced(x):
    run(ask(x), handlers=[echo], trace=True)


@scenario
def nested_run(x):
    run(Call(lambda: Pure(run(ask(x), handlers=[echo]))))


@scenario
def machine_left_in_the_middle(x):
    vm = PyVM()
    vm.start_program(ask(x), handlers=[echo])
    for _ in range(3):
        vm.step_once()


@scenario
def machine_that_waits(x):
    vm = PyVM()
    vm.start_program(PythonAsyncSyntaxEscape(lambda: x))
    while vm.step_once()[0] != "call_async":
        pass


@scenario
def asynchronous(x):
    async def later():
        return x

    asyncio.run(async_run(PythonAsyncSyntaxEscape(later).flat_map(ask), handlers=[echo]))


all_scenarios = pytest.mark.parametrize("name", SCENARIOS)


@all_scenarios
def test_nothing_of_the_machine_is_left(name):
    """Targets: live segments, frames and continuations are what they were, after every run."""
    before = vm_live_counts()
    SCENARIOS[name](Token())
    gc.collect()
    assert vm_live_counts() == before


@all_scenarios
def test_payload_is_released(name):
    token = Token()
    ref = weakref.ref(token)
    for _ in range(3):
        SCENARIOS[name](token)
    del token
    gc.collect()
    assert ref() is None


@all_scenarios
def test_reference_counts_do_not_grow(name):
    """M12 in the small: what a scenario touches has the count that it had before."""
    token = Token()
    watched = (token, Token, ValueError, Ping, echo, ends, ask, raises, state, writer, reader, Pure, run)
    SCENARIOS[name](token)  # caches are warm now
    gc.collect()
    before = [sys.getrefcount(x) for x in watched]
    for _ in range(20):
        SCENARIOS[name](token)
    gc.collect()
    grown = [after - b for after, b in zip([sys.getrefcount(x) for x in watched], before, strict=True)]
    assert max(grown) <= 2, grown  # an inline cache of the interpreter may hold one


@all_scenarios
def test_m08_every_scenario_runs_with_gc_at_each_allocation(name):
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        SCENARIOS[name](Token())
    finally:
        gc.set_threshold(*threshold)


def test_counts_see_what_lives_in_a_run():
    """Without this the tests above could not fail."""
    before = vm_live_counts()
    kept = []

    @handles(Ping)
    def keeps(e, k):
        kept.append(k.keep())

    @do
    def program():
        empty = vm_live_counts()
        yield keeps(ask())
        return empty, vm_live_counts()

    first, second = run(program()).value
    assert first["segments"] > before["segments"]
    assert first["frames"] > before["frames"]
    assert second["continuations"] == first["continuations"] + 1
    assert second["segments"] > first["segments"]
    assert vm_live_counts() == before


def test_m15_payloads_are_not_copied():
    payload = bytearray(50_000_000)

    @do
    def program():
        yield Put("p", (yield Ping(payload)))
        yield Tell((yield Get("p")))
        return (yield Listen(Tell(payload)))[1][0]

    r = run(program(), handlers=[state, writer, echo])
    assert r.value is payload
    assert r.raw_store["p"] is payload
    assert all(entry is payload for entry in r.log)


def test_m08_results_are_right_with_gc_at_each_allocation():
    @do
    def program(n):
        total = 0
        for i in range(n):
            total += yield Ping(i)
            yield Put("n", total)
            ended = yield WithHandler(ends, ask(i))
            assert ended == i
        return total, (yield Get("n"))

    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        assert run(program(50), handlers=[state, echo]).value == (1225, 1225)
    finally:
        gc.set_threshold(*threshold)


def test_m10_gc_while_a_step_holds_the_machine():
    """In clauses, finalizers, functions of nodes and between steps."""
    collected = []

    class Collects:
        def __del__(self):
            collected.append(gc.collect())

    @answers(Ping)
    def clause(e):
        gc.collect()
        gc.get_referrers(e)
        cycle = [Collects()]
        cycle.append(cycle)
        return 1

    def collects(x):
        gc.collect()
        return x

    @do
    def program():
        total = 0
        for _ in range(5):
            total += yield Ping(Collects()).map(collects)
        return total

    assert run(program(), handlers=[clause]).value == 5
    vm = PyVM()
    vm.start_program(program(), handlers=[clause])
    while (event := vm.step_once()) == ("continue",):
        gc.collect()
    assert event == ("done", 5)


def test_cycle_through_a_program_is_collected():
    def make():
        token = Token()
        box = [token]
        box.append(Try(ask(box)).map(lambda x: (x, box)))
        return weakref.ref(token)

    ref = make()
    gc.collect()
    assert ref() is None


def test_cycle_through_a_handler_object_is_collected():
    class Holds(Handler):
        @answers(Ping)
        def ping(self, e):
            return 1

    handler = Holds()
    handler.program = WithHandler(handler, ask())
    ref = weakref.ref(handler)
    assert run(handler.program).value == 1
    del handler
    gc.collect()
    assert ref() is None


def test_cycle_through_a_machine_is_collected():
    @do
    def waits(box):
        yield Ping(box)  # no clean-up that performs: a generator that gc finalizes cannot

    token = Token()
    ref = weakref.ref(token)
    vm = PyVM()
    box = [token, vm]
    vm.start_program(waits(box), handlers=[echo])
    vm.step_once()
    del token, vm, box
    gc.collect()
    assert ref() is None


def test_error_of_a_result_is_released_with_it():
    token = Token()
    ref = weakref.ref(token)
    r = run(raises(token), handlers=[echo])
    del token
    assert ref() is not None
    del r
    gc.collect()
    assert ref() is None


def test_value_that_a_program_no_longer_needs_is_released_during_the_run():
    """A body's value lives no longer than in plain Python."""
    seen = []

    @do
    def program():
        token = yield Call(lambda: Pure(Token()))
        ref = weakref.ref(token)
        del token
        yield Pure(None)
        gc.collect()
        seen.append(ref())

    run(program())
    assert seen == [None]


# Growth, in processes of their own.

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
    program = PRELUDE + textwrap.dedent(source)
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr[-4000:]) == (0, "")


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
