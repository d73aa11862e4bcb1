"""Semantics 5: results, trace, limits, the machine by hand, async, re-entrancy and threads (C- and T-rows)."""

import asyncio
import gc
import pickle
import threading

import pytest

from segue import (
    Ask,
    Call,
    Effect,
    Err,
    Get,
    LimitExceeded,
    Limits,
    Ok,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    Tell,
    Try,
    UnhandledEffectError,
    VMStateError,
    WithHandler,
    answers,
    async_run,
    do,
    handles,
    reader,
    run,
    state,
    writer,
)


class Ping(Effect[int]):
    n: int = 0


@answers(Ping)
def echo(e):
    return e.n


@do
def ask(n=0):
    return (yield Ping(n))


@do
def pings(count):
    for n in range(count):
        yield Ping(n)


@do
def gets(count):
    for _ in range(count):
        yield Get("n")


@do
def down(n):
    return 0 if n == 0 else 1 + (yield down(n - 1))


@do
def forever():
    while True:
        yield Ping()


@do
def raises(error):
    yield Tell("told")
    raise error


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
    assert len(caught) <= grace + 1


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


# The machine by hand.


def step(vm):
    """The first event that is not `continue`."""
    while (event := vm.step_once()) == ("continue",):
        pass
    return event


def action():
    raise AssertionError("stepping never calls the action")


def test_stepping_gives_what_run_gives():
    vm = PyVM()
    vm.start_program(pings(3).flat_map(lambda _: ask(7)), handlers=[echo])
    assert step(vm) == ("done", 7)


def test_user_code_runs_in_steps_and_not_before():
    log = []
    vm = PyVM()
    vm.start_program(Call(lambda: Pure(log.append("ran"))))
    assert log == []
    assert step(vm) == ("done", None)
    assert log == ["ran"]


def test_stepping_may_stop_between_two_steps():
    log = []

    @do
    def program():
        for n in range(5):
            yield Ping(n)
            log.append(n)

    vm = PyVM()
    vm.start_program(program(), handlers=[echo])
    while len(log) < 2:
        assert vm.step_once() == ("continue",)
    assert log == [0, 1]
    assert step(vm) == ("done", None)


def test_error_event_is_the_same_exception_and_finally_has_run():
    log = []
    error = ValueError("x")

    @do
    def program():
        try:
            yield Ping()
            raise error
        finally:
            log.append("finally")

    vm = PyVM()
    vm.start_program(program(), handlers=[echo])
    name, given = step(vm)
    assert (name, given is error, log) == ("error", True, ["finally"])


def test_step_before_a_start_is_an_error():
    with pytest.raises(VMStateError):
        PyVM().step_once()


def test_step_after_the_end_is_an_error_and_a_new_start_is_not():
    vm = PyVM()
    for n in (1, 2):
        vm.start_program(Pure(n))
        assert step(vm) == ("done", n)
        with pytest.raises(VMStateError):
            vm.step_once()


def test_step_after_an_error_is_an_error():
    vm = PyVM()
    vm.start_program(ask())
    assert step(vm)[0] == "error"
    with pytest.raises(VMStateError):
        vm.step_once()


def test_second_start_and_run_of_a_started_machine_are_errors():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    vm.step_once()
    for enter in (
        lambda: vm.start_program(Pure(1)),
        lambda: vm.run(Pure(1)),
        lambda: vm.run_scoped(Pure(1), []),
    ):
        with pytest.raises(VMStateError):
            enter()
    assert step(vm) == ("done", 3)


def test_feeding_when_nothing_is_pending_is_an_error():
    """Semantics 5: before a start, between steps and after the end."""
    vm = PyVM()

    def both_are_errors():
        with pytest.raises(VMStateError):
            vm.feed_async_result(1)
        with pytest.raises(VMStateError):
            vm.feed_async_error(ValueError())

    both_are_errors()
    vm.start_program(ask(3), handlers=[echo])
    both_are_errors()
    vm.step_once()
    both_are_errors()
    assert step(vm) == ("done", 3)
    both_are_errors()


def test_step_while_the_answer_is_pending_is_an_error():
    vm = PyVM()
    vm.start_program(PythonAsyncSyntaxEscape(action))
    assert step(vm) == ("call_async", action)
    with pytest.raises(VMStateError):
        vm.step_once()
    vm.feed_async_result("late")
    with pytest.raises(VMStateError):
        vm.feed_async_result("twice")
    assert step(vm) == ("done", "late")


def test_fed_error_is_raised_at_the_yield():
    error = ValueError("fed")

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except ValueError as e:
            return e

    vm = PyVM()
    vm.start_program(program())
    assert step(vm)[0] == "call_async"
    with pytest.raises(TypeError):
        vm.feed_async_error("not an exception")
    vm.feed_async_error(error)
    assert step(vm) == ("done", error)


@pytest.mark.parametrize("wrong", [3, None, ask])
def test_wrong_program_is_an_error_of_start_and_the_machine_stays_usable(wrong):
    vm = PyVM()
    for enter in (vm.start_program, vm.run, lambda p: vm.run_scoped(p, [])):
        with pytest.raises(TypeError):
            enter(wrong)
    assert vm.run(Pure(1)).value == 1


def test_machine_may_run_many_times_and_starts_anew():
    vm = PyVM()
    assert vm.run(Put("n", 1), handlers=[state]).raw_store == {"n": 1}
    assert vm.run(Get("n"), handlers=[state]).is_err()
    assert vm.run(ask(4), handlers=[echo]).value == 4


def test_run_scoped_takes_its_handlers_away_whatever_happens():
    vm = PyVM()
    assert vm.run_scoped(ask(1), [echo]).value == 1
    assert isinstance(vm.run(ask(1)).error, UnhandledEffectError)
    assert vm.run_scoped(raises(ValueError("x")), [writer]).is_err()
    with pytest.raises(SystemExit):
        vm.run_scoped(raises(SystemExit(1)), [writer, echo])
    for effect in (Ping(), Tell("x")):
        assert isinstance(vm.run(effect).error, UnhandledEffectError)


def test_machine_has_limits_and_trace():
    vm = PyVM(trace=True, limits=Limits(steps=20))
    r = vm.run(forever(), handlers=[echo])
    assert r.error.limit == "steps"
    assert len(r.trace) > 0
    assert vm.run(pings(2), handlers=[echo]).is_ok()


def test_dropped_machine_is_closed_like_a_coroutine():
    """Semantics 5: its suspended frames are closed at once."""
    log = []

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        finally:
            log.append("finally")

    vm = PyVM()
    vm.start_program(program())
    assert step(vm)[0] == "call_async"
    del vm
    gc.collect()
    assert log == ["finally"]


def test_dropped_machine_that_never_stepped_runs_nothing():
    log = []
    vm = PyVM()
    vm.start_program(Call(lambda: Pure(log.append("ran"))))
    del vm
    gc.collect()
    assert log == []


# Async.


async def later(value):
    await asyncio.sleep(0)
    return value


async def later_raises(error):
    await asyncio.sleep(0)
    raise error


def test_run_refuses_the_async_escape_at_the_yield():
    """Semantics 5: a TypeError, catchable there."""

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except TypeError as e:
            return "async_run" in str(e)

    assert run(program()).value is True


def test_async_run_awaits_the_action():
    @do
    def program():
        first = yield PythonAsyncSyntaxEscape(lambda: later(1))
        second = yield PythonAsyncSyntaxEscape(lambda: later(2))
        return first, second

    assert asyncio.run(async_run(program())).value == (1, 2)


def test_error_of_the_awaitable_is_raised_at_the_yield():
    error = ValueError("x")

    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(lambda: later_raises(error))
        except ValueError as e:
            return e

    assert asyncio.run(async_run(program())).value is error


@pytest.mark.parametrize("wrong", [lambda: 3, lambda: None])
def test_action_that_gives_no_awaitable_is_a_type_error_at_the_yield(wrong):
    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(wrong)
        except TypeError:
            return "caught"

    assert asyncio.run(async_run(program())).value == "caught"


def test_action_that_raises_is_an_error_at_the_yield():
    @do
    def program():
        try:
            yield PythonAsyncSyntaxEscape(action)
        except AssertionError as e:
            return str(e)

    assert "never calls" in asyncio.run(async_run(program())).value


def test_clause_may_await():
    @answers(Ping)
    def awaits(e):
        return (yield PythonAsyncSyntaxEscape(lambda: later(e.n)))

    assert asyncio.run(async_run(pings(3).flat_map(lambda _: ask(5)), handlers=[awaits])).value == 5


def test_programs_of_one_loop_run_side_by_side():
    events = []

    @do
    def program(name):
        for n in range(3):
            yield PythonAsyncSyntaxEscape(lambda: later(None))
            events.append((name, n))
        return name

    async def main():
        return await asyncio.gather(*(async_run(program(name)) for name in "ab"))

    assert [r.value for r in asyncio.run(main())] == ["a", "b"]
    assert events[:2] == [("a", 0), ("b", 0)]


@do
def everything():
    yield Put("n", (yield Get("n")) + 1)
    yield Tell((yield Ask("who")))
    caught = yield Try(Ping(1))
    return caught, (yield Get("n"))


@pytest.mark.parametrize("program", [everything(), ask(3), raises(ValueError("x")), Pure(1), Get("missing")])
def test_same_program_gives_the_same_from_both(program):
    """Semantics 5: same program, no await: same result from `run` and `async_run`."""
    options = {"handlers": [state, writer, reader, echo], "env": {"who": "me"}, "store": {"n": 1}}
    a, b = run(program, **options), asyncio.run(async_run(program, **options))
    assert a.is_ok() == b.is_ok()
    if a.is_ok():
        assert a.value == b.value
    else:
        assert (type(a.error), a.error.args) == (type(b.error), b.error.args)
    assert (a.raw_store, list(a.log), a.usage.steps) == (b.raw_store, list(b.log), b.usage.steps)


def test_async_run_raises_base_exceptions_with_the_result():
    class Leave(BaseException):
        pass

    with pytest.raises(Leave) as caught:
        asyncio.run(async_run(raises(Leave()), handlers=[writer]))
    assert list(caught.value.run_result.log) == ["told"]


def test_async_run_checks_its_arguments():
    with pytest.raises(TypeError):
        asyncio.run(async_run(3))


def test_bare_generator_may_be_the_root_of_async_run():
    def program():
        return (yield Ping(4))

    assert asyncio.run(async_run(program(), handlers=[echo])).value == 4


# Re-entrancy.


def test_c02_nested_run_in_a_program_sees_no_outer_handlers():
    @do
    def program():
        inner = run(ask(1))
        return inner.is_err(), run(ask(2), handlers=[echo]).value, (yield Ping(3))

    assert run(program(), handlers=[echo]).value == (True, 2, 3)


def test_run_inside_a_finalizer_works():
    results = []

    class Finalized:
        def __del__(self):
            results.append(run(ask(5), handlers=[echo]).value)

    @do
    def program():
        for _ in range(3):
            yield Put("x", Finalized())
        yield Put("x", None)

    assert run(program(), handlers=[state]).is_ok()
    gc.collect()
    assert results == [5, 5, 5]


def test_run_inside_every_function_that_the_machine_calls():
    def nested(value):
        assert run(ask(1), handlers=[echo]).value == 1
        return value

    program = Pure(3).map(nested).flat_map(lambda v: nested(Pure(v)))
    assert run(program).value == 3


def test_machine_inside_a_machine():
    outer_vm, inner_vm = PyVM(), PyVM()

    @do
    def program():
        return inner_vm.run(ask(2), handlers=[echo]).value + (yield Ping(3))

    assert outer_vm.run(program(), handlers=[echo]).value == 5


def test_machine_entered_from_its_own_program_says_so_and_goes_on():
    vm = PyVM()

    @do
    def program():
        with pytest.raises(VMStateError, match="already running"):
            vm.run(Pure(1))
        return (yield Ping(3))

    assert vm.run(program(), handlers=[echo]).value == 3
    assert vm.run(Pure(4)).value == 4


# Threads.


def in_threads(count, work):
    """Run `work(i)` in `count` threads at once; the results, or the first error."""
    results = [None] * count
    start = threading.Barrier(count)

    def body(i):
        start.wait()
        try:
            results[i] = work(i)
        except BaseException as e:
            results[i] = e

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_t01_sixty_four_threads_each_with_its_own_run():
    @do
    def program(n):
        for _ in range(50):
            yield Put("n", (yield Get("n")) + n)
            yield Ping()
        return (yield Get("n"))

    def work(i):
        return run(program(i), handlers=[state({"n": 0}), echo]).value

    assert in_threads(64, work) == [50 * i for i in range(64)]


def test_t02_one_machine_in_two_threads_refuses_the_second():
    vm = PyVM()
    refused = []

    def other_thread():
        try:
            vm.run(Pure(1))
        except VMStateError as e:
            refused.append(e)

    @do
    def program():
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        return (yield Ping(3))

    assert vm.run(program(), handlers=[echo]).value == 3
    assert len(refused) == 1


def test_t02_one_machine_shared_by_four_threads_gives_no_wrong_result():
    vm = PyVM()

    def work(i):
        outcomes = set()
        for _ in range(200):
            try:
                outcomes.add(vm.run(ask(i), handlers=[echo]).value)
            except VMStateError:
                outcomes.add("refused")
        return outcomes

    for i, outcomes in enumerate(in_threads(4, work)):
        assert outcomes <= {i, "refused"}
    assert vm.run(ask(9), handlers=[echo]).value == 9


def test_machine_may_be_stepped_by_another_thread_than_its_maker():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    vm.step_once()
    assert in_threads(1, lambda _: step(vm)) == [("done", 3)]


def test_handlers_may_be_shared_by_threads():
    handler = WithHandler(state({"n": 0}), Put("n", 1).flat_map(lambda _: Get("n")))
    assert in_threads(8, lambda _: run(handler).value) == [1] * 8
