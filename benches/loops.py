"""The tasks rows in asyncio, as its own users write them: what Segue and the other schedulers are compared with.

Each program times itself inside of its loop, so that making and closing the loop is nobody's burden. uvloop runs the
same programs. This file knows neither Segue nor a peer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from benches.row import Inside, Make, Work, clock

Main = Callable[[int], Coroutine[Any, Any, object]]
Runner = Callable[[Coroutine[Any, Any, Inside]], Inside]
NAPS = 10
"""Timers end at so many times, a millisecond apart."""


async def timed(awaitable: Awaitable[object]) -> Inside:
    """Await, and say how long it took."""
    begun = clock()
    answer = await awaitable
    return Inside(clock() - begun, answer)


async def child(number: int) -> int:
    if number < 0:
        await asyncio.sleep(0)
    return number


async def spawn(size: int) -> int:
    return sum(await asyncio.gather(*[asyncio.create_task(child(number)) for number in range(size)]))


async def turns(rounds: int) -> int:
    for _ in range(rounds):
        await asyncio.sleep(0)
    return rounds


async def switch(size: int) -> int:
    first, second = asyncio.create_task(turns(size // 2)), asyncio.create_task(turns(size // 2))
    return await first + await second


async def returns(rounds: int, serve: asyncio.Queue[int], back: asyncio.Queue[int]) -> None:
    for _ in range(rounds):
        await back.put(await serve.get() + 1)


async def channel(size: int) -> int:
    serve: asyncio.Queue[int] = asyncio.Queue(1)
    back: asyncio.Queue[int] = asyncio.Queue(1)
    other = asyncio.create_task(returns(size // 2, serve, back))
    ball = 0
    for _ in range(size // 2):
        await serve.put(ball)
        ball = await back.get()
    await other
    return ball


async def nap(number: int) -> int:
    await asyncio.sleep(0.001 * (number % NAPS))
    return number


async def sleep(size: int) -> int:
    return sum(await asyncio.gather(*[asyncio.create_task(nap(number)) for number in range(size)]))


async def holds(rounds: int, permit: asyncio.Lock) -> int:
    for _ in range(rounds):
        async with permit:
            await asyncio.sleep(0)
    return rounds


async def lock(size: int) -> int:
    permit = asyncio.Lock()
    first, second = asyncio.create_task(holds(size // 2, permit)), asyncio.create_task(holds(size // 2, permit))
    return await first + await second


async def alternates(rounds: int, own: asyncio.Semaphore, other: asyncio.Semaphore) -> int:
    for _ in range(rounds):
        await own.acquire()
        other.release()
    return rounds


async def semaphore(size: int) -> int:
    first, second = asyncio.Semaphore(1), asyncio.Semaphore(0)
    one_side = asyncio.create_task(alternates(size // 2, first, second))
    other_side = asyncio.create_task(alternates(size // 2, second, first))
    return await one_side + await other_side


def ready() -> asyncio.Future[int]:
    """Make a future that is done."""
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    return future


async def one() -> int:
    return 1


async def await_future(size: int) -> int:
    future, total = ready(), 0
    for _ in range(size):
        total += await future
    return total


async def await_coroutine(size: int) -> int:
    total = 0
    for _ in range(size):
        total += await one()
    return total


async def await_turn(size: int) -> int:
    total = 0
    for _ in range(size):
        await asyncio.sleep(0)
        total += 1
    return total


def triangle(size: int) -> int:
    """Add up what `size` tasks come to that give their number."""
    return size * (size - 1) // 2


def even(size: int) -> int:
    """Count the operations of two that take turns."""
    return size // 2 * 2


ANSWERS: dict[str, tuple[Main, Callable[[int], int]]] = {
    "spawn": (spawn, triangle),
    "switch": (switch, even),
    "channel": (channel, lambda size: size // 2),
    "sleep": (sleep, triangle),
    "lock": (lock, even),
    "semaphore": (semaphore, even),
    "await-future": (await_future, int),
    "await-coroutine": (await_coroutine, int),
    "await-turn": (await_turn, int),
    "await-task": (switch, even),
}
"""By program: its coroutine function of a size, and what that must come to."""


def on(runner: Runner, program: str) -> Make:
    """Make rounds of that program on a loop."""
    main, answer = ANSWERS[program]
    return lambda size: Work(lambda: runner(timed(main(size))), answer(size), size)


LOOPS: dict[str, Make] = {program: on(asyncio.run, program) for program in ANSWERS}
"""By program: its rounds on asyncio's own loop."""
