"""Tasks: Segue's scheduler against asyncio, and against U where the targets count in it."""

from __future__ import annotations

import asyncio

from benches.floors import bare
from benches.loops import LOOPS, NAPS, even, one, ready, timed, triangle
from benches.row import ROUND, Row, Work
from segue import (
    Acquire,
    Await,
    CreateChannel,
    CreateLock,
    CreateSemaphore,
    Gather,
    Receive,
    Release,
    Send,
    Sleep,
    Spawn,
    Wait,
    Yield,
    async_run,
    do,
    run,
    scheduler,
)


@do
def child(number):
    if number < 0:
        yield Yield()
    return number


@do
def spawn(size):
    tasks = []
    for number in range(size):
        tasks.append((yield Spawn(child(number))))
    return sum((yield Gather(*tasks)))


@do
def turns(rounds):
    for _ in range(rounds):
        yield Yield()
    return rounds


@do
def switch(size):
    first, second = (yield Spawn(turns(size // 2))), (yield Spawn(turns(size // 2)))
    return sum((yield Gather(first, second)))


@do
def returns(rounds, serve, back):
    for _ in range(rounds):
        yield Send(back, (yield Receive(serve)) + 1)


@do
def channel(size):
    serve, back = (yield CreateChannel(1)), (yield CreateChannel(1))
    other = yield Spawn(returns(size // 2, serve, back))
    ball = 0
    for _ in range(size // 2):
        yield Send(serve, ball)
        ball = yield Receive(back)
    yield Wait(other)
    return ball


@do
def nap(number):
    yield Sleep(0.001 * (number % NAPS))
    return number


@do
def sleep(size):
    tasks = []
    for number in range(size):
        tasks.append((yield Spawn(nap(number))))
    return sum((yield Gather(*tasks)))


@do
def holds(rounds, permit):
    for _ in range(rounds):
        yield Acquire(permit)
        try:
            yield Yield()
        finally:
            yield Release(permit)
    return rounds


@do
def lock(size):
    permit = yield CreateLock()
    first, second = (yield Spawn(holds(size // 2, permit))), (yield Spawn(holds(size // 2, permit)))
    return sum((yield Gather(first, second)))


@do
def alternates(rounds, own, other):
    for _ in range(rounds):
        yield Acquire(own)
        yield Release(other)
    return rounds


@do
def semaphore(size):
    first, second = (yield CreateSemaphore(1)), (yield CreateSemaphore(1))
    yield Acquire(second)
    one_side = yield Spawn(alternates(size // 2, first, second))
    other_side = yield Spawn(alternates(size // 2, second, first))
    return sum((yield Gather(one_side, other_side)))


@do
def awaits_future(size):
    future, total = ready(), 0
    for _ in range(size):
        total += yield Await(future)
    return total


@do
def awaits_coroutine(size):
    total = 0
    for _ in range(size):
        total += yield Await(one())
    return total


@do
def awaits_in_tasks(size):
    first, second = (yield Spawn(awaits_turn(size // 2))), (yield Spawn(awaits_turn(size // 2)))
    return sum((yield Gather(first, second)))


@do
def awaits_turn(size):
    total = 0
    for _ in range(size):
        yield Await(asyncio.sleep(0))
        total += 1
    return total


def scheduled(program, answer):
    """Make a run of that program under the scheduler; all of the run counts."""
    return lambda size: Work(lambda: run(program(size), handlers=[scheduler]).value, answer(size), size)


async def value(program, handlers):
    return (await async_run(program, handlers=handlers)).value


def awaited(program, *handlers):
    """Make an `async_run` of that program in asyncio, timed inside of the loop as the plain loop is."""
    return lambda size: Work(lambda: asyncio.run(timed(value(program(size), handlers))), size, size)


def beside(program, what, subject, size=ROUND, limits=(None, None), name=""):
    """Make the row of a program that asyncio has too."""
    return Row(name or program, what, "asyncio", *limits, (size,), subject, LOOPS[program], program=program)


def spawned(size, limits=(None, None)):
    what = f"Spawn and Gather of {size // 1000} 000 tasks"
    return beside("spawn", what, scheduled(spawn, triangle), size, limits, name=f"spawn-{size // 1000}k")


SPAWN, SWITCH, AWAIT = (1 / 5, 1 / 10), (1 / 2, 1 / 10), (1.5, 1.1)
"""Five and ten times ahead of asyncio; two and ten times; one and a half times behind, or a tenth."""

ROWS = [
    Row(
        "spawn-floor",
        "Spawn and Gather of 10 000 tasks, per task; bare U",
        "U",
        25.0,
        None,
        (10_000,),
        scheduled(spawn, triangle),
        bare,
    ),
    spawned(1_000),
    spawned(10_000, SPAWN),
    spawned(100_000),
    beside("switch", "two tasks take turns", scheduled(switch, even), limits=SWITCH),
    beside("channel", "ping-pong over two channels", scheduled(channel, lambda size: size // 2)),
    beside("sleep", "10 000 timers", scheduled(sleep, triangle), 10_000),
    beside("lock", "two tasks hand a lock to each other", scheduled(lock, even)),
    beside("semaphore", "two tasks give each other a permit", scheduled(semaphore, even)),
    beside("await-future", "Await of a future that is done", awaited(awaits_future), limits=AWAIT),
    beside("await-coroutine", "Await of a coroutine that returns at once", awaited(awaits_coroutine), limits=AWAIT),
    beside("await-turn", "Await of a turn of the loop", awaited(awaits_turn)),
    beside("await-task", "the same in two tasks of a scheduler", awaited(awaits_in_tasks, scheduler)),
]
