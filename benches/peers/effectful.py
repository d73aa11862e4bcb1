"""effectful: operations in direct style, interpreted by plain functions."""

from __future__ import annotations

from contextlib import ExitStack

from effectful.ops.semantics import fwd, handler
from effectful.ops.syntax import defop
from effectful.ops.types import NotHandled

from benches.row import Work

PACKAGE = "effectful"
WITHOUT = {
    "plain-clause": "a handler never gets a continuation",
    "generator-clause": "a handler never gets a continuation",
    "nontail-clause": "a handler never gets a continuation",
    "call": "in direct style a call is Python's own",
    "tasks": "it has no scheduler",
}


@defop
def ping() -> int:
    raise NotHandled


@defop
def get(key: str) -> int:
    raise NotHandled


@defop
def put(key: str, value: int) -> None:
    raise NotHandled


def pings(size):
    total = 0
    for _ in range(size):
        total += ping()
    return total


def counts(size):
    count = 0
    for _ in range(size // 2):
        count = get("n")
        put("n", count + 1)
    return count


def asks(size):
    total = 0
    for _ in range(size):
        total += get("n")
    return total


def handled(program, *interpretations, answer=int):
    def make(size):
        def round_():
            with ExitStack() as stack:
                for interpretation in interpretations:
                    stack.enter_context(handler(interpretation()))
                return program(size)

        return Work(round_, answer(size), size)

    return make


def counting():
    store = {"n": 0}
    return {get: store.__getitem__, put: store.__setitem__}


def answering():
    return {ping: lambda: 1}


def delegating():
    def clause():
        return fwd()

    return {ping: clause}


def other():
    @defop
    def unused() -> int:
        raise NotHandled

    return lambda: {unused: lambda: 0}


def below(between):
    return handled(pings, answering, *[other() for _ in range(between)])


ROWS = {
    "state": handled(counts, counting, answer=lambda size: size // 2 - 1),
    "ask": handled(asks, lambda: {get: {"n": 1}.__getitem__}),
    "value-clause": handled(pings, answering),
    "delegate": handled(pings, answering, delegating),
    "lookup-0": below(0),
    "lookup-50": below(50),
    "lookup-200": below(200),
}
