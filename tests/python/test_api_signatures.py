"""The public interface to the letter: every name and signature."""

import asyncio
import copy
import inspect
import pickle

import pytest

import segue
from segue import (
    Ask,
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    Effect,
    FlatMap,
    Get,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Handler,
    Inherit,
    Listen,
    Local,
    Map,
    Modify,
    Pass,
    Perform,
    Pure,
    Put,
    PythonAsyncSyntaxEscape,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    Seal,
    Tell,
    Transfer,
    TransferThrow,
    Try,
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
from vocabulary import Fetch, Ping, ask, echo

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
