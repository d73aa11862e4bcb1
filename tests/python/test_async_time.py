"""Semantics 5, 7 and 8: in a loop as in `run` where nothing is awaited; sleeping and limits on the wall clock."""

import pytest

from async_vocabulary import gathered, loops, set_and, value
from segue import (
    Acquire,
    Await,
    CreateChannel,
    CreatePromise,
    CreateSemaphore,
    Get,
    Now,
    Pure,
    Put,
    Race,
    Release,
    Sleep,
    Spawn,
    Tell,
    Try,
    VirtualClock,
    Wait,
    async_run,
    do,
    run,
    scheduler,
    state,
    timeout,
    writer,
)
from tasks_vocabulary import naps, receives, sends, spawn_all, takes_turns

# The same as from `run`.


@do
def talks():
    channel = yield CreateChannel(1)
    log = []
    yield gathered(sends(channel, log, 1, 2, 3), receives(channel, log, 3))
    return log


@do
def counts():
    semaphore = yield CreateSemaphore(2)

    @do
    def one(n):
        yield Acquire(semaphore)
        yield Put("n", (yield Get("n")) + n)
        yield Tell((n, (yield Now())))
        yield Sleep(n)
        yield Release(semaphore)
        return n

    return (yield gathered(*(one(n) for n in range(5))))


@do
def mixed():
    log = []
    yield gathered(takes_turns(log, "a"), takes_turns(log, "b"))
    late = yield Try(timeout(5, naps(6)))
    first = yield Race(*(yield spawn_all(naps(3, "slow"), naps(2, "fast"))))
    failed = yield Try(gathered(naps(1), naps(2).flat_map(lambda _: 1 / 0)))
    return log, type(late.error), first, type(failed.error), (yield Now())


@loops
@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("make", [talks, counts, mixed], ids=lambda make: make.__name__)
def test_run_and_async_run_agree_where_nothing_is_awaited(loop, make, seed):
    """Semantics 5: same program, no `Await`: same result, log, state and steps."""

    def handlers():
        return [writer, state({"n": 0}), scheduler(seed=seed, clock=VirtualClock())]

    async def main():
        return await async_run(make(), handlers=handlers())

    there, here = loop.run(main), run(make(), handlers=handlers())
    assert there.value == here.value
    assert (list(there.log), there.raw_store, there.usage.steps) == (list(here.log), here.raw_store, here.usage.steps)


# Time.


@loops
def test_sleepers_wake_in_the_order_of_their_time_on_the_wall_clock(loop):
    log = []

    @do
    def sleeper(seconds):
        yield Sleep(seconds)
        log.append(seconds)

    @do
    def program():
        before = yield Now()
        yield gathered(sleeper(0.03), sleeper(0.01), sleeper(0.02))
        yield Sleep(0.01)
        return (yield Now()) - before

    assert 0.04 <= value(loop, program()) < 20
    assert log == [0.01, 0.02, 0.03]


@loops
@pytest.mark.parametrize("wait", [Sleep, lambda _: CreatePromise().flat_map(Wait)], ids=["Sleep", "Wait"])
def test_timeout_of_a_wait_on_the_wall_clock(loop, wait):
    @do
    def program():
        early = yield timeout(60, Sleep(0.001).map(lambda _: "early"))
        return early, type((yield Try(timeout(0.01, wait(60)))).error)

    assert value(loop, program()) == ("early", TimeoutError)
    assert value(loop, Spawn(program()).flat_map(Wait)) == ("early", TimeoutError)


@loops
def test_sleep_of_a_task_ends_while_the_root_awaits(loop):
    """The timer is the task's; the root's await does not hold it back."""

    @do
    def program():
        event = loop.event()
        yield Spawn(Sleep(0.01).flat_map(lambda _: set_and(event, Pure(None))))
        yield Await(event.wait())
        return "woken"

    assert value(loop, program()) == "woken"
