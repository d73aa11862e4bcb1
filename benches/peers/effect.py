"""effect: generators that yield intents, performed through a dispatcher."""

from __future__ import annotations

from effect import ComposedDispatcher, Effect, TypeDispatcher, base_dispatcher, sync_perform, sync_performer
from effect.do import do
from effect.ref import Reference, reference_dispatcher

from benches.row import Work

PACKAGE = "effect"
WITHOUT = {
    "plain-clause": "a performer never gets a continuation",
    "generator-clause": "a performer never gets a continuation",
    "nontail-clause": "a performer never gets a continuation",
    "delegate": "dispatchers are not nested",
    "pass": "dispatchers are not nested",
    "tasks": "it has no scheduler of its own",
}


class Ping:
    pass


class Ask:
    def __init__(self, key):
        self.key = key


PING = Effect(Ping())


@sync_performer
def answer(dispatcher, intent):
    return 1


@sync_performer
def look_up(dispatcher, intent):
    return {"n": 1}[intent.key]


@do
def pings(size):
    total = 0
    for _ in range(size):
        total += yield PING
    return total


@do
def counts(size):
    cell = Reference(0)
    count = 0
    for _ in range(size // 2):
        count = yield cell.read()
        yield cell.modify(lambda n: n + 1)
    return count


@do
def asks(size):
    total = 0
    for _ in range(size):
        total += yield Effect(Ask("n"))
    return total


@do
def leaf(value):
    if value < 0:
        yield PING
    return value


@do
def calls(size):
    total = 0
    for _ in range(size):
        total += yield leaf(1)
    return total


def performed(program, *dispatchers, answer=int):
    dispatcher = ComposedDispatcher([*dispatchers, base_dispatcher])
    return lambda size: Work(lambda: sync_perform(dispatcher, program(size)), answer(size), size)


def below(between):
    others = [TypeDispatcher({type(f"Other{number}", (), {}): answer}) for number in range(between)]
    return performed(pings, *others, TypeDispatcher({Ping: answer}))


ROWS = {
    "state": performed(counts, reference_dispatcher, answer=lambda size: size // 2 - 1),
    "ask": performed(asks, TypeDispatcher({Ask: look_up})),
    "value-clause": below(0),
    "lookup-0": below(0),
    "lookup-50": below(50),
    "lookup-200": below(200),
    "call": performed(calls),
}
