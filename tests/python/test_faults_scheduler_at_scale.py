"""Faults of the scheduler that need a process of their own: many tasks and memory (Q16, M06, M07)."""

import gc
import time
import weakref

import pytest

from segue import Gather, Limits, Pure, Spawn, Wait, Yield, do, run
from tasks_vocabulary import built_in, child, naps, schedulers, spawn_all, value


@do
def chain(left):
    """Each task spawns the next one, and waits for it."""
    if left == 0:
        return 0
    task = yield Spawn(chain(left - 1))
    return 1 + (yield Wait(task))


@do
def relay(left):
    """Each task spawns the next one, and is done; the last is found at the end of the line."""
    yield Yield()
    return (yield Spawn(relay(left - 1))) if left else None


@do
def follow(task):
    length = 0
    while (task := (yield Wait(task))) is not None:
        length += 1
    return length


@schedulers
def test_q16_one_hundred_thousand_tasks_side_by_side(make):
    count = 100_000 if make is built_in else 10_000
    begun = time.monotonic()

    @do
    def program():
        tasks = yield spawn_all(*(Yield().map(lambda _, n=n: n) for n in range(count)))
        return sum((yield Gather(*tasks)))

    assert value(make, program()) == count * (count - 1) // 2
    assert time.monotonic() - begun < 60


@schedulers
def test_q16_chain_of_one_hundred_thousand_spawns(make):
    count = 100_000 if make is built_in else 5_000
    begun = time.monotonic()
    assert value(make, chain(count)) == count
    assert value(make, Spawn(relay(count)).flat_map(follow)) == count
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("program", ["Wait(event)", "waits(event)"])
def test_q16_task_that_waits_takes_less_than_a_kilobyte(program):
    source = f"""
        @do
        def program(count):
            event = yield CreateEvent()
            gc.collect()
            before = resident()
            tasks = []
            for _ in range(count):
                task = yield Spawn({program})
                tasks.append(task)
            yield Yield()
            each = (resident() - before) / count
            yield SetEvent(event)
            yield Gather(*tasks)
            return each

        each = run(program(100_000), handlers=[make()]).value
        assert each < 1024, each
    """
    child(source, built_in)


@schedulers
def test_m06_table_of_tasks_is_bounded_over_one_hundred_thousand_in_one_run(make):
    """Neither the machine nor the scheduler keeps a task that was waited for."""
    source = """
        count = 100_000 if sys.argv[1] == "built_in" else 20_000

        @do
        def program():
            total = 0
            for n in range(count):
                task = yield Spawn(adds(0))
                total += yield Wait(task)
                if n == count // 10:
                    gc.collect()
                    before = resident(), len(gc.get_objects()), vm_live_counts()
            del task
            gc.collect()
            after = resident(), len(gc.get_objects()), vm_live_counts()
            assert after[0] - before[0] < 4 * 2**20, (before, after)
            assert after[1] - before[1] < 100, (before, after)
            assert all(after[2][name] <= before[2][name] + 2 for name in after[2]), (before, after)
            return total

        assert run(program(), handlers=[make()]).value == count
    """
    child(source, make)


def test_m06_limit_of_tasks_counts_those_alive():
    """Semantics 5: exactly the limit passes, one more does not; those that finished count no more."""

    @do
    def at_once(count, rounds=1):
        for _ in range(rounds):
            yield Gather(*(yield spawn_all(*[naps(0)] * count)))

    error = run(at_once(50), handlers=[built_in()], limits=Limits(tasks=10)).error
    assert (error.limit, error.value) == ("tasks", 10)
    assert run(at_once(9, rounds=50), handlers=[built_in()], limits=Limits(tasks=10)).is_ok()


def test_m06_values_of_tasks_are_let_go_with_their_handles():
    class Thing:
        pass

    gone = []

    @do
    def makes():
        yield Pure(None)
        thing = Thing()
        gone.append(weakref.ref(thing))
        return thing

    @do
    def program():
        for _ in range(10):
            task = yield Spawn(makes())
            yield Wait(task)
        task = None
        yield Yield()
        gc.collect()
        return [ref() for ref in gone]

    assert run(program(), handlers=[built_in()]).value == [None] * 10


@schedulers
def test_m07_twenty_thousand_cancelled_tasks_leave_nothing_behind(make):
    """Before they start, while they sleep, while they wait, and in a clean-up."""
    source = """
        count = 20_000 if sys.argv[1] == "built_in" else 4_000

        @do
        def cleans(event, n):
            try:
                yield Sleep(1e6) if n % 4 == 1 else Wait(event)
            finally:
                if n % 4 == 3:
                    yield Sleep(0)

        @do
        def program():
            event = yield CreateEvent()
            for n in range(count):
                task = yield Spawn(cleans(event, n))
                if n % 4:
                    yield Yield()
                yield Cancel(task)
                try:
                    yield Wait(task)
                except TaskCancelledError:
                    pass
                if n == count // 10:
                    gc.collect()
                    before = resident(), len(gc.get_objects())
            del task
            gc.collect()
            after = resident(), len(gc.get_objects())
            assert after[0] - before[0] < 4 * 2**20, (before, after)
            assert after[1] - before[1] < 100, (before, after)
            return "done"

        assert run(program(), handlers=[make()]).value == "done"
    """
    child(source, make)
