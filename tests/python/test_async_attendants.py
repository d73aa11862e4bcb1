"""Semantics 8: the run goes on in the turn of the loop in which a task's await ended; nothing of it is ever lost."""

import asyncio
import contextvars
import random
import sys
import time

import pytest

from async_vocabulary import ASYNCIO, CANCELLED, after, asyncios, frames, loops, turns_while, value
from segue import (
    Await,
    Cancel,
    CreateChannel,
    Effect,
    Err,
    Gather,
    Handler,
    Pure,
    PythonAsyncSyntaxEscape,
    Receive,
    Send,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    Yield,
    answers,
    async_run,
    do,
    scheduler,
    timeout,
)
from segue._bridge import STEPS
from tasks_vocabulary import spawn_all


class Fetch(Effect):
    url: str


class Fetching(Handler):
    """Stands outside of the scheduler: while its clause awaits, no task of the run can go on."""

    def __init__(self, loop, seconds, begins=None):
        self.loop, self.seconds, self.begins = loop, seconds, begins

    @answers(Fetch)
    def fetch(self, effect):
        if self.begins is not None:
            self.begins.set()
        return (yield Await(after(self.loop, self.seconds, effect.url)))


@loops
@pytest.mark.parametrize("rounds", [1, 3])
def test_a_clause_outside_of_the_scheduler_awaits_for_a_task_while_what_the_root_awaits_ends(loop, rounds):
    log = []

    @do
    def fetches():
        for n in range(rounds):
            yield Await(after(loop, 0.002))
            log.append((yield Fetch(n)))
        return "task"

    @do
    def program():
        task = yield Spawn(fetches())
        for _ in range(rounds):
            root = yield Await(after(loop, 0.01, "root"))
            log.append(root)
        return (yield Wait(task))

    assert value(loop, program(), outside=[Fetching(loop, 0.03)]) == "task"
    assert sorted(log, key=str) == [*range(rounds), *["root"] * rounds]


@loops
def test_a_sleep_that_is_over_while_such_a_clause_awaits_ends_after_it(loop):
    log = []

    @do
    def sleeps():
        yield Sleep(0.01)
        log.append("slept")

    @do
    def fetches():
        yield Await(after(loop, 0.001))
        log.append((yield Fetch("fetched")))

    @do
    def program():
        tasks = yield spawn_all(sleeps(), fetches())
        yield Await(after(loop, 0.05))
        log.append("root")
        yield Gather(*tasks)

    value(loop, program(), outside=[Fetching(loop, 0.03)])
    assert log == ["fetched", "slept", "root"]


@loops
def test_a_cancellation_from_outside_is_not_lost_where_such_a_clause_keeps_the_root_waiting(loop):
    """It is raised where the root waits next, or when it never waits again, as what the run came to."""

    @do
    def fetches():
        yield Await(after(loop, 0.001))
        return (yield Fetch("fetched"))

    @do
    def program():
        return (yield Wait((yield Spawn(fetches()))))

    async def main():
        ready = loop.event()
        run = async_run(program(), handlers=[Fetching(loop, 0.05, ready), scheduler])
        return await loop.cancel(run, ready)

    assert loop.run(main) == CANCELLED


@pytest.mark.parametrize("steps", range(2 * STEPS - 6, 2 * STEPS + 3))
@asyncios
def test_a_cancellation_that_comes_in_the_last_turn_of_a_busy_root_is_not_lost(loop, steps):
    @do
    def program(ready):
        ready.set()
        for _ in range(steps):
            yield Pure(1)
        return "ended"

    async def main():
        ready = loop.event()
        task = asyncio.ensure_future(async_run(program(ready)))
        await ready.wait()
        asked = not task.done() and task.cancel()
        try:
            return asked, await task
        except asyncio.CancelledError:
            return asked, CANCELLED

    asked, came = loop.run(main)
    assert (came == CANCELLED) is asked


@pytest.mark.parametrize("acts", [False, True], ids=["await", "action"])
def test_a_task_of_the_loop_that_is_cancelled_before_it_began_raises_at_the_await(acts):
    """What ends the loop's tasks is told to the program, also where nothing was begun for it; it may go on."""
    log = []

    async def begins():
        log.append("begun")
        return "went on"

    async def cancels_all_but(caller):
        for task in asyncio.all_tasks() - {asyncio.current_task(), caller}:
            task.cancel()

    class Begins(Handler):
        @answers(Fetch)
        def fetch(self, effect):
            return (yield PythonAsyncSyntaxEscape(begins))

    @do
    def awaits():
        if acts:
            # From here on it does not run where the root does.
            yield Await(after(ASYNCIO, 0))
        # Its first step comes before that of what is started next.
        canceller = asyncio.get_running_loop().create_task(cancels_all_but(asyncio.current_task()))
        try:
            yield Fetch("any") if acts else Await(begins())
        except asyncio.CancelledError:
            log.append("cancelled")
        assert canceller.done()
        return (yield Await(begins()))

    assert value(ASYNCIO, Spawn(awaits()).flat_map(Wait), outside=[Begins()]) == "went on"
    assert log == ["cancelled", "begun"]


@loops
@pytest.mark.parametrize("spawned", [False, True], ids=["root", "task"])
@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after a wait"])
def test_a_generator_exit_that_is_awaited_is_raised_at_the_yield(loop, spawned, waits):
    async def leaves():
        if waits:
            await loop.sleep(0)
        raise GeneratorExit

    @do
    def program():
        try:
            yield Await(leaves())
        except GeneratorExit:
            return (yield Await(after(loop, 0, "caught")))

    assert value(loop, Spawn(program()).flat_map(Wait) if spawned else program()) == "caught"


@loops
def test_what_cannot_be_awaited_shows_the_program_alone(loop):
    @do
    def task():
        yield Await(1)

    @do
    def program():
        return (yield Try(Wait((yield Spawn(task())))))

    error = value(loop, program()).error
    assert isinstance(error, TypeError)
    assert frames(error)[-1] == "task"


def test_code_of_tasks_has_the_current_task_of_async_run_and_awaits_their_own():
    """Also where one task's await has ended, and the code of others runs there and then."""
    seen = {"code": set(), "awaits": {}}

    async def step(name):
        await asyncio.sleep(0)
        seen["awaits"].setdefault(name, set()).add(asyncio.current_task())

    @do
    def task(name):
        for _ in range(5):
            yield Await(step(name))
            seen["code"].add(asyncio.current_task())
            yield Yield()
            seen["code"].add(asyncio.current_task())

    @do
    def program():
        yield Gather(*(yield spawn_all(*(task(name) for name in "abc"))))

    async def main():
        await async_run(program(), handlers=[scheduler])
        return asyncio.current_task()

    assert asyncio.run(main()) in seen["code"]
    assert len(seen["code"]) == 1
    assert [len(seen["awaits"][name]) for name in "abc"] == [1, 1, 1]
    assert not seen["code"] & set.union(*seen["awaits"].values())


@loops
def test_each_task_keeps_its_variables_whoever_s_await_runs_it(loop):
    """Semantics 7, 8: a task runs in its own context, also where the await of another has ended."""
    variable = contextvars.ContextVar("variable", default=None)
    channels = []

    async def sets(to):
        await loop.sleep(0)
        variable.set(to)

    @do
    def task(number):
        seen = []
        for turn in range(6):
            yield Await(sets((number, turn)))
            # Here it may be another's await that goes on with this.
            yield Send(channels[(number + 1) % 3], number)
            yield Receive(channels[number])
            seen.append(variable.get())
        return seen

    @do
    def program():
        for _ in range(3):
            channel = yield CreateChannel(1)
            channels.append(channel)
        return (yield Gather(*(yield spawn_all(*(task(number) for number in range(3))))))

    assert value(loop, program()) == [[(number, turn) for turn in range(6)] for number in range(3)]


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "ready"])
def test_an_await_of_a_task_takes_one_turn_of_the_loop_whether_it_waits_or_not(waits):
    """What waited goes on in the turn in which it ended; after what was ready the loop has its turn first."""

    async def step():
        if waits:
            await asyncio.sleep(0)
        return 1

    @do
    def task():
        total = 0
        for _ in range(200):
            total += yield Await(step())
        return total

    @do
    def program():
        return (yield Wait((yield Spawn(task()))))

    async def run():
        return (await async_run(program(), handlers=[scheduler])).value

    turns, result = turns_while(run)
    assert result == 200
    assert 200 <= turns <= 220


@loops
def test_a_task_rests_between_its_awaits_and_is_given_the_next(loop):
    @do
    def worker(jobs, results):
        while (job := (yield Receive(jobs))) is not None:
            yield Send(results, (yield Await(after(loop, 0, job * 2))))
            yield Sleep(0)

    @do
    def program():
        jobs, results = (yield CreateChannel(0)), (yield CreateChannel(0))
        worker_task = yield Spawn(worker(jobs, results))
        total = []
        for job in range(30):
            yield Send(jobs, job)
            total.append((yield Receive(results)))
            if job % 5 == 0:
                yield Await(after(loop, 0.001))
        yield Send(jobs, None)
        yield Wait(worker_task)
        return total

    assert value(loop, program()) == [job * 2 for job in range(30)]


@loops
@pytest.mark.parametrize("root_awaits", [False, True])
def test_a_sooner_time_is_kept_where_a_later_one_is_awaited_already(loop, root_awaits):
    """The loop's timer is left as it is while it comes soon enough, and set anew where it does not."""
    log = []

    @do
    def task(done):
        for _ in range(5):
            yield Await(after(loop, 0))
        yield Sleep(0.02)
        log.append("slept")
        yield Try(timeout(0.01, Await(loop.event().wait())))
        log.append("limited")
        for _ in range(5):
            yield Try(timeout(3, Await(after(loop, 0.001))))
        done.set()

    @do
    def program():
        done = loop.event()
        spawned = yield Spawn(task(done))
        if root_awaits:
            yield Await(done.wait())
        return (yield Wait(spawned))

    assert value(loop, timeout(5, program())) is None
    assert log == ["slept", "limited"]


def value_in_time(loop, program, *outside):
    """What a program comes to, limited by the loop's own means: a timer of the scheduler's would come to its help."""

    async def main():
        result = await loop.limited(5, async_run(program, handlers=[*outside, scheduler]))
        return result if result == CANCELLED else result.value

    return loop.run(main)


@loops
def test_a_time_that_passes_while_the_root_acts_is_no_reason_to_miss_the_next(loop):
    """The loop's timer finds a run that nobody may drive, and is spent."""

    @do
    def sleeps(done):
        yield Sleep(0.01)
        yield Sleep(0.04)
        done.set()

    @do
    def program():
        done = loop.event()
        yield Spawn(sleeps(done), daemon=True)
        yield Await(after(loop, 0.001))
        yield Fetch("meanwhile")
        yield Await(done.wait())
        return "ended"

    assert value_in_time(loop, program(), Fetching(loop, 0.03)) == "ended"


@loops
def test_a_time_that_wakes_the_root_is_no_reason_to_miss_the_next(loop):
    @do
    def sleeps(done):
        yield Sleep(0.03)
        done.set()

    @do
    def program():
        done = loop.event()
        yield Spawn(sleeps(done), daemon=True)
        yield Await(after(loop, 0.001))
        yield Sleep(0.005)
        yield Await(done.wait())
        return "ended"

    assert value_in_time(loop, program()) == "ended"


@loops
def test_a_time_limit_that_is_set_before_the_first_await_strikes(loop):
    """Before the run has found its loop, nobody comes back for a timer."""

    @do
    def program():
        return (yield Try(timeout(0.02, Await(loop.event().wait()))))

    began = time.monotonic()
    assert isinstance(value(loop, program()).error, TimeoutError)
    assert time.monotonic() - began < 10


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks of asyncio are eager from 3.12 on")
def test_tasks_of_an_eager_loop_await_as_others_do():
    """The first step of a task of the loop is made where it is created."""

    @do
    def task(number):
        first = yield Await(after(ASYNCIO, 0, number))
        ready = asyncio.get_running_loop().create_future()
        ready.set_result(number)
        return first + (yield Await(ready)) + (yield Await(after(ASYNCIO, 0, number)))

    @do
    def program():
        return (yield Gather(*(yield spawn_all(*(task(number) for number in range(20))))))

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        return (await async_run(program(), handlers=[scheduler])).value

    assert asyncio.run(main()) == [3 * number for number in range(20)]


class Ledger:
    """What was begun and has not ended."""

    def __init__(self, loop, choices):
        self.loop, self.choices, self.open, self.begun = loop, choices, set(), 0

    async def wait(self):
        self.begun += 1
        mine = self.begun
        self.open.add(mine)
        try:
            for _ in range(self.choices.randrange(3)):
                await self.loop.sleep(self.choices.choice([0, 0, 0.001]))
            if self.choices.random() < 0.1:
                raise OSError(mine)
            return mine
        except BaseException:
            if self.choices.random() < 0.3:
                # The clean-up takes its time.
                await self.loop.at_rest(self.loop.sleep(0))
            raise
        finally:
            self.open.discard(mine)


@do
def at_random(ledger, choices, depth):
    """Awaits, spawns, cancels, limits and waits."""
    came = []
    for _ in range(choices.randrange(1, 5)):
        kind = choices.randrange(6 if depth else 2)
        if kind <= 1:
            came.append((yield Try(Await(ledger.wait()))))
        elif kind == 2:
            came.append((yield Try(timeout(choices.choice([0, 0.001, 1]), at_random(ledger, choices, depth - 1)))))
        else:
            task = yield Spawn(at_random(ledger, choices, depth - 1), daemon=True)
            if kind == 3:
                yield Yield()
            elif kind == 4:
                yield Cancel(task)
            came.append((yield Try(Wait(task))))
    return came


@loops
@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_cancelled_meanwhile_all_that_was_begun_ends_and_every_task_is_told(loop, seed):
    choices = random.Random(seed)  # noqa: S311 - a test is to repeat
    ledger = Ledger(loop, choices)

    @do
    def program():
        return (yield Gather(*(yield spawn_all(*(at_random(ledger, choices, 2) for _ in range(4))))))

    came = value(loop, timeout(60, program()))
    assert len(came) == 4
    assert not ledger.open

    def errors(results):
        for result in results:
            if isinstance(result, Err):
                yield result.error
            elif isinstance(result.value, list):
                yield from errors(result.value)

    assert {type(error) for of_one in came for error in errors(of_one)} <= {OSError, TimeoutError, TaskCancelledError}
