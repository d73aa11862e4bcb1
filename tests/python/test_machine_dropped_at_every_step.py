"""Targets, leaks: whatever a machine is at when it is dropped, the collector sees all that it holds, and frees it."""

import gc
import sys
import weakref

import pytest

from leak_vocabulary import Ping, Token, ask, echo, raises
from segue import (
    Ask,
    Call,
    CreateContinuation,
    Discontinue,
    Get,
    Handler,
    Inherit,
    Listen,
    Local,
    Modify,
    Pass,
    Pure,
    Put,
    PyVM,
    Resume,
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
    state,
    writer,
)


class Lives(Handler):
    """A handler whose every hook performs; `answer` says how its clause ends."""

    def __init__(self, held, answer):
        self.held = held
        self.answer = answer

    def enter(self):
        yield Pure(self.held)

    @handles(Ping)
    def ping(self, e, k):
        yield Pure(e.payload)
        yield self.answer(k, self.held)
        return self.held

    def result(self, value):
        yield Pure(value)
        return value

    def error(self, error):
        yield Pure(error)
        raise error

    def fork(self):
        yield Pure(self.held)
        return Lives(self.held, self.answer)

    def exit(self):
        yield Pure(self.held)

    def report(self):
        return self.held


@do
def guarded(held, program):
    try:
        return (yield program)
    finally:
        yield Pure(held)


def lives(answer):
    def program(held):
        return Try(guarded(held, WithHandler(Lives(held, answer), guarded(held, guarded(held, ask(held))))))

    return program


@do
def kept(held):
    yield Put("k", (yield CreateContinuation(guarded(held, ask(held)), [echo])))
    return (yield Resume((yield Get("k")), None))


def forked(held):
    @handles(Ping)
    def spawns(e, k):
        value = yield Inherit(k, guarded(held, Get("n")))
        return Resume(k, value)

    inner = WithHandler(Lives(held, Resume), WithIntercept(lambda e: e, Seal([Ping, Get], ask(held))))
    return WithHandler(state({"n": held}), WithHandler(spawns, inner))


def built_in(held):
    env = {"lazy": lazy(guarded(held, Pure(held))), "fails": lazy(raises(held))}
    asked = Local({"own": held}, Listen(Tell(held).flat_map(lambda _: Ask("lazy"))))
    return WithHandler(reader(env), WithHandler(writer, asked.flat_map(lambda _: Try(Ask("fails")))))


def refused(held):
    """A clause whose own `k` is used a second time, while what the first use gave unwinds."""

    def clause(e, k):
        yield Resume(k, held)
        yield Resume(k, held)

    return Try(WithHandler(clause, guarded(held, ask(held))))


def transferred_out(held):
    """The clause of an inner handler leaves by the continuation of an outer one."""

    @handles(Ping)
    def outer(e, k):
        def inner(e, own):
            try:
                yield Transfer(k, held)
            finally:
                yield Pure(held)

        yield WithHandler(inner, guarded(held, ask(held)))

    return WithHandler(outer, guarded(held, ask(held)))


PROGRAMS = {
    "resumed": lives(Resume),
    "transferred": lives(Transfer),
    "thrown into": lives(lambda k, held: ResumeThrow(k, ValueError(held))),
    "transferred by an error": lives(lambda k, held: TransferThrow(k, ValueError(held))),
    "discontinued": lives(lambda k, held: Discontinue(k)),
    "ended": lives(lambda k, held: Pure(held)),
    "passed": lambda held: WithHandler(echo, WithHandler(lambda e, k: Pass(), ask(held))),
    "kept": kept,
    "forked": forked,
    "built in": built_in,
    "refused": refused,
    "transferred out": transferred_out,
    "bracket": lambda held: Try(bracket(Pure(held), raises, Pure)),
    "state": lambda held: Put("x", held).flat_map(lambda _: Modify("x", lambda old: (old, held))),
    "call": lambda held: Call(ask, held).map(lambda v: (v, held)),
}


@answers(Ping)
def answers_twice(e):
    yield Pure(e.payload)
    return e.payload


def started(make):
    """A machine in a cycle with the program that it runs, and what dies with them."""
    token = Token()
    held = [token]
    vm = PyVM(trace=True)
    held.append(vm)
    vm.start_program(make(held), handlers=[state, answers_twice])
    return vm, weakref.ref(token)


@pytest.fixture
def small_heap():
    """The collector looks only at what the test makes."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_dropped_machine_holds_is_freed(name, small_heap, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda args: None)  # clean-up that performs cannot, in a dropped one
    for steps in range(1, 1000):
        vm, ref = started(PROGRAMS[name])
        ended = not all(vm.step_once()[0] == "continue" for _ in range(steps))
        gc.collect()  # sees it while it lives
        del vm
        gc.collect()
        assert ref() is None, f"after {steps} steps"
        if ended:
            return
    pytest.fail("it does not end")
