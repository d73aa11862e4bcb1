"""The public interface to the letter: the ten programs, every name, signature and event."""

import asyncio
import copy
import inspect
import pickle

import pytest

import segue
from segue import (
    Ask,
    Call,
    ContinuationError,
    CreateContinuation,
    Delegate,
    Discontinue,
    Discontinued,
    Effect,
    Err,
    FlatMap,
    Get,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Handler,
    Inherit,
    InternalError,
    LimitExceeded,
    Limits,
    Listen,
    Local,
    Map,
    MissingKeyError,
    Modify,
    Ok,
    Pass,
    Perform,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    RunResult,
    Seal,
    SegueError,
    Tell,
    TraceEntry,
    Transfer,
    TransferThrow,
    Try,
    UnhandledEffectError,
    VMStateError,
    WithHandler,
    WithIntercept,
    answers,
    async_run,
    bracket,
    default_handlers,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)
from segue._vm import vm_live_counts


class Ping(Effect[int]):
    n: int = 0


class Fetch(Effect[bytes]):
    url: str
    retries: int = 0


@do
def ask(n):
    return (yield Ping(n))


@do
def plus_one():
    return (yield Ping()) + 1


def nontail(e, k):
    r = yield Resume(k, e.n + 1)
    return ("handled", r)


@answers(Ping)
def echo(e):
    return e.n


# The ten programs.


def test_program_1_a_clause_after_the_body():
    assert run(ask(1), handlers=[nontail]).value == ("handled", 2)


def test_program_2_delegate_transforms_the_outer_answer():
    def outer(e, k):
        return Resume(k, 42)

    def doubler(e, k):
        v = yield Delegate()
        return Resume(k, v * 2)

    assert run(plus_one(), handlers=[outer, doubler]).value == 85


def test_program_3_an_ended_body_cleans_up_before_the_value_arrives():
    @handles(Ping)
    def stop(e, k):
        return "stopped"

    @do
    def careful():
        try:
            yield Ping()
        finally:
            yield Tell("cleaned")

    @do
    def both():
        r = yield WithHandler(stop, careful())
        yield Tell(r)

    r = run(both(), handlers=[writer])
    assert list(r.log) == ["cleaned", "stopped"]


def test_program_4_a_clause_that_raises_is_caught_at_the_perform():
    @do
    def catches():
        try:
            yield Ping()
        except ValueError as e:
            return str(e)

    @answers(Ping)
    def fails(e):
        raise ValueError("no")

    assert run(catches(), handlers=[fails]).value == "no"


def test_program_5_a_body_that_raises_is_caught_around_resume():
    def saves(e, k):
        try:
            return (yield Resume(k, 1))
        except KeyError:
            return "saved"

    @do
    def breaks():
        yield Ping()
        raise KeyError("x")

    assert run(breaks(), handlers=[saves]).value == "saved"


def test_program_6_a_class_handler_starts_anew_each_time():
    class Counter(Handler):
        def enter(self):
            self.n = 0

        @answers(Ping)
        def ping(self, e):
            self.n += e.n
            return self.n

        def result(self, value):
            return (value, self.n)

    @do
    def thrice():
        out = []
        for i in (1, 2, 3):
            out.append((yield Ping(i)))  # noqa: PERF401 (a comprehension cannot yield)
        return out

    counter = Counter()
    assert run(thrice(), handlers=[counter]).value == ([1, 3, 6], 6)
    assert run(thrice(), handlers=[counter]).value == ([1, 3, 6], 6)


def test_program_7_the_built_in_handlers():
    @do
    def bump():
        n = yield Get("n")
        yield Put("n", n + 1)
        yield Tell(n)
        return (yield Ask("who"))

    r = run(bump(), handlers=[state, writer, reader], env={"who": "me"}, store={"n": 1})
    assert (r.value, r.raw_store, list(r.log)) == ("me", {"n": 2}, [1])


def test_program_8_a_kept_continuation_is_resumed_later():
    kept = []

    def later(e, k):
        kept.append(k.keep())
        return "later"

    @do
    def twice():
        a = yield WithHandler(later, ask(1))
        b = yield Resume(kept[0], 9)
        return a, b

    assert run(twice()).value == ("later", 9)


def test_program_9_a_second_use_is_an_error_at_the_yield():
    def again(e, k):
        a = yield Resume(k, 1)
        try:
            yield Resume(k, 2)
        except ContinuationError:
            return ("once", a)

    assert run(ask(0), handlers=[again]).value == ("once", 1)


def test_program_10_one_step_at_a_time():
    vm = PyVM()
    vm.start_program(Pure(1).map(lambda x: x + 1))
    event = vm.step_once()
    while event == ("continue",):
        event = vm.step_once()
    assert event == ("done", 2)
    with pytest.raises(VMStateError):
        vm.step_once()


# Names.

NAMES = """
    run async_run do Effect answers handles Handler Program K
    Pure Map FlatMap Call Perform WithHandler WithIntercept
    Seal Try Local Listen bracket
    Resume ResumeThrow Transfer TransferThrow Discontinue Delegate Pass
    GetContinuation GetHandlers GetExecutionContext CreateContinuation ResumeContinuation Inherit
    PythonAsyncSyntaxEscape
    Get Put Modify Ask Tell state reader writer lazy default_handlers
    Ok Err RunResult Limits LimitExceeded TraceEntry
    SegueError ContinuationError UnhandledEffectError VMStateError MissingKeyError InternalError
    CycleError TaskEndedError Discontinued PyVM
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_name_is_public(name):
    assert hasattr(segue, name)
    assert name in segue.__all__


def test_all_is_sorted_and_every_name_in_it_exists():
    assert list(segue.__all__) == sorted(segue.__all__)
    assert [name for name in segue.__all__ if not hasattr(segue, name)] == []


def test_program_is_the_type_of_programs():
    """Semantics 1: `Program[R, E]` is the public name of programs; an effect is data, not a program."""
    assert isinstance(Pure(1), segue.Program)
    assert isinstance(ask(1), segue.Program)
    assert isinstance(Ping().map(str), segue.Program)
    assert not isinstance(Ping(), segue.Program)
    assert segue.Program[int, Ping] is not None


# Signatures.


@pytest.mark.parametrize("function", [run, async_run])
def test_signature_of_run(function):
    kind = inspect.Parameter
    got = [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]
    assert got == [
        ("program", kind.POSITIONAL_OR_KEYWORD),
        ("handlers", kind.POSITIONAL_OR_KEYWORD),
        ("env", kind.KEYWORD_ONLY),
        ("store", kind.KEYWORD_ONLY),
        ("trace", kind.KEYWORD_ONLY),
        ("limits", kind.KEYWORD_ONLY),
    ]


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (Pure, {"value": 1}),
        (Map, {"p": Pure(1), "f": str}),
        (FlatMap, {"p": Pure(1), "f": Pure}),
        (Perform, {"effect": Ping(1)}),
        (WithHandler, {"handler": echo, "p": Pure(1)}),
        (WithIntercept, {"f": Perform, "p": Pure(1)}),
        (Seal, {"allow": [Ping], "p": Pure(1)}),
        (Try, {"p": Pure(1)}),
        (Local, {"overrides": {"a": 1}, "p": Pure(1)}),
        (Listen, {"p": Pure(1)}),
        (bracket, {"acquire": Pure(1), "use": Pure, "release": Pure}),
        (Delegate, {}),
        (Pass, {}),
        (GetContinuation, {}),
        (GetHandlers, {}),
        (GetHandlers, {"k": None}),
        (GetExecutionContext, {}),
        (CreateContinuation, {"p": Pure(1), "handlers": [echo]}),
        (PythonAsyncSyntaxEscape, {"action": asyncio.get_running_loop}),
    ],
)
def test_node_takes_its_arguments_by_place_and_by_name(make, arguments):
    assert isinstance(make(*arguments.values()), segue.Program)
    assert isinstance(make(**arguments), segue.Program)


@pytest.mark.parametrize(
    ("make", "rest"),
    [
        (Resume, {"value": None}),
        (ResumeThrow, {"exc": ValueError("x")}),
        (Transfer, {"value": None}),
        (TransferThrow, {"exc": ValueError("x")}),
        (Discontinue, {}),
        (ResumeContinuation, {"value": None}),
        (Inherit, {"p": Pure(1)}),
        (GetHandlers, {}),
    ],
)
def test_node_on_a_continuation_takes_its_arguments_by_place_and_by_name(make, rest):
    """A node that was built and never evaluated uses nothing."""

    @do
    def builds():
        k = yield CreateContinuation(Pure("intact"), [])
        assert isinstance(make(k, *rest.values()), segue.Program)
        assert isinstance(make(k=k, **rest), segue.Program)
        return (yield Resume(k, None))

    assert run(builds()).value == "intact"


def test_call_passes_arguments_on():
    def f(*args, **kwargs):
        return Pure((args, kwargs))

    assert run(Call(f, 1, 2, a=3)).value == ((1, 2), {"a": 3})


def test_methods_and_attributes_of_a_continuation():
    seen = []

    def inspects(e, k):
        seen.append((k.used, k.kept))
        assert k.keep() is k
        seen.append((k.used, k.kept))
        nodes = [k.resume(1), k.throw(ValueError("x")), k.discontinue()]
        assert all(isinstance(node, segue.Program) for node in nodes)
        r = yield k.resume(5)
        seen.append((k.used, k.kept))
        return r

    assert run(ask(0), handlers=[inspects]).value == 5
    assert seen[:2] == [(False, False), (False, True)]
    assert seen[2][0] is True


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (Get, {"key": "n"}),
        (Put, {"key": "n", "value": 1}),
        (Modify, {"key": "n", "f": str}),
        (Ask, {"key": "who"}),
        (Tell, {"x": "said"}),
    ],
)
def test_built_in_effect_is_an_effect_with_fields(make, fields):
    effect = make(*fields.values())
    assert isinstance(effect, Effect)
    assert effect == make(**fields)
    assert {name: getattr(effect, name) for name in fields} == fields


def test_effect_declaration():
    """Keyword and positional, frozen, equality, repr, match, pickle."""
    effect = Fetch("u", retries=2)
    assert effect == Fetch("u", 2) == Fetch(url="u", retries=2)
    assert effect != Fetch("u")
    assert Fetch("u").retries == 0
    assert repr(effect) == "Fetch(url='u', retries=2)"
    assert pickle.loads(pickle.dumps(effect)) == effect  # noqa: S301
    assert copy.copy(effect) == effect
    with pytest.raises(AttributeError):
        effect.url = "v"
    match effect:
        case Fetch(url, retries=r):
            assert (url, r) == ("u", 2)
        case _:
            pytest.fail("the pattern did not match")


def test_answers_and_handles_make_handlers_that_know_their_function():
    def value(e):
        return e.n

    def control(e, k):
        return Resume(k, e.n)

    for handler, function in [(answers(Ping)(value), value), (handles(Ping)(control), control)]:
        assert isinstance(handler, Handler)
        assert handler.__wrapped__ is function
        assert run(handler(ask(4))).value == 4


def test_no_classes_means_every_effect():
    @answers()
    def any_value(e):
        return type(e).__name__

    @handles()
    def any_control(e, k):
        return Resume(k, type(e).__name__)

    @do
    def two():
        return (yield Ping()), (yield Fetch("u"))

    assert run(two(), handlers=[any_value]).value == ("Ping", "Fetch")
    assert run(two(), handlers=[any_control]).value == ("Ping", "Fetch")


def test_handler_composition_is_an_immutable_sequence_and_callable():
    both = echo | writer
    assert list(both) == [echo, writer]
    assert (len(both), both[0], both[1]) == (2, echo, writer)
    with pytest.raises(TypeError):
        both[0] = writer
    assert run(both(ask(3))).value == 3
    assert run(ask(3), handlers=both).value == 3


def test_settings_of_the_built_in_handlers():
    assert run(Get("n"), handlers=[state({"n": 1})]).value == 1
    assert run(Ask("who"), handlers=[reader({"who": "me"})]).value == "me"
    assert run(Ask("who"), handlers=[reader({"who": lazy(Pure("late"))})]).value == "late"


def test_default_handlers():
    """`[state, writer, scheduler, reader]`; the scheduler stands between writer and reader."""
    handlers = default_handlers()
    assert type(handlers) is list
    assert (handlers[0], handlers[1], handlers[-1]) == (state, writer, reader)
    assert default_handlers() is not handlers


# Results, limits, trace, errors.


def test_ok_and_err():
    error = ValueError("x")
    assert (Ok(1).value, Ok(1).is_ok(), Ok(1).is_err()) == (1, True, False)
    assert (Err(error).error, Err(error).is_ok(), Err(error).is_err()) == (error, False, True)
    assert Ok.__match_args__ == ("value",)
    assert Err.__match_args__ == ("error",)


def test_run_result_has_its_fields():
    r = run(Pure(1), handlers=[state, writer])
    assert isinstance(r, RunResult)
    assert r.result == Ok(1)
    assert (r.value, r.is_ok(), r.is_err()) == (1, True, False)
    assert (r.raw_store, list(r.log), list(r.unobserved)) == ({}, [], [])
    assert isinstance(r.display(), str)
    for name in ("error", "reports", "trace", "usage"):
        assert name in dir(r)


def test_limits_are_by_name_with_defaults():
    limits = Limits()
    for name in ("steps", "depth", "segments", "tasks", "promises", "seconds"):
        assert getattr(limits, name) is None
        assert getattr(Limits(**{name: 7}), name) == 7
    assert limits.grace == 10_000
    with pytest.raises(TypeError):
        Limits(5)


def test_usage_has_the_names_of_the_limits():
    usage = run(ask(1), handlers=[echo]).usage
    for name in ("steps", "depth", "segments", "tasks", "promises", "seconds"):
        assert getattr(usage, name) >= 0


def test_limit_exceeded_names_the_limit_and_its_value():
    error = run(ask(1), handlers=[echo], limits=Limits(steps=1)).error
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value) == ("steps", 1)


def test_trace_entries_are_named_tuples_of_a_closed_set():
    fields = ("step", "event", "mode", "pending", "dispatch_depth", "result")
    assert TraceEntry._fields == fields
    trace = run(ask(1), handlers=[echo], trace=True).trace
    assert len(trace) > 0
    for entry in trace:
        assert isinstance(entry, TraceEntry)
        assert entry.event in {"enter", "exit"}
        assert entry.mode in {"Deliver", "Throw", "HandleYield", "Return"}


def test_error_hierarchy():
    for error in (ContinuationError, UnhandledEffectError, VMStateError, MissingKeyError):
        assert issubclass(error, SegueError)
    assert issubclass(InternalError, SegueError)
    assert SegueError.__bases__ == (Exception,)
    assert issubclass(MissingKeyError, KeyError)
    assert Discontinued.__bases__ == (BaseException,)
    assert issubclass(LimitExceeded, BaseException)
    assert not issubclass(LimitExceeded, Exception)


def test_unhandled_effect_error_has_effect_and_handlers():
    error = run(Fetch("u"), handlers=[writer, echo]).error
    assert isinstance(error, UnhandledEffectError)
    assert error.effect == Fetch("u")
    assert list(error.handlers) == ["echo", "writer"]


# The machine by hand.


def events(vm):
    """Step to the first event that is not `continue`."""
    event = vm.step_once()
    while event[0] == "continue":
        assert event == ("continue",)
        event = vm.step_once()
    return event


def test_event_done():
    vm = PyVM()
    vm.start_program(ask(3), handlers=[echo])
    assert events(vm) == ("done", 3)


def test_event_error():
    error = ValueError("x")

    def raises():
        raise error

    vm = PyVM()
    vm.start_program(Call(raises))
    event = events(vm)
    assert type(event) is tuple
    assert event[0] == "error"
    assert event[1] is error


def test_event_call_async_and_both_feeds():
    def action():
        raise AssertionError("stepping never calls the action")

    @do
    def awaits():
        first = yield PythonAsyncSyntaxEscape(action)
        try:
            yield PythonAsyncSyntaxEscape(action)
        except ValueError as e:
            return first, str(e)

    vm = PyVM()
    vm.start_program(awaits())
    assert events(vm) == ("call_async", action)
    vm.feed_async_result("fed")
    assert events(vm) == ("call_async", action)
    vm.feed_async_error(ValueError("bad"))
    assert events(vm) == ("done", ("fed", "bad"))


def test_vm_run_and_run_scoped():
    vm = PyVM(trace=True, limits=Limits(steps=1000))
    assert vm.run(ask(1), handlers=[echo]).value == 1
    assert vm.run_scoped(ask(2), [echo]).value == 2
    assert isinstance(vm.run(ask(3)).error, UnhandledEffectError)


def test_async_run_is_a_coroutine():
    coroutine = async_run(ask(1), handlers=[echo])
    assert inspect.iscoroutine(coroutine)
    assert asyncio.run(coroutine).value == 1


def test_live_counts():
    assert set(vm_live_counts()) == {"segments", "frames", "continuations"}
