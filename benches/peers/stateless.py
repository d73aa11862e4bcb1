"""stateless: generators that yield abilities, handled by plain functions."""

from __future__ import annotations

from dataclasses import dataclass

from stateless import Ability, handle, need, run, supply, wait

from benches.loops import one
from benches.row import Work

PACKAGE = "stateless"
WITHOUT = {
    "plain-clause": "a handler never gets a continuation",
    "generator-clause": "a handler is a plain function",
    "nontail-clause": "a handler never gets a continuation",
    "delegate": "a handler performs nothing",
    "tasks": "its tasks are threads and processes",
    "await-future": "`run` makes a loop of its own",
}


@dataclass(frozen=True)
class Ping(Ability[int]):
    pass


@dataclass(frozen=True)
class Get(Ability[int]):
    key: str


@dataclass(frozen=True)
class Put(Ability[None]):
    key: str
    value: int


@dataclass(frozen=True)
class Other(Ability[int]):
    pass


PING = Ping()


def pings(size):
    total = 0
    for _ in range(size):
        total += yield from PING
    return total


def counts(size):
    count = 0
    for _ in range(size // 2):
        count = yield from Get("n")
        yield from Put("n", count + 1)
    return count


def asks(size):
    total = 0
    for _ in range(size):
        total += yield from need(int)
    return total


def awaits(size):
    total = 0
    for _ in range(size):
        total += yield from wait(one())
    return total


def leaf(value):
    if value < 0:
        yield PING
    return value


def calls(size):
    total = 0
    for _ in range(size):
        total += yield from leaf(1)
    return total


def answer(ability: Ping) -> int:
    return 1


def refuse(ability: Other) -> int:
    return 0


# The library reads real annotations, where this module has strings.
answer.__annotations__, refuse.__annotations__ = {"ability": Ping}, {"ability": Other}


def state(size):
    def round_():
        store = {"n": 0}

        def get(ability):
            return store[ability.key]

        def put(ability):
            store[ability.key] = ability.value

        get.__annotations__, put.__annotations__ = {"ability": Get}, {"ability": Put}
        return run(handle(get)(handle(put)(counts))(size))

    return Work(round_, size // 2 - 1, size)


def below(between):
    program = pings
    for _ in range(between):
        program = handle(refuse)(program)
    program = handle(answer)(program)
    return lambda size: Work(lambda: run(program(size)), size, size)


ROWS = {
    "state": state,
    "ask": lambda size: Work(lambda: run(supply(1)(asks)(size)), size, size),
    "value-clause": below(0),
    "lookup-0": below(0),
    "lookup-50": below(50),
    "lookup-200": below(200),
    "call": lambda size: Work(lambda: run(calls(size)), size, size),
    "await-coroutine": lambda size: Work(lambda: run(awaits(size)), size, size),
}
