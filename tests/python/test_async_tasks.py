"""Semantics 7 and 8: tasks in a loop. Which task of the loop awaits for which, overlap, turns, time and deadlock."""

import itertools

import anyio
import pytest
import trio

from async_vocabulary import TRIO, after, asyncios, awaits, done, forever, gathered, loops, raises, set_and, value
from segue import (
    Await,
    CreatePromise,
    DeadlockError,
    Gather,
    Get,
    Pure,
    Sleep,
    Spawn,
    Try,
    Wait,
    Yield,
    async_run,
    do,
    scheduler,
    state,
)
from tasks_vocabulary import spawn_all


class Barrier:
    """Ends for all when so many wait in it."""

    def __init__(self, loop, count):
        self.event, self.missing = loop.event(), count

    def arrive(self):
        self.missing -= 1
        if not self.missing:
            self.event.set()

    async def wait(self):
        self.arrive()
        await self.event.wait()


@loops
@pytest.mark.parametrize("count", [2, 500])
def test_awaits_of_the_root_and_of_tasks_overlap(loop, count):
    """Semantics 8: "awaiting at the same time overlaps": none would end if they were awaited one after the other."""

    @do
    def program():
        barrier = Barrier(loop, count)
        tasks = yield spawn_all(*(Await(barrier.wait()).map(lambda _, n=n: n) for n in range(count - 1)))
        yield Await(barrier.wait())
        return (yield Gather(*tasks))

    assert value(loop, program()) == list(range(count - 1))


@loops
def test_each_task_has_one_task_of_the_loop_and_the_root_that_of_async_run(loop):
    """Semantics 8."""

    async def where():
        await loop.sleep(0)
        return loop.task()

    @do
    def several():
        places = []
        for _ in range(4):
            places.append((yield Await(where())))
            yield Sleep(0)
        return places

    @do
    def program():
        tasks = yield spawn_all(several(), several())
        mine = yield several()
        return [mine, *(yield Gather(*tasks))]

    async def main():
        return loop.task(), (await async_run(program(), handlers=[scheduler])).value

    caller, places = loop.run(main)
    assert [len(set(of_one)) for of_one in places] == [1, 1, 1]
    assert len({of_one[0] for of_one in places}) == 3
    assert places[0][0] is caller


@asyncios
def test_cancel_scopes_of_anyio_are_entered_and_left_by_awaits(loop):
    """Semantics 8: both must be done in one task of the loop."""

    async def enter(scope):
        scope.__enter__()

    async def leave(scope):
        scope.__exit__(None, None, None)

    @do
    def scoped(n):
        scope = anyio.CancelScope()
        yield Await(enter(scope))
        yield Await(after(loop, 0.001))
        yield Sleep(0.001)
        yield Await(leave(scope))
        return n

    @do
    def program():
        tasks = yield spawn_all(scoped(1), scoped(2))
        return [(yield scoped(0)), *(yield Gather(*tasks))]

    assert value(loop, program()) == [0, 1, 2]


@pytest.mark.parametrize("first", [Pure(None), Sleep(0), Await(after(TRIO, 0))], ids=["Pure", "Sleep", "Await"])
def test_with_of_the_root_may_hold_a_cancel_scope_of_trio(first):
    """Semantics 8: the root's code is in the loop's task, so `with` stands around its awaits as in an `async def`."""

    @do
    def program():
        yield Pure(None) if not isinstance(first, Await) else Await(after(TRIO, 0))
        with trio.move_on_after(0.01) as scope:
            yield Await(forever(TRIO))
        return scope.cancelled_caught

    async def main():
        return await TRIO.limited(5, async_run(first.flat_map(lambda _: program()), handlers=[scheduler]))

    assert trio.run(main).value is True


@loops
@pytest.mark.parametrize("busy", [1, 3])
def test_busy_program_leaves_turns_to_the_loop_and_to_other_tasks(loop, busy):
    turns = itertools.count()
    log = []

    @do
    def spins():
        while not log:
            yield Yield()

    @do
    def program():
        tasks = yield spawn_all(*(spins() for _ in range(busy - 1)), awaits(loop, "awaited", turns=20))
        yield set_and(started, Pure(None))
        yield spins()
        return (yield Gather(*tasks))[-1]

    async def beside():
        await started.wait()
        while next(turns) < 50:
            await loop.sleep(0)
        log.append("enough")

    async def main():
        nonlocal started
        started = loop.event()
        run = async_run(program(), handlers=[scheduler])
        return (await loop.limited(30, loop.together(run, beside())))[0].value

    started = None
    assert loop.run(main) == "awaited"


@loops
def test_busy_root_without_a_scheduler_leaves_turns_to_the_loop(loop):
    log = []

    @do
    def spins():
        while not log:
            yield Get("n")

    async def beside():
        await loop.sleep(0)
        log.append("turn")

    async def main():
        run = async_run(spins(), handlers=[state({"n": 0})])
        return (await loop.limited(30, loop.together(run, beside())))[0].is_ok()

    assert loop.run(main) is True


# Errors and ends.


@loops
def test_deadlock_is_told_but_not_while_something_is_awaited(loop):
    """Semantics 7: nothing can run, nothing external is pending."""

    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(Await(after(loop, 0.01, "awaited")))
        got = yield Wait(task)
        stuck = yield Spawn(Wait(promise), daemon=True)
        return got, type((yield Try(Wait(stuck))).error)

    assert done(loop, program()).value == ("awaited", DeadlockError)


@loops
def test_failure_of_an_await_cancels_what_is_gathered_with_it(loop):
    log, error = [], ValueError("x")

    @do
    def program():
        yield gathered(
            Await(forever(loop, log, "first")), Await(raises(loop, error)), Await(forever(loop, log, "third"))
        )

    assert done(loop, program()).error is error
    assert sorted(log) == ["first", "third"]


@loops
@pytest.mark.parametrize("daemon", [False, True])
def test_awaits_that_are_left_when_the_root_returns_are_ended(loop, daemon, unraisable):
    """Semantics 7: the remaining tasks are cancelled and unwound; then `async_run` returns."""
    log = []

    @do
    def program():
        barrier = Barrier(loop, 3)

        async def left(name):
            barrier.arrive()
            await forever(loop, log, name)

        for name in "ab":
            yield Spawn(Await(left(name)), daemon=daemon, name=name)
        yield Await(barrier.wait())
        return "root"

    result = done(loop, program())
    assert (result.value, sorted(log), len(result.unobserved)) == ("root", ["a", "b"], 0 if daemon else 2)


@loops
def test_many_tasks_in_one_run(loop):
    assert value(loop, gathered(*(awaits(loop, n, turns=3) for n in range(1000)))) == list(range(1000))
