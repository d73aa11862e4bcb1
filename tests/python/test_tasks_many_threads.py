"""Semantics 7 and 8: promises, handles and portals among many threads at once. The same must hold without a GIL."""

import gc
import itertools
from collections import Counter
from concurrent.futures import Future

import pytest

from async_vocabulary import loops
from segue import (
    Await,
    Cancel,
    CreateChannel,
    CreateExternalPromise,
    Gather,
    PromiseCompletedError,
    Pure,
    Receive,
    RunClosedError,
    Send,
    Sleep,
    Spawn,
    Try,
    Wait,
    Yield,
    async_run,
    do,
    from_thread,
    open_portal,
    run,
    scheduler,
)
from tasks_vocabulary import spawn_all
from threads_vocabulary import at_once, helped_by, quick_switches

MANY = 8


@pytest.fixture(autouse=True)
def _many_switches():
    with quick_switches():
        yield


def finished(program):
    return run(program, handlers=[scheduler]).value


@do
def externals(count):
    made = []
    for _ in range(count):
        made.append((yield CreateExternalPromise()))  # noqa: PERF401 - a yield
    return made


@do
def answered(work, count):
    """What waiters of so many promises get while threads do `work(completers, i)`; the completers are the threads'."""
    completers = yield externals(count)
    tasks = yield spawn_all(*[Try(Wait(completer.promise)) for completer in completers])
    with helped_by(1, once(lambda: at_once(MANY, lambda i: work(completers, i)))):
        return (yield Gather(*tasks))


def once(work):
    """For a helper, which does its work over and over."""
    rounds = itertools.count()
    return lambda _: None if next(rounds) else work()


# Promises.


def test_promise_that_many_threads_complete_has_one_winner():
    wins = Counter()

    def completes(completers, i):
        for at, completer in enumerate(completers):
            try:
                completer.complete(i)
            except PromiseCompletedError:
                continue
            wins[at] += 1
            won[at] = i

    won = {}
    got = finished(answered(completes, 300))
    assert [outcome.value for outcome in got] == [won[at] for at in range(300)]
    assert set(wins.values()) == {1}


def test_promises_that_are_completed_and_failed_by_many_threads_come_to_what_each_did():
    def works(completers, i):
        for at, completer in list(enumerate(completers))[i::MANY]:
            if at % 2:
                completer.complete(at)
            else:
                completer.fail(ValueError(at))

    got = finished(answered(works, 600))
    assert [outcome.value if at % 2 else outcome.error.args[0] for at, outcome in enumerate(got)] == list(range(600))


def test_promise_that_is_completed_while_its_run_ends_is_refused_or_in_time():
    outcomes = Counter()

    def completes(_):
        for completer in tuple(shown):
            try:
                completer.complete(1)
            except PromiseCompletedError:
                outcomes["refused"] += 1
            else:
                outcomes["in time"] += 1

    @do
    def program():
        shown[:] = yield externals(3)
        yield Spawn(Wait(shown[0].promise), daemon=True)
        yield Yield()

    shown = []
    with helped_by(MANY, completes):
        while sum(outcomes.values()) < 2000:
            finished(program())
    assert set(outcomes) <= {"refused", "in time"}


@loops
def test_promises_of_a_run_in_a_loop_are_completed_by_many_threads(loop):
    def completes(completers, i):
        for completer in completers[i::MANY]:
            completer.complete(i)

    async def main():
        return await async_run(answered(completes, 400), handlers=[scheduler])

    got = loop.run(main).value
    assert [outcome.value for outcome in got] == [at % MANY for at in range(400)]


# Portals.


@do
def asked(work):
    """What threads give that do `work(portal, i)` while their programs run here."""
    portal = yield open_portal()
    results = []
    with helped_by(1, once(lambda: results.extend(at_once(MANY, lambda i: work(portal, i))))):
        while not results:
            yield Sleep(0.001)
    return results


def test_programs_of_many_threads_run_in_one_run():
    @do
    def adds(i, n):
        yield Yield()
        return i + n

    def works(portal, i):
        return [from_thread.run(portal, adds(i, n)) for n in range(100)]

    assert finished(asked(works)) == [[i + n for n in range(100)] for i in range(MANY)]


def test_programs_that_many_threads_submit_at_once_are_all_answered():
    def works(portal, i):
        futures = [portal.start(Pure((i, n))) for n in range(200)]
        return [future.result(60) for future in futures]

    assert finished(asked(works)) == [[(i, n) for n in range(200)] for i in range(MANY)]


@loops
def test_programs_of_many_threads_run_in_a_run_of_a_loop(loop):
    def works(portal, i):
        return [from_thread.run(portal, Await(loop.sleep(0)).map(lambda _, n=n: (i, n))) for n in range(30)]

    async def main():
        return await async_run(asked(works), handlers=[scheduler])

    assert loop.run(main).value == [[(i, n) for n in range(30)] for i in range(MANY)]


def test_portal_whose_run_ends_meanwhile_answers_or_refuses():
    outcomes = Counter()

    def submits(_):
        for portal in tuple(shown):
            try:
                future = portal.start(Yield().map(lambda _: "answered"))
            except RunClosedError:
                outcomes["refused"] += 1
                continue
            assert isinstance(future, Future)
            error = future.exception(60)
            assert error is None or isinstance(error, RunClosedError)
            outcomes["answered" if error is None else "closed"] += 1

    @do
    def program():
        shown[:] = [(yield open_portal())]
        for _ in range(3):
            yield Yield()

    shown = []
    with helped_by(MANY, submits):
        while sum(outcomes.values()) < 2000:
            finished(program())
    assert set(outcomes) <= {"answered", "refused", "closed"}


# Handles.


def test_handles_are_looked_at_by_many_threads_while_their_run_works_with_them():
    seen = Counter()

    def looks(_):
        for handle in tuple(shown):
            seen[repr(handle).split()[0]] += 1
            hash(handle)
            getattr(handle, "done", None)

    @do
    def program():
        channel = yield CreateChannel(1)
        external = yield CreateExternalPromise()
        for n in range(300):
            receives = yield Spawn(Receive(channel), name=f"receives {n}")
            stuck = yield Spawn(Wait(external.promise))
            shown[:] = [channel, external, external.promise, receives, stuck]
            yield Send(channel, n)
            assert (yield Wait(receives)) == n
            yield Cancel(stuck)

    shown = []
    with helped_by(MANY - 1, looks):
        finished(program())
        while not seen:
            looks(0)
    shown.clear()


def test_collector_runs_in_other_threads_while_tasks_come_and_go():
    @do
    def cycle(n):
        task = yield Spawn(Yield().map(lambda _: [n]))
        value = yield Wait(task)
        value.append((task, value))
        return value[0]

    def program():
        return spawn_all(*[cycle(n) for n in range(100)]).flat_map(lambda tasks: Gather(*tasks))

    # Each turn of the main thread waits for two whole collections: a few rounds are seconds.
    with helped_by(2, lambda _: gc.collect()):
        for _ in range(2):
            assert finished(program()) == list(range(100))


def test_runs_with_tasks_in_many_threads_at_once():
    @do
    def program(i):
        channel = yield CreateChannel()
        tasks = yield spawn_all(*[Send(channel, n) for n in range(50)])
        total = 0
        for _ in range(50):
            total += yield Receive(channel)
        yield Gather(*tasks)
        return i, total

    for _ in range(10):
        assert at_once(MANY, lambda i: finished(program(i))) == [(i, 1225) for i in range(MANY)]


@loops
def test_loops_with_runs_in_many_threads_at_once(loop):
    async def main(i):
        programs = [Await(loop.sleep(0)).map(lambda _, n=n: (i, n)) for n in range(20)]
        program = spawn_all(*programs).flat_map(lambda tasks: Gather(*tasks))
        return (await async_run(program, handlers=[scheduler])).value

    for _ in range(3):
        assert at_once(4, lambda i: loop.run(main, i)) == [[(i, n) for n in range(20)] for i in range(4)]
