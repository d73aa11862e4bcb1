"""Handlers: what they handle, what `h(p)` leaves, and what `run` demands."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Never, assert_type

from segue import (
    Effect,
    FunctionHandler,
    Get,
    Handler,
    HandlerStack,
    K,
    Key,
    Program,
    Put,
    Resume,
    RunResult,
    StateGet,
    StateModify,
    Tell,
    answers,
    async_run,
    default_handlers,
    do,
    handles,
    run,
    state,
    writer,
)

N: Key[int] = Key("n")


class Ping(Effect[int]):
    n: int = 0


class Fetch(Effect[bytes]):
    url: str


@do
def counter(k: int) -> Generator[Get[int] | Put | Tell, Any, str]:
    n = yield from Get(N)
    yield from Put(N, n + k)
    yield from Tell("hi")
    return str(n)


@do
def both() -> Generator[Ping | Fetch, Any, float]:
    yield from Fetch("a")
    return 0.5 + (yield from Ping())


# Decorators.
@answers(Ping)
def pong(effect: Ping) -> int:
    return effect.n


@answers(Ping, Fetch)
def local(effect: Ping | Fetch) -> int | bytes:
    return effect.n if isinstance(effect, Ping) else effect.url.encode()


@handles(Fetch)
def offline(effect: Fetch, k: K) -> object:
    return Resume(k, effect.url.encode())


@answers()
def anything(effect: Effect[Any]) -> object:
    return repr(effect)


assert_type(pong, FunctionHandler[Ping])
assert_type(local, FunctionHandler[Ping | Fetch])
assert_type(offline, FunctionHandler[Fetch])
assert_type(anything, FunctionHandler[Effect[Any]])


def not_a_clause(effect: Fetch) -> bytes:
    return effect.url.encode()


answers(Ping)(not_a_clause)  # type: ignore[arg-type]
answers(int)  # type: ignore[type-var]
handles(Fetch)(not_a_clause)  # type: ignore[arg-type]


# Classes.
class Counter(Handler[Ping]):
    def enter(self) -> None:
        self.n = 0

    @answers(Ping)
    def ping(self, effect: Ping) -> int:
        self.n += effect.n
        return self.n

    @handles(Fetch)
    def fetch(self, effect: Fetch, k: K) -> Generator[Any, Any, object]:
        return (yield Resume(k, effect.url.encode()))


assert_type(Counter.ping, FunctionHandler[Ping])
Counter().ping(Ping(1))

# Stacks.
assert_type(pong | offline, HandlerStack[Ping | Fetch])
assert_type(state | writer, HandlerStack[StateGet | Put | StateModify | Tell])
assert_type(Counter() | offline | writer, HandlerStack[Ping | Fetch | Tell])

# The effects of a program must be handled, by one handler or by a stack.
assert_type(run(counter(1), state | writer), RunResult[str])
assert_type(run(both(), local).value, float)
assert_type(run(both(), pong | offline).value, float)
assert_type(run(Ping(), Counter()).value, int)
assert_type(run(both(), anything).value, float)
run(counter(1), writer)  # type: ignore[misc]
run(counter(1), state)  # type: ignore[misc]
run(both(), pong)  # type: ignore[misc]
run(both(), pong | writer)  # type: ignore[misc]
run(3)  # type: ignore[call-overload]
run(counter)  # type: ignore[call-overload]

# A list types the result, and is not checked against the effects.
assert_type(run(counter(1), [state, writer]).value, str)
assert_type(run(counter(1), handlers=default_handlers(), env={"a": 1}).value, str)


def bare(effect: Any, k: K) -> object:
    return Resume(k, effect)


assert_type(run(counter(1), bare).value, str)
assert_type(run(counter(1), [bare, state]).value, str)
assert_type(run(Ping()).value, int)


# h(p) leaves what h does not handle.
assert_type(writer(state(counter(1))), Program[str, Never])
assert_type((state | writer)(counter(1)), Program[str, Never])
assert_type(local(both()), Program[float, Never])
assert_type(state(counter(1)), Program[str, Tell])
assert_type(writer(Tell("hi")), Program[None, Never])

# Configured.
settings: Mapping[str, int] = {"n": 1}
run(counter(1), state(settings) | writer())
state(3)  # type: ignore[call-overload]


# A row that nobody wrote is not checked.
def untyped(program: Program[int]) -> int:
    return run(program, state | pong).value


async def awaiting() -> str:
    assert_type(await async_run(both(), local), RunResult[float])
    await async_run(both(), pong)  # type: ignore[misc]
    return (await async_run(counter(1), state | writer)).value
