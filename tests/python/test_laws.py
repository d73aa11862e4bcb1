"""Laws of `specs/laws-*.md` and invariants of `specs/machine.md` that no test by concept holds."""

import time

import pytest

from segue import (
    Ask,
    CreateContinuation,
    CycleError,
    Effect,
    Get,
    Limits,
    Local,
    Ok,
    Pure,
    Put,
    Resume,
    RunClosedError,
    Seal,
    SegueError,
    TaskEndedError,
    Tell,
    Transfer,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
)
from vocabulary import Fork, Ping, echo, forks


class Pong(Effect[int]):
    n: int = 0


@answers(Pong)
def pong(e):
    return e.n


def keeper(kept, effect=Ping):
    @handles(effect)
    def keeps(e, k):
        kept.append(k.keep())
        return "kept"

    return keeps


def marked(log, name, program):
    """The program, whose clean-up is noted."""

    @do
    def body():
        try:
            return (yield program)
        finally:
            log.append(name)

    return body()


# Continuations: O(1) capture and resume.


def seconds_for(depth, count=500):
    """What it takes to capture and resume across `depth` segments, `count` times; the best of three."""

    @do
    def body():
        yield Ping()
        started = time.process_time()
        for _ in range(count):
            yield Ping()
        return time.process_time() - started

    program = body()
    for _ in range(depth):
        program = Seal([Ping], program)
    handler = handles(Ping)(lambda e, k: Resume(k, None))
    return min(run(program, handlers=[handler]).value for _ in range(3))


def test_capture_and_resume_do_not_depend_on_the_depth():
    assert seconds_for(50_000) < 10 * seconds_for(10) + 0.005


# Transfer: who gets the error of a block that stops it.


def test_error_of_a_block_that_stops_a_transfer_to_a_kept_k_goes_outward():
    log = []

    @handles(Ping)
    def clause(e, k):
        k.keep()
        try:
            yield Transfer(k, 1)
        finally:
            raise ValueError("clumsy")

    result = run(Try(WithHandler(clause, marked(log, "body", Try(Ping()))))).value
    assert result.error.args == ("clumsy",)
    assert log == ["body"]


# The end of a run: who owns a chain ends it.


def left_at_the_end(log, around, body):
    """Runs a body whose answer is computed by a program that performs Pong, whose `k` is kept to the end."""
    kept = []
    result = run(keeper(kept, Pong)(around(marked(log, "body", body))))
    assert result.value == "kept"
    assert kept[0].used
    return result.unobserved


def test_value_clause_that_waits_at_the_end_is_unwound_before_its_performer():
    log = []

    @answers(Ping)
    def clause(e):
        return (yield marked(log, "clause", Pong()))

    assert left_at_the_end(log, clause, Ping()) == ()
    assert log == ["clause", "body"]


def test_control_clause_that_waits_at_the_end_is_unwound_before_its_performer():
    log = []

    @handles(Ping)
    def clause(e, k):
        value = yield marked(log, "clause", Pong())
        return Resume(k, value)

    assert left_at_the_end(log, clause, Ping()) == ()
    assert log == ["clause", "body"]


def test_lazy_value_that_waits_at_the_end_is_unwound_before_who_asked():
    log = []
    handler = reader({"v": lazy(marked(log, "lazy", Pong()))})
    assert left_at_the_end(log, handler, Ask("v")) == ()
    assert log == ["lazy", "body"]


# Errors: nothing is sent through the user's handlers but what the program performs.


def test_handlers_see_only_effects_that_were_performed():
    seen = []

    def every(e, k):
        seen.append(e)
        return Resume(k, None)

    @do
    def body():
        try:
            yield Ping(1)
            raise ValueError("x")
        finally:
            yield Pong(2)

    assert run(WithIntercept(lambda e: e, Try(body())), handlers=[every], trace=True).value.is_err()
    run(Seal([], body()), handlers=[every])
    assert seen == [Ping(1), Pong(2)]


@pytest.mark.parametrize("error", [TaskEndedError, CycleError, RunClosedError])
def test_errors_of_forks_lazy_values_and_closed_runs_are_the_librarys(error):
    assert issubclass(error, SegueError)


# Running: limits.


def test_exactly_the_limit_of_segments_passes_and_one_more_does_not():
    program = Ping(1)
    for _ in range(20):
        program = WithHandler(pong, program)
    used = run(program, handlers=[echo]).usage.segments
    assert run(program, handlers=[echo], limits=Limits(segments=used)).value == 1
    error = run(program, handlers=[echo], limits=Limits(segments=used - 1)).error
    assert (error.limit, error.value) == ("segments", used - 1)


def test_past_a_limit_the_grace_is_for_clean_up_with_effects():
    @do
    def body():
        try:
            while True:
                yield Get("n")
        finally:
            yield Put("n", "cleaned")

    handler = state({"n": 0})
    cleaned = run(body(), handlers=[handler], limits=Limits(steps=100, grace=2))
    assert (cleaned.error.limit, cleaned.raw_store) == ("steps", {"n": "cleaned"})
    closed = run(body(), handlers=[handler], limits=Limits(steps=100, grace=0))
    assert (closed.error.limit, closed.raw_store) == ("steps", {"n": 0})


# Built-ins: lazy values.


def counted(log):
    @do
    def body():
        log.append("computed")
        return len(log)

    return body()


def test_lazy_value_is_evaluated_once_per_key():
    log = []
    value = lazy(counted(log))
    assert run(Ask("a").flat_map(lambda _: Ask("b")), handlers=[reader({"a": value, "b": value})]).value == 2
    assert len(log) == 2


def test_forks_share_a_lazy_value():
    log = []

    @do
    def parent():
        child = yield Fork(Ask("v"))
        return child, (yield Ask("v")), (yield Fork(Ask("v")))

    assert run(parent(), handlers=[forks, reader({"v": lazy(counted(log))})]).value == (1, 1, 1)


# The invariants of the machine's state.


@pytest.mark.parametrize("fails", [False, True])
def test_inv3_what_a_segment_was_about_to_do_survives_a_detour(fails):
    """A kept `k` is lost at the moment when a value, an error or a yield is on its way."""
    kept, log = [], []

    def loses(value):
        kept.clear()
        if fails:
            raise ValueError(value)
        return value

    @do
    def body():
        yield keeper(kept)(marked(log, "yield", Ping()))
        kept.clear()
        yielded = yield Pong(7)
        yield keeper(kept)(marked(log, "outcome", Ping()))
        outcome = yield Try(Pure(8).map(loses))
        return yielded, outcome, list(log)

    yielded, outcome, seen = run(body(), handlers=[pong]).value
    assert yielded == 7
    assert outcome.error.args == (8,) if fails else outcome == Ok(8)
    assert seen == ["yield", "outcome"]


def test_inv5_continuation_carries_everything_of_its_segments():
    """Guard, wall, handlers, `Try`, overrides and clean-up are there when it goes on elsewhere, later."""
    kept, log, seen = [], [], []

    @do
    def f(e):
        seen.append(e)
        first = yield Ping(1)  # captured here, while the guard is on
        second = yield Ask("who")
        return first, second

    @do
    def inside():
        asked = yield Ask("intercepted")
        performed = yield Pong(1)
        again = yield Try(Tell("stopped by the wall"))
        return asked, performed, again.is_err()

    def everything(program):
        walled = Seal([Ping, Ask], WithHandler(pong, program))
        return marked(log, "left", Try(Local({"who": "override"}, WithIntercept(f, walled))))

    @do
    def program():
        yield WithHandler(keeper(kept), everything(inside()))
        log.append("between")
        return (yield Resume(kept[0], "answer"))

    @handles(Tell)
    def never(e, k):
        pytest.fail("the wall lets it pass")

    result = run(program(), handlers=[never, reader({"who": "outside"})]).value
    assert result == Ok((("answer", "override"), 1, True))
    assert log == ["between", "left"]
    assert seen == [Ask("intercepted")]


def test_inv6_unstarted_continuation_has_the_guards_of_who_made_it():
    """An interceptor's program opened it, so that interceptor skips what it performs; another program's does not."""
    seen = []
    made = CreateContinuation(Pong(1), [])

    @do
    def f(e):
        seen.append(e)
        if e == Pong(1):
            return (yield e)
        return (yield Resume((yield made), None))

    @do
    def body():
        k = yield made
        return (yield Ping()), (yield Resume(k, None))

    assert run(WithIntercept(f, body()), handlers=[pong]).value == (1, 1)
    assert seen == [Ping(), Pong(1)]
