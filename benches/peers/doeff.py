"""doeff: effects on a machine in Rust, with one-shot continuations and a scheduler."""

from __future__ import annotations

from doeff import (
    AcquireSemaphore,
    Ask,
    Await,
    CreateSemaphore,
    EffectBase,
    Gather,
    Get,
    Pass,
    Put,
    ReleaseSemaphore,
    Resume,
    Spawn,
    Transfer,
    do,
    handler,
    run,
)
from doeff_core_effects.handlers import await_handler, reader, state
from doeff_core_effects.scheduler import scheduled

from benches.loops import one, triangle
from benches.row import Work

PACKAGE = "doeff"
WITHOUT = {
    "value-clause": "every clause gets its continuation",
    "plain-clause": "a clause that returns Resume without a yield is refused",
    "switch": "the scheduler has no effect that only gives way",
    "channel": "channels need the extra `hy`",
    "sleep": "the scheduler has no timers",
    "lock": "it has semaphores only",
    "await-future": "it awaits in a loop of its own, where a future of this one does not end",
}


class Ping(EffectBase):
    pass


PING, GET, PUT = Ping(), Get("n"), Put("n", 1)


@do
def pings(size):
    total = 0
    for _ in range(size):
        total += yield PING
    return total


@do
def counts(size):
    count = 0
    for _ in range(size // 2):
        count = yield Get("n")
        yield Put("n", count + 1)
    return count


@do
def reuses(size):
    count = 0
    for _ in range(size // 2):
        count += yield GET
        yield PUT
    return count


@do
def asks(size):
    total = 0
    for _ in range(size):
        total += yield Ask("n")
    return total


@handler
def tail(effect: Ping, k):
    return (yield Transfer(k, 1))


@handler
def nontail(effect: Ping, k):
    rest = yield Resume(k, 1)
    return rest + 1


@handler
def delegates(effect: Ping, k):
    answer = yield effect
    return (yield Transfer(k, answer))


@handler
def passes(effect: Ping, k):
    yield Pass(effect, k)


def other(number):
    effect = type(f"Other{number}", (EffectBase,), {})

    def clause(effect, k):
        yield Pass(effect, k)

    clause.__annotations__["effect"] = effect
    return handler(clause)


def handled(*handlers, answer=int):
    def make(size):
        def round_():
            program = pings(size)
            for installed in reversed(handlers):
                program = installed(program)
            return run(program)

        return Work(round_, answer(size), size)

    return make


def below(between):
    return handled(tail, *[other(number) for number in range(between)])


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


@do
def spawn(size):
    tasks = []
    for number in range(size):
        tasks.append((yield Spawn(leaf(number))))
    return sum((yield Gather(*tasks)))


@do
def alternates(rounds, own, other):
    for _ in range(rounds):
        yield AcquireSemaphore(own)
        yield ReleaseSemaphore(other)
    return rounds


@do
def semaphore(size):
    first, second = (yield CreateSemaphore(1)), (yield CreateSemaphore(1))
    yield AcquireSemaphore(second)
    tasks = (
        (yield Spawn(alternates(size // 2, first, second))),
        (yield Spawn(alternates(size // 2, second, first))),
    )
    return sum((yield Gather(*tasks)))


@do
def awaits(size):
    total = 0
    for _ in range(size):
        total += yield Await(one())
    return total


ROWS = {
    "state": lambda size: Work(lambda: run(state({"n": 0})(counts(size))), size // 2 - 1, size),
    "state-reused": lambda size: Work(lambda: run(state({"n": 1})(reuses(size))), size // 2, size),
    "ask": lambda size: Work(lambda: run(reader({"n": 1})(asks(size))), size, size),
    "generator-clause": handled(tail),
    "nontail-clause": handled(nontail, answer=lambda size: 2 * size),
    "delegate": handled(tail, delegates),
    "pass": handled(tail, passes),
    "lookup-0": below(0),
    "lookup-50": below(50),
    "lookup-200": below(200),
    "call": lambda size: Work(lambda: run(calls(size)), size, size),
    "spawn": lambda size: Work(lambda: run(scheduled(spawn(size))), triangle(size), size),
    "semaphore": lambda size: Work(lambda: run(scheduled(semaphore(size))), size // 2 * 2, size),
    "await-coroutine": lambda size: Work(lambda: run(scheduled(await_handler()(awaits(size)))), size, size),
}
