"""Programs: `@do` functions, nodes, and the effects that are left to handle."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Never, assert_type

from segue import (
    Call,
    Effect,
    FlatMap,
    Get,
    K,
    Key,
    Listen,
    Local,
    Map,
    Perform,
    Program,
    Pure,
    Put,
    Resume,
    ResumeThrow,
    Seal,
    Tell,
    WithHandler,
    answers,
    bracket,
    do,
    lazy,
)
from segue._vm import Lazy

N: Key[int] = Key("n")


class Ping(Effect[int]):
    n: int = 0


class Fetch(Effect[bytes]):
    url: str


@do
def fetch(url: str, *, times: int = 1) -> Generator[Fetch | Tell, Any, list[bytes]]:
    found: list[bytes] = []
    for _ in range(times):
        found.append((yield from Fetch(url)))
        yield from Tell(url)
    return found


# A @do function keeps its parameters; a call is a program with its result and its effects.
assert_type(fetch("a"), Program[list[bytes], Fetch | Tell])
assert_type(fetch("a", times=2), Program[list[bytes], Fetch | Tell])
fetch(1)  # type: ignore[arg-type]
fetch("a", 2)  # type: ignore[call-arg]


@do
def plain(n: int) -> str:
    return str(n)


assert_type(plain(1), Program[str, Never])


class Service:
    @do
    def load(self, url: str) -> Generator[Fetch, Any, int]:
        return len((yield from Fetch(url)))

    @staticmethod
    @do
    def ping() -> Generator[Ping, Any, int]:
        return (yield from Ping())


assert_type(Service().load("a"), Program[int, Fetch])
assert_type(Service.ping(), Program[int, Ping])


# Programs are composed with their effects.
@do
def composed() -> Generator[Fetch | Tell | Ping, Any, int]:
    found = yield from fetch("a")
    assert_type(found, list[bytes])
    n = yield from Service.ping()
    assert_type(n, int)
    return len(found) + n


@do
def forgets() -> Generator[Fetch, Any, None]:
    yield from fetch("a")  # type: ignore[misc]


# Nodes.
assert_type(Pure(1).map(str), Program[str, Never])
assert_type(Pure(1).flat_map(Ping), Program[int, Ping])
assert_type(fetch("a").map(len), Program[int, Fetch | Tell])
assert_type(Ping().map(str), Program[str, Ping])
assert_type(FlatMap(Ping(), lambda n: Fetch(str(n))), FlatMap[bytes, Ping | Fetch])
assert_type(bracket(Ping(), lambda n: Fetch(str(n)), Tell), Program[bytes, Ping | Fetch | Tell])


@do
def nodes(k: K) -> Generator[Any, Any, None]:
    assert_type((yield from Map(Ping(), str)), str)
    assert_type((yield from Perform(Ping())), int)
    assert_type((yield from Call(fetch, "a")), list[bytes])
    assert_type((yield from Listen(Ping())), tuple[int, list[Any]])
    assert_type((yield from Local({"a": 1}, Ping())), int)
    assert_type((yield from Seal([Ping], Ping())), int)
    assert_type((yield from Resume(k, 1)), Any)


def wrong(k: K) -> None:
    Map(1, str)  # type: ignore[arg-type]
    Map(fetch, str)  # type: ignore[arg-type]
    Resume(1, k)  # type: ignore[arg-type]
    ResumeThrow(k, "no")  # type: ignore[arg-type]
    Perform(1)  # type: ignore[arg-type]


assert_type(lazy(fetch("a")), Lazy[list[bytes]])


# A row that nobody wrote is not checked.
def untyped(program: Program[int]) -> Program[str]:
    return program.map(str)


@answers(Ping)
def pong(effect: Ping) -> int:
    return effect.n


@do
def counter() -> Generator[Get[int] | Put | Tell, Any, str]:
    n = yield from Get(N)
    yield from Put(N, n + 1)
    yield from Tell("counted")
    return str(n)


WithHandler(pong, Ping())
WithHandler(lambda effect, k: Resume(k, 1), Ping())
WithHandler(3, Ping())  # type: ignore[call-overload]
