"""Semantics 5: results, trace, steps and limits (C-rows of the faults)."""

import asyncio
import contextlib
import pickle

import pytest

from running_vocabulary import forever, pings, raises
from segue import (
    Err,
    Get,
    Handler,
    LimitExceeded,
    Limits,
    Ok,
    Pure,
    Put,
    PyVM,
    Resume,
    Tell,
    Try,
    answers,
    async_run,
    do,
    handles,
    run,
    state,
    writer,
)
from vocabulary import Ping, echo


@do
def gets(count):
    for _ in range(count):
        yield Get("n")


@do
def down(n):
    return 0 if n == 0 else 1 + (yield down(n - 1))


# RunResult, Ok, Err.


def test_result_of_a_value():
    r = run(Pure(3))
    assert (r.result, r.value, r.is_ok(), r.is_err()) == (Ok(3), 3, True, False)
    with pytest.raises(ValueError, match=r".+"):
        r.error


def test_result_of_an_error():
    error = KeyError("x")
    r = run(raises(error), handlers=[writer])
    assert (r.result, r.error, r.is_ok(), r.is_err()) == (Err(error), error, False, True)
    with pytest.raises(KeyError):
        r.value


def test_result_is_frozen():
    r = run(Pure(3))
    for name in ("result", "raw_store", "log", "extra"):
        with pytest.raises(AttributeError):
            setattr(r, name, 1)


def test_ok_and_err_compare_by_value():
    error = ValueError("x")
    assert Ok([1]) == Ok([1])
    assert Ok(1) != Ok(2)
    assert Err(error) == Err(error)
    assert Ok(error) != Err(error)
    assert Ok(1) != 1
    assert ("Ok" in repr(Ok(17)), "17" in repr(Ok(17))) == (True, True)
    assert ("Err" in repr(Err(error)), "ValueError('x')" in repr(Err(error))) == (True, True)


def test_ok_and_err_match():
    def name(result):
        match result:
            case Ok(value):
                return ("ok", value)
            case Err(ValueError() as error):
                return ("value error", error.args)
            case Err(error):
                return ("other", type(error))

    assert name(Ok(1)) == ("ok", 1)
    assert name(Err(ValueError("x"))) == ("value error", ("x",))
    assert name(Err(KeyError("x"))) == ("other", KeyError)


def test_ok_and_err_pickle_and_are_frozen():
    assert pickle.loads(pickle.dumps(Ok([1]))) == Ok([1])  # noqa: S301
    again = pickle.loads(pickle.dumps(Err(ValueError("x"))))  # noqa: S301
    assert type(again.error) is ValueError
    assert again.error.args == ("x",)
    for frozen, name in ((Ok(1), "value"), (Err(ValueError()), "error")):
        with pytest.raises(AttributeError):
            setattr(frozen, name, 2)


def test_display_shows_value_or_error():
    assert "'the value'" in run(Pure("the value")).display()
    assert "the error" in run(raises(ValueError("the error")), handlers=[writer]).display()


@pytest.mark.parametrize("wrong", [3, "text"])
def test_wrong_handlers_and_limits_are_type_errors_of_run(wrong):
    with pytest.raises(TypeError):
        run(Pure(1), handlers=wrong)
    with pytest.raises(TypeError):
        run(Pure(1), limits=wrong)


# Trace.


def test_trace_has_one_entry_per_step():
    r = run(pings(3), handlers=[echo], trace=True)
    assert len(r.trace) == r.usage.steps
    assert [entry.step for entry in r.trace] == sorted(entry.step for entry in r.trace)
    for entry in r.trace:
        assert entry.event in {"enter", "exit"}
        assert entry.mode in {"Deliver", "Throw", "HandleYield", "Return"}
        assert entry.dispatch_depth >= 0


def test_trace_changes_nothing_and_is_empty_when_off():
    on = run(gets(3), handlers=[state({"n": 1})], trace=True)
    off = run(gets(3), handlers=[state({"n": 1})])
    assert on.usage.steps == off.usage.steps
    assert not off.trace
    assert off.is_ok()


def test_trace_is_there_after_an_error():
    assert len(run(raises(ValueError("x")), handlers=[writer], trace=True).trace) > 0


# Steps and limits.


def steps(program, *handlers, **options):
    return run(program, handlers=handlers, **options).usage.steps


def test_native_get_is_two_steps_and_a_program_one():
    """Semantics 1: a perform, a clause's answer, a program entered."""
    assert steps(gets(0), state({"n": 1})) == 1
    assert steps(gets(2), state({"n": 1})) == 5


@pytest.mark.parametrize(
    "handler",
    [
        echo,
        handles(Ping)(lambda e, k: Resume(k, e.n)),
        handles(Ping)(lambda e, k: k.resume(e.n)),
    ],
)
def test_each_effect_with_a_plain_clause_is_two_steps(handler):
    """Semantics 1: fusing and caching never change the count."""
    assert steps(pings(10), handler) - steps(pings(9), handler) == 2


def test_each_program_entered_is_a_step():
    assert steps(down(10)) - steps(down(9)) == 1


def test_count_of_steps_does_not_depend_on_what_ran_before():
    counts = {steps(gets(100), state({"n": 1})) for _ in range(5)}
    assert len(counts) == 1


def test_steps_are_the_same_in_run_stepping_and_async():
    vm = PyVM()
    assert vm.run(pings(5), handlers=[echo]).usage.steps == steps(pings(5), echo)
    assert asyncio.run(async_run(pings(5), handlers=[echo])).usage.steps == steps(pings(5), echo)


def test_c04_exactly_the_limit_of_steps_passes_and_one_more_does_not():
    used = steps(pings(20), echo)
    assert run(pings(20), handlers=[echo], limits=Limits(steps=used)).is_ok()
    error = run(pings(20), handlers=[echo], limits=Limits(steps=used - 1)).error
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value) == ("steps", used - 1)
    assert "steps" in str(error)
    assert str(used - 1) in str(error)


def test_c04_exactly_the_limit_of_depth_passes_and_one_more_does_not():
    used = run(down(30)).usage.depth
    assert run(down(30), limits=Limits(depth=used)).value == 30
    error = run(down(30), limits=Limits(depth=used - 1)).error
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value) == ("depth", used - 1)


def test_depth_counts_nested_calls_and_not_calls_in_a_row():
    @do
    def row():
        for _ in range(50):
            yield down(3)

    assert run(down(30)).usage.depth - run(down(29)).usage.depth == 1
    assert run(row()).usage.depth == run(down(4)).usage.depth


def test_c03_endless_loop_of_effects_ends_and_its_finally_runs():
    log = []

    @do
    def loops():
        try:
            yield forever()
        finally:
            log.append("finally")

    for limits in (Limits(steps=1000), Limits(seconds=0.05)):
        error = run(loops(), handlers=[echo], limits=limits).error
        assert isinstance(error, LimitExceeded)
    assert error.limit == "seconds"
    assert error.value == 0.05
    assert log == ["finally", "finally"]


def test_c03_endless_loop_served_by_native_handlers_ends():
    @do
    def loops():
        while True:
            yield Put("n", (yield Get("n")) + 1)

    r = run(loops(), handlers=[state({"n": 0})], limits=Limits(steps=1001))
    assert isinstance(r.error, LimitExceeded)
    assert r.raw_store == {"n": 250}


def test_c03_endless_recursion_ends_by_the_limit_of_depth():
    @do
    def deeper():
        yield deeper()

    assert run(deeper(), limits=Limits(depth=100)).error.limit == "depth"


def test_limit_is_no_exception_and_try_does_not_stop_it():
    """Semantics 4: Try and handlers never swallow it."""
    assert isinstance(run(Try(forever()), handlers=[echo], limits=Limits(steps=100)).error, LimitExceeded)


def test_limit_is_raised_at_a_yield():
    @do
    def body():
        try:
            yield forever()
        except LimitExceeded as e:
            return e.limit

    assert run(body(), handlers=[echo], limits=Limits(steps=100)).value == "steps"


@pytest.mark.parametrize("grace", [0, 1, 50])
def test_program_that_ignores_the_limit_is_closed_after_the_grace(grace):
    """Semantics 5: past a limit each step raises again; after `grace` steps the frames are closed."""
    caught = []

    @do
    def stubborn():
        while True:
            try:
                yield Ping()
            except LimitExceeded:
                caught.append(1)

    r = run(stubborn(), handlers=[echo], limits=Limits(steps=100, grace=grace))
    assert isinstance(r.error, LimitExceeded)
    assert len(caught) <= grace + 1 + 1000  # it is raised again, until the generator is given up


def test_what_fails_while_a_run_is_closed_after_the_grace_goes_to_the_hook(unraisable):
    class Leaves(Handler):
        answer = answers(Ping)(lambda self, e: e.n)

        def exit(self):
            yield from ()
            raise ValueError("exit")

    @do
    def stubborn():
        try:
            while True:
                with contextlib.suppress(LimitExceeded):
                    yield Ping()
        finally:
            raise ValueError("inner")

    @do
    def around():
        try:
            yield stubborn()
        finally:
            raise ValueError("outer")

    r = run(around(), handlers=[Leaves()], limits=Limits(steps=100, grace=0))
    assert isinstance(r.error, LimitExceeded)
    assert [str(error) for error in unraisable] == ["inner", "outer", "exit"]


def test_limits_belong_to_one_run():
    assert run(forever(), handlers=[echo], limits=Limits(steps=10)).is_err()
    assert run(pings(100), handlers=[echo]).is_ok()


def test_limits_of_a_nested_run_are_its_own():
    @do
    def program():
        inner = run(forever(), handlers=[echo], limits=Limits(steps=10))
        return inner.error.limit, (yield Ping(5))

    assert run(program(), handlers=[echo]).value == ("steps", 5)


def test_log_and_store_are_there_after_a_limit():
    @do
    def program():
        yield Tell("told")
        yield Put("n", 1)
        yield forever()

    r = run(program(), handlers=[state, writer, echo], limits=Limits(steps=100))
    assert (r.raw_store, list(r.log)) == ({"n": 1}, ["told"])


@pytest.mark.parametrize("name", ["steps", "depth", "segments", "tasks", "promises", "seconds", "grace"])
def test_limits_check_their_values(name):
    with pytest.raises((TypeError, ValueError)):
        Limits(**{name: "many"})
    with pytest.raises((TypeError, ValueError, OverflowError)):
        Limits(**{name: -1})
