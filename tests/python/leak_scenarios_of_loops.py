"""Scenarios of the bridge: each takes a payload through `async_run`, and leaves nothing of it behind."""

import asyncio
import contextlib
import importlib.util
import threading

import segue
from leak_scenarios_of_tasks import cancels, hangs, spawned, turns
from leak_vocabulary import Ping, ask, echo, raises, scenario, unraisable_ignored
from segue import (
    Await,
    CreateExternalPromise,
    Gather,
    Limits,
    Pure,
    PythonAsyncSyntaxEscape,
    Race,
    Sleep,
    Spawn,
    Tell,
    Try,
    VirtualClock,
    Wait,
    acontext,
    async_run,
    await_handler,
    do,
    open_portal,
    run,
    scheduler,
    shield,
    task_group,
    timeout,
    to_async,
    writer,
)

HANDLERS = [scheduler, echo, writer]


def in_asyncio(program, **options):
    return asyncio.run(async_run(program, handlers=HANDLERS, **options))


@do
def awaits(f, *args):
    """Begins nothing before it runs."""
    return (yield Await(f(*args)))


async def later(x):
    await asyncio.sleep(0)
    return x


async def later_fails(x):
    await asyncio.sleep(0)
    raise ValueError(x)


async def forever(x):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)


async def forever_and_fails(x):
    try:
        await asyncio.Event().wait()
    finally:
        raise ValueError(x)


async def cancelled_after(coroutine, turns=4):
    """What somebody else's cancellation ends."""
    task = asyncio.create_task(coroutine)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def closed_after(coroutine, turns=3):
    """A coroutine that is driven by hand, and closed where it waits."""
    coroutine.send(None)
    for _ in range(turns):
        await asyncio.sleep(0)
    coroutine.close()
    await asyncio.sleep(0)


def gathered(*programs):
    return spawned(*programs).flat_map(lambda tasks: Gather(*tasks))


@scenario
def awaits_of_the_root(x):
    @do
    def program():
        got = yield awaits(later, x)
        yield Try(Await(later_fails(got)))
        return (yield PythonAsyncSyntaxEscape(lambda: later(x)))

    in_asyncio(program())


@scenario
def awaits_without_a_scheduler(x):
    @do
    def program():
        yield awaits(later, x)
        yield Try(awaits(later_fails, x))
        return x

    asyncio.run(async_run(program(), handlers=[echo]))


@scenario
def awaits_of_tasks(x):
    in_asyncio(gathered(awaits(later, x), awaits(later, (x, x)).map(ask), awaits(later, x).flat_map(ask)))


@scenario
def awaits_that_fail(x):
    in_asyncio(gathered(awaits(later, x), awaits(later_fails, x), awaits(forever, x), hangs(x)))


@scenario
def awaits_of_what_cannot_be_awaited(x):
    in_asyncio(gathered(Try(Await(x)), Try(Await(3))))


@scenario
def awaits_that_are_raced(x):
    in_asyncio(spawned(awaits(later, x), awaits(forever, x)).flat_map(lambda tasks: Race(*tasks)))


@scenario
def awaits_that_are_recalled(x):
    in_asyncio(cancels(awaits(forever, x), awaits(forever_and_fails, x), awaits(later, x), hangs(x)))


@scenario
def awaits_past_their_time(x):
    @do
    def program():
        yield Try(timeout(0.0001, awaits(forever, x)))
        yield Try(timeout(0, shield(awaits(later, x))))
        return (yield timeout(60, awaits(later, x)))

    in_asyncio(program())


@scenario
def group_of_awaits(x):
    @do
    def body(group):
        yield group.spawn(awaits(later_fails, x))
        yield group.spawn(awaits(forever, x))
        yield awaits(forever, x)

    in_asyncio(task_group(body))


@scenario
def run_that_is_cancelled_by_its_loop(x):
    programs = [
        awaits(forever, x),
        hangs(x),
        gathered(awaits(forever, x), hangs(x)),
        Sleep(60),
        turns(x, 50),
        task_group(lambda group: group.spawn(awaits(forever, x)).flat_map(lambda _: hangs(x))),
    ]

    async def main():
        for program in programs:
            await cancelled_after(async_run(program, handlers=HANDLERS))

    asyncio.run(main())


@scenario
def run_that_catches_its_cancellation(x):
    @do
    def program():
        try:
            yield awaits(forever, x)
        except BaseException:
            yield awaits(later, x)
        return x

    async def main():
        await cancelled_after(async_run(program(), handlers=HANDLERS))

    asyncio.run(main())


@scenario
@unraisable_ignored()
def run_that_is_closed_midway(x):
    programs = [
        awaits(forever, x),
        gathered(awaits(forever, x), hangs(x)),
        Sleep(60),
        CreateExternalPromise().flat_map(lambda external: Wait(external.promise).map(lambda _: external)),
        PythonAsyncSyntaxEscape(lambda: forever(x)),
    ]

    async def main():
        for program in programs:
            await closed_after(async_run(program.map(lambda _: x), handlers=HANDLERS))

    asyncio.run(main())


@scenario
@unraisable_ignored()
def run_that_is_dropped_midway(x):
    async def main():
        coroutine = async_run(gathered(awaits(forever, x), hangs(x)), handlers=HANDLERS)
        coroutine.send(None)
        await asyncio.sleep(0)
        del coroutine
        await asyncio.sleep(0)

    asyncio.run(main())


@scenario
def run_that_was_never_begun(x):
    async_run(ask(x), handlers=HANDLERS).close()


@scenario
@unraisable_ignored()
def runs_that_end_in_all_ways(x):
    @do
    def leaves():
        yield awaits(later, x)
        raise SystemExit(x)

    async def main():
        with contextlib.suppress(SystemExit):
            await async_run(gathered(leaves(), awaits(forever, x)), handlers=HANDLERS)
        await async_run(gathered(awaits(later, x), raises(x)), handlers=HANDLERS)
        await async_run(gathered(awaits(forever, x), turns(x, 99)), handlers=HANDLERS, limits=Limits(steps=60))
        await async_run(spawned(awaits(forever, x), hangs(x)).map(lambda _: x), handlers=HANDLERS)

    with asyncio.Runner() as runner:
        runner.run(main())


@scenario
def time_of_the_loop(x):
    async def main():
        await async_run(gathered(Sleep(0).map(lambda _: x), Sleep(0.0001)), handlers=HANDLERS)
        await async_run(gathered(Sleep(3600), ask(x)), handlers=[scheduler(clock=VirtualClock()), echo])

    asyncio.run(main())


@scenario
def promises_that_the_loop_completes(x):
    async def main():
        loop, external = asyncio.get_running_loop(), CreateExternalPromise()

        @do
        def program():
            first, second, third = (yield external), (yield external), (yield external)
            loop.call_soon(first.complete, x)
            loop.call_soon(second.fail, ValueError(x))
            threading.Thread(target=third.complete, args=(x,)).start()
            yield Wait(first)
            yield Try(Wait(second))
            return (yield Wait(third))

        await async_run(program(), handlers=HANDLERS)

    asyncio.run(main())


@scenario
def programs_for_coroutines(x):
    @do
    def program():
        portal = yield open_portal()
        asks = yield to_async(ask)
        first = yield Await(asks(x))
        second = yield Await(portal.call(Ping(x)))
        yield Try(Await(portal.call(raises(x))))
        yield Spawn(Await(portal.call(hangs(x))), daemon=True)
        yield turns(x)
        return first, second

    in_asyncio(program())


@scenario
def managers_and_iterations(x):
    @contextlib.asynccontextmanager
    async def opens():
        await asyncio.sleep(0)
        try:
            yield x
        finally:
            await asyncio.sleep(0)

    async def counts():
        for _ in range(2):
            await asyncio.sleep(0)
            yield x

    @do
    def program():
        yield acontext(opens(), Tell)
        yield Try(acontext(opens(), raises))
        yield segue.aiter(counts(), Tell)
        yield Try(segue.aiter(counts(), raises))

    in_asyncio(program())


@scenario
def loop_of_a_handler(x):
    @do
    def program():
        yield awaits(later, x)
        yield Try(awaits(later_fails, x))
        return x

    run(program(), handlers=[await_handler()])


@scenario
def run_inside_of_a_run(x):
    @do
    def program():
        inner = async_run(gathered(awaits(later, x), ask(x)), handlers=HANDLERS)
        return (yield gathered(Await(inner), Pure(x)))

    in_asyncio(program())


if importlib.util.find_spec("trio"):
    import trio

    @scenario
    def run_in_trio(x):
        async def one():
            await trio.lowlevel.checkpoint()
            return x

        async def never():
            await trio.sleep_forever()

        async def fails():
            await trio.lowlevel.checkpoint()
            raise ValueError(x)

        @do
        def program():
            yield awaits(one)
            yield Try(timeout(0.0001, awaits(never)))
            return (yield gathered(awaits(one), awaits(never), awaits(fails)))

        async def main():
            await async_run(program(), handlers=HANDLERS)
            with trio.move_on_after(0):
                await async_run(gathered(awaits(never), hangs(x)), handlers=HANDLERS)

        trio.run(main)
