"""anyio, on asyncio's loop."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from benches.loops import NAPS, even, triangle
from benches.row import Inside, Work, clock

PACKAGE = "anyio"
WITHOUT = {"effects": "it has no effects", "await": "an await under it is an await of its loop"}


async def child(number, results):
    if number < 0:
        await anyio.lowlevel.checkpoint()
    results.append(number)


async def spawn(size):
    results = []
    async with anyio.create_task_group() as group:
        for number in range(size):
            group.start_soon(child, number, results)
    return sum(results)


async def turns(rounds):
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


async def switch(size):
    async with anyio.create_task_group() as group:
        group.start_soon(turns, size // 2)
        group.start_soon(turns, size // 2)
    return even(size)


async def returns(rounds, serve, back):
    for _ in range(rounds):
        await back.send(await serve.receive() + 1)


async def channel(size):
    to_serve, serve = anyio.create_memory_object_stream(1)
    to_back, back = anyio.create_memory_object_stream(1)
    ball = 0
    with to_serve, serve, to_back, back:
        async with anyio.create_task_group() as group:
            group.start_soon(returns, size // 2, serve, to_back)
            for _ in range(size // 2):
                await to_serve.send(ball)
                ball = await back.receive()
    return ball


async def nap(number, results):
    await anyio.sleep(0.001 * (number % NAPS))
    results.append(number)


async def sleep(size):
    results = []
    async with anyio.create_task_group() as group:
        for number in range(size):
            group.start_soon(nap, number, results)
    return sum(results)


async def holds(rounds, permit):
    for _ in range(rounds):
        async with permit:
            await anyio.lowlevel.checkpoint()


async def lock(size):
    permit = anyio.Lock()
    async with anyio.create_task_group() as group:
        group.start_soon(holds, size // 2, permit)
        group.start_soon(holds, size // 2, permit)
    return even(size)


async def alternates(rounds, own, other):
    for _ in range(rounds):
        await own.acquire()
        other.release()


async def semaphore(size):
    first, second = anyio.Semaphore(1), anyio.Semaphore(0)
    async with anyio.create_task_group() as group:
        group.start_soon(alternates, size // 2, first, second)
        group.start_soon(alternates, size // 2, second, first)
    return even(size)


async def timed(main, size):
    begun = clock()
    answer = await main(size)
    return Inside(clock() - begun, answer)


def on_anyio(main, answer):
    return lambda size: Work(lambda: anyio.run(timed, main, size), answer(size), size)


ROWS = {
    "spawn": on_anyio(spawn, triangle),
    "switch": on_anyio(switch, even),
    "channel": on_anyio(channel, lambda size: size // 2),
    "sleep": on_anyio(sleep, triangle),
    "lock": on_anyio(lock, even),
    "semaphore": on_anyio(semaphore, even),
}
