"""The collector sees all that the machine holds, and may come at any moment (M-rows of the faults)."""

from __future__ import annotations

import gc
import sys
import types
import weakref

import pytest

from conftest import left_over, live_counts
from segue import (
    Ask,
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    DoExpr,
    Effect,
    Err,
    FlatMap,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Handler,
    Inherit,
    Limits,
    Listen,
    Local,
    Map,
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
    Seal,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    answers,
    bracket,
    do,
    handles,
    lazy,
    reader,
    run,
    state,
    writer,
)


class Ping(Effect[object]):
    payload: object = None


class Token:
    """Something whose end can be seen."""


@pytest.fixture(autouse=True, scope="module")
def only_what_these_tests_make_is_collected():
    """Collecting is then a matter of microseconds, and may be done at every moment."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@answers(Ping)
def echo(e):
    return e.payload


# Cycles through one public object. Each maker gets a list, and gives an object that leads back to the list.


def kept(box):
    """A `K` that was kept, of a run that is over."""
    found = []

    @handles(Ping)
    def keeps(e, k):
        found.append(k.keep())
        return box

    run(keeps(Ping(box)))
    return found[0]


def of_k(node):
    """A node for an unused `k` of a finished run, and a payload."""
    return lambda box: node(kept(box), box)


def function_of(box):
    return lambda *_: box


class Holder(Handler):
    """A handler object that holds something."""

    def __init__(self, held):
        self.held = held

    @answers(Ping)
    def ping(self, e):
        return self.held


def raising(box):
    error = ValueError(box)
    error.box = box
    return error


NODES = {
    "Pure": Pure,
    "Map of a program": lambda box: Map(Pure(box), int),
    "Map by a function": lambda box: Map(Pure(1), function_of(box)),
    "FlatMap of a program": lambda box: FlatMap(Pure(box), Pure),
    "FlatMap by a function": lambda box: FlatMap(Pure(1), function_of(box)),
    "map of an effect": lambda box: Ping(box).map(function_of(box)),
    "Call of a function": lambda box: Call(function_of(box)),
    "Call with an argument": lambda box: Call(Pure, box),
    "Call with a keyword": lambda box: Call(Pure, value=box),
    "do call": lambda box: do(function_of(box))(),
    "do call with arguments": lambda box: do(function_of(None))(1, keyword=box),
    "Perform": lambda box: Perform(Ping(box)),
    "WithHandler of a handler": lambda box: WithHandler(Holder(box), Pure(1)),
    "WithHandler of a program": lambda box: WithHandler(echo, Pure(box)),
    "WithIntercept by a function": lambda box: WithIntercept(function_of(box), Pure(1)),
    "WithIntercept of a program": lambda box: WithIntercept(int, Pure(box)),
    "Seal": lambda box: Seal([Ping], Pure(box)),
    "Try": lambda box: Try(Pure(box)),
    "Local of overrides": lambda box: Local({"key": box}, Pure(1)),
    "Local of a program": lambda box: Local({}, Pure(box)),
    "Listen": lambda box: Listen(Pure(box)),
    "bracket that acquires": lambda box: bracket(Pure(box), Pure, Pure),
    "bracket that uses": lambda box: bracket(Pure(1), function_of(box), Pure),
    "bracket that releases": lambda box: bracket(Pure(1), Pure, function_of(box)),
    "Resume": of_k(Resume),
    "ResumeContinuation": of_k(ResumeContinuation),
    "ResumeThrow": lambda box: ResumeThrow(kept(box), raising(box)),
    "Transfer": of_k(Transfer),
    "TransferThrow": lambda box: TransferThrow(kept(box), raising(box)),
    "CreateContinuation of a program": lambda box: CreateContinuation(Pure(box), []),
    "CreateContinuation of handlers": lambda box: CreateContinuation(Pure(1), [Holder(box)]),
    "Inherit": lambda box: Inherit(kept(box), Pure(box)),
    "PythonAsyncSyntaxEscape": lambda box: PythonAsyncSyntaxEscape(function_of(box)),
}


NODES_OF_K = {"Discontinue": Discontinue, "GetHandlers": GetHandlers}


class Pair(Effect[object]):
    first: object
    second: object = None


def failing(box):
    @do
    def program():
        yield Pure(None)
        raise raising(box)

    return program()


OBJECTS = {
    "effect": Ping,
    "effect with fields": lambda box: Pair(1, second=box),
    "built-in effect": lambda box: Put("key", box),
    "value handler": lambda box: answers(Ping)(function_of(box)),
    "control handler": lambda box: handles(Ping)(function_of(box)),
    "handler object": Holder,
    "handlers in a row": lambda box: Holder(box) | echo,
    "do function": lambda box: do(function_of(box)),
    "configured state": lambda box: state({"key": box}),
    "configured reader": lambda box: reader({"key": box}),
    "lazy": lambda box: lazy(Pure(box)),
    "Ok": Ok,
    "Err": lambda box: Err(raising(box)),
    "RunResult with a value": lambda box: run(Pure(box)),
    "RunResult with an error": lambda box: run(failing(box)),
    "RunResult with a store": lambda box: run(Put("key", box), handlers=[state]),
    "RunResult with a log": lambda box: run(Tell(box), handlers=[writer]),
    "RunResult with a trace": lambda box: run(Ping(box), handlers=[Holder(box)], trace=True),
}


def leads_to(start, target):
    """Whether traversal finds the one from the other, without a way through classes and modules."""
    seen, found = {id(globals())}, [start]
    while found:
        one = found.pop()
        if one is target:
            return True
        if id(one) not in seen and not isinstance(one, type | types.ModuleType):
            seen.add(id(one))
            found += gc.get_referents(one)
    return False


@pytest.mark.parametrize("make", [*NODES.values(), *OBJECTS.values()], ids=[*NODES, *OBJECTS])
def test_cycle_through_every_public_object_is_collected(make):
    token = Token()
    gone = weakref.ref(token)
    box = [token]
    box.append(make(box))
    assert leads_to(box[1], box)
    del token, box
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("make", NODES_OF_K.values(), ids=NODES_OF_K)
def test_node_that_holds_a_k_only_shows_it(make):
    """A `K` holds no object, so there is no cycle through it."""
    k = kept([])
    assert any(one is k for one in gc.get_referents(make(k)))
    assert not any(isinstance(one, list) for one in gc.get_referents(k))


def test_every_kind_of_node_is_among_them():
    kinds = {type(make([])) for make in NODES.values()} | {type(make(kept([]))) for make in NODES_OF_K.values()}
    assert kinds | {Delegate, Pass, GetContinuation, GetExecutionContext} == set(DoExpr.__subclasses__())


def test_cycle_test_can_fail():
    """What the collector cannot see is not collected: so are cycles that something outside holds."""
    token = Token()
    gone = weakref.ref(token)
    box = [token]
    box.append(Pure(box))
    outside = box[1]
    del token, box
    gc.collect()
    assert gone() is not None
    assert outside.value[0] is gone()


@pytest.mark.parametrize("base", [Effect, Handler])
def test_class_of_effects_or_handlers_that_holds_its_own_object_is_collected(base):
    token = Token()
    gone = weakref.ref(token)
    made = type("Made", (base,), {})
    made.token, made.own = token, made()
    del token, made
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("make", [do, answers(Ping), handles(Ping)], ids=["do", "answers", "handles"])
def test_attributes_of_a_decorated_function_are_collected_with_it(make):
    token = Token()
    gone = weakref.ref(token)
    made = make(lambda *_: None)
    made.token, made.own = token, made
    del token, made
    gc.collect()
    assert gone() is None


# Cycles through a machine: `box` holds the machine, and the machine holds `box`.


def steps(vm, n):
    for _ in range(n):
        assert vm.step_once() == ("continue",)


def to_the_end(vm):
    while vm.step_once() == ("continue",):
        pass


def performing(box):
    try:
        yield Ping(box)
        yield Ping(box)
    finally:
        box.append((yield Ping("closed")))


def within(f, n=3):
    """A machine that was stepped into what `f` makes of a program that holds the box."""

    def start(box, vm):
        vm.start_program(f(box), handlers=[echo])
        steps(vm, n)

    return start


@do
def program_of(box):
    return (yield from performing(box))


class Reporter(Handler):
    def __init__(self, held):
        self.held = held

    def report(self):
        return self.held


def reporting(box, vm):
    vm.start_program(program_of([]), handlers=[Reporter(box), echo])
    steps(vm, 3)


def waiting(box, vm):
    vm.start_program(PythonAsyncSyntaxEscape(function_of(box)))
    while vm.step_once()[0] != "call_async":
        pass


def clause_at_work(box):
    @answers(Pair)
    def works(e):
        yield Ping(e)
        yield Ping(e)

    return WithHandler(works, Pair(box))


def clause_that_waits(box):
    @handles(Pair)
    def waits(e, k):
        return box, (yield Resume(k, None))

    return WithHandler(waits, Pair(box).flat_map(lambda _: program_of(box)))


def kept_by_the_program(box):
    @handles(Pair)
    def keeps(e, k):
        box.append(k.keep())

    return keeps(Pair(box)).flat_map(lambda _: program_of(box))


def clause_with_its_k(box):
    @handles(Pair)
    def works(e, k):
        yield Ping()
        yield Ping()
        return (yield Resume(k, None))

    @do
    def body():
        yield Pair(None)
        return box

    return works(body())


def unobserved(box):
    """A continuation that was lost has failed, and the run goes on."""

    @do
    def fails():
        try:
            yield Pair(None)
        finally:
            raise raising(box)

    @handles(Pair)
    def loses(e, k):
        k.keep()

    return loses(fails()).flat_map(lambda _: program_of([]))


def unwinding(box):
    """The clean-up of a body that was ended is at work."""

    @do
    def body():
        try:
            yield Pair(box)
        finally:
            yield Ping(box)
            yield Ping(box)

    return handles(Pair)(lambda e, k: "ended")(body())


def finished_with(program):
    def start(box, vm):
        vm.start_program(program(box))
        to_the_end(vm)

    return start


def lazy_value_at_work(box):
    return reader({"key": lazy(program_of(box)), "box": box})(Ask("key"))


def lazy_value_that_is_known(box):
    return reader({"key": lazy(Pure(box))})(Ask("key").flat_map(lambda _: Ping(1).map(int)))


MACHINES = {
    "not started": lambda box, vm: None,
    "started": lambda box, vm: vm.start_program(program_of(box), handlers=[echo]),
    "started with a generator": lambda box, vm: vm.start_program(performing(box), handlers=[echo]),
    "started with a store": lambda box, vm: vm.start_program(Ping(), handlers=[echo], store={"key": box}),
    "between two steps": within(program_of),
    "between two steps of a generator": within(performing),
    "waiting for an action": waiting,
    "in a value clause": within(clause_at_work, 4),
    "in a clause that waits": within(clause_that_waits, 4),
    "with a kept continuation": within(kept_by_the_program, 5),
    "in a clause with its k": within(clause_with_its_k, 4),
    "with an error that nobody waits for": within(unobserved, 5),
    "in an unwinding": within(unwinding, 4),
    "with a handler that reports": reporting,
    "in a handler": within(lambda box: Holder(box)(program_of([]))),
    "in an interceptor": within(lambda box: WithIntercept(lambda e: box and e, program_of([]))),
    "in a function that maps": within(lambda box: program_of([]).map(function_of(box))),
    "in a bracket": within(lambda box: bracket(Pure(box), program_of, Pure)),
    "in a Try and a Seal": within(lambda box: Try(Seal([Ping], program_of(box)))),
    "in a Local": within(lambda box: Local({"key": box}, program_of([]))),
    "in a Listen": within(lambda box: writer(Listen(Tell(box).flat_map(lambda _: program_of([])))), 6),
    "in a lazy value": within(lazy_value_at_work, 3),
    "with a lazy value": within(lazy_value_that_is_known, 4),
    "ended with a value": finished_with(Pure),
    "ended with an error": finished_with(failing),
    "ended and finished": lambda box, vm: (finished_with(Pure)(box, vm), vm.finish(), None)[-1],
}


@pytest.mark.parametrize("trace", [False, True], ids=["plain", "traced"])
@pytest.mark.parametrize("start", MACHINES.values(), ids=MACHINES)
def test_cycle_through_a_machine_in_every_state_is_collected(start, trace, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # an error that is told of is not held
    before = live_counts()
    token = Token()
    gone = weakref.ref(token)
    vm = PyVM(trace=trace, limits=Limits(steps=100))
    box = [token, vm]
    start(box, vm)
    del token, vm, box
    gc.collect()
    assert gone() is None
    assert left_over(before) == {}
