"""trio: tasks in nurseries."""

from __future__ import annotations

import trio

from benches.loops import NAPS, even, one, triangle
from benches.row import Inside, Work, clock

PACKAGE = "trio"
WITHOUT = {"effects": "it has no effects", "await-future": "it has no futures"}


async def child(number, results):
    if number < 0:
        await trio.lowlevel.checkpoint()
    results.append(number)


async def spawn(size):
    results = []
    async with trio.open_nursery() as nursery:
        for number in range(size):
            nursery.start_soon(child, number, results)
    return sum(results)


async def turns(rounds):
    for _ in range(rounds):
        await trio.lowlevel.checkpoint()


async def switch(size):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns, size // 2)
        nursery.start_soon(turns, size // 2)
    return even(size)


async def returns(rounds, serve, back):
    for _ in range(rounds):
        await back.send(await serve.receive() + 1)


async def channel(size):
    to_serve, serve = trio.open_memory_channel(1)
    to_back, back = trio.open_memory_channel(1)
    ball = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(returns, size // 2, serve, to_back)
        for _ in range(size // 2):
            await to_serve.send(ball)
            ball = await back.receive()
    return ball


async def nap(number, results):
    await trio.sleep(0.001 * (number % NAPS))
    results.append(number)


async def sleep(size):
    results = []
    async with trio.open_nursery() as nursery:
        for number in range(size):
            nursery.start_soon(nap, number, results)
    return sum(results)


async def holds(rounds, permit):
    for _ in range(rounds):
        async with permit:
            await trio.lowlevel.checkpoint()


async def hand_over(size, permit):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holds, size // 2, permit)
        nursery.start_soon(holds, size // 2, permit)
    return even(size)


async def lock(size):
    return await hand_over(size, trio.Lock())


async def alternates(rounds, own, other):
    for _ in range(rounds):
        await own.acquire()
        other.release()


async def semaphore(size):
    first, second = trio.Semaphore(1), trio.Semaphore(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alternates, size // 2, first, second)
        nursery.start_soon(alternates, size // 2, second, first)
    return even(size)


async def await_coroutine(size):
    total = 0
    for _ in range(size):
        total += await one()
    return total


async def await_turn(size):
    for _ in range(size):
        await trio.lowlevel.checkpoint()
    return size


async def timed(main, size):
    begun = clock()
    answer = await main(size)
    return Inside(clock() - begun, answer)


def on_trio(main, answer):
    return lambda size: Work(lambda: trio.run(timed, main, size), answer(size), size)


ROWS = {
    "spawn": on_trio(spawn, triangle),
    "switch": on_trio(switch, even),
    "channel": on_trio(channel, lambda size: size // 2),
    "sleep": on_trio(sleep, triangle),
    "lock": on_trio(lock, even),
    "semaphore": on_trio(semaphore, even),
    "await-coroutine": on_trio(await_coroutine, int),
    "await-turn": on_trio(await_turn, int),
    "await-task": on_trio(switch, even),
}
