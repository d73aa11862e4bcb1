"""Semantics 8: programs for others: coroutines of the loop, and code of other threads."""

import asyncio
import threading
from concurrent.futures import CancelledError as FutureCancelledError

import pytest

from segue import (
    Ask,
    Await,
    LimitExceeded,
    Limits,
    Portal,
    Pure,
    RunClosedError,
    Sleep,
    Yield,
    async_run,
    do,
    from_thread,
    open_portal,
    reader,
    run,
    scheduler,
    to_async,
)


@do
def until(done):
    while not done():
        yield Sleep(0.001)


@do
def fails(error):
    yield Yield()
    raise error


def in_a_thread(work):
    """What a program comes to whose portal was given to a thread, and what the thread got."""
    got = []

    def thread(portal):
        try:
            got.append(work(portal))
        except BaseException as error:
            got.append(error)

    @do
    def program():
        portal = yield open_portal()
        worker = threading.Thread(target=thread, args=(portal,))
        worker.start()
        yield until(lambda: got)
        worker.join()

    assert run(program(), handlers=[scheduler, reader], env={"who": "me"}).is_ok()
    return got[0]


def test_thread_gets_what_its_program_comes_to_inside_the_handlers_of_the_portal():
    assert in_a_thread(lambda portal: from_thread.run(portal, Ask("who"))) == "me"


def test_thread_gets_the_error_of_its_program():
    error = ValueError("x")
    assert in_a_thread(lambda portal: from_thread.run(portal, fails(error))) is error


def test_thread_waits_no_longer_than_it_likes():
    assert isinstance(in_a_thread(lambda portal: from_thread.run(portal, Sleep(60), timeout=0.01)), TimeoutError)


def test_portal_takes_programs_only():
    assert isinstance(in_a_thread(lambda portal: portal.start(3)), TypeError)


def test_future_that_is_cancelled_before_its_turn_is_not_begun():
    begun = []

    @do
    def program():
        portal = yield open_portal()
        future = portal.start(Pure(None).map(begun.append))
        assert future.cancel()
        yield Sleep(0.01)
        with pytest.raises(FutureCancelledError):
            future.result()

    assert run(program(), handlers=[scheduler]).is_ok()
    assert begun == []


def test_many_threads_submit_at_once():
    results = []

    def work(portal, number):
        results.extend(from_thread.run(portal, Pure((number, n))) for n in range(50))

    @do
    def program():
        portal = yield open_portal()
        threads = [threading.Thread(target=work, args=(portal, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        yield until(lambda: len(results) == 400)
        for thread in threads:
            thread.join()

    assert run(program(), handlers=[scheduler]).is_ok()
    assert sorted(results) == [(number, n) for number in range(8) for n in range(50)]


def test_portal_of_a_run_that_is_over_refuses():
    portal = run(open_portal(), handlers=[scheduler]).value
    assert repr(portal) == "<Portal closed>"
    with pytest.raises(RunClosedError):
        portal.start(Pure(1))


def test_program_that_the_end_of_the_run_cuts_off_is_told():
    futures = []

    @do
    def program():
        portal = yield open_portal()
        futures.append(portal.start(Sleep(60)))
        yield Sleep(0.01)

    run(program(), handlers=[scheduler])
    assert isinstance(futures[0].exception(), RunClosedError)


@pytest.mark.parametrize("turns", range(4))
def test_program_that_the_run_handed_to_a_task_that_did_not_start_is_told(turns):
    futures = []

    @do
    def program():
        portal = yield open_portal()
        futures.append(portal.start(Pure("in time")))
        for _ in range(turns):
            yield Yield()

    run(program(), handlers=[scheduler])
    error = futures[0].exception(0)
    assert isinstance(error, RunClosedError) if turns < 3 else futures[0].result() == "in time"


def test_programs_for_which_there_may_be_no_task_are_told():
    futures = []

    @do
    def program():
        portal = yield open_portal()
        futures.extend(portal.start(Pure(n)) for n in range(3))
        yield Sleep(60)

    assert isinstance(run(program(), handlers=[scheduler], limits=Limits(tasks=1)).error, LimitExceeded)
    assert [type(future.exception(0)) for future in futures] == [RunClosedError] * 3


def test_coroutine_function_runs_programs_as_tasks_of_the_run():
    @do
    def greet(word):
        return f"{word} " + (yield Ask("who"))

    @do
    def program():
        greeting = yield to_async(greet)
        return (yield Await(asyncio.gather(greeting("hello"), greeting("bye"))))

    done = asyncio.run(async_run(program(), handlers=[scheduler, reader], env={"who": "Ann"}))
    assert done.value == ["hello Ann", "bye Ann"]


def test_error_of_the_program_is_raised_in_the_coroutine():
    error = ValueError("x")

    @do
    def program():
        call = yield to_async(lambda: fails(error))

        async def calls():
            with pytest.raises(ValueError, match="x"):
                await call()
            return "raised"

        return (yield Await(calls()))

    assert asyncio.run(async_run(program(), handlers=[scheduler])).value == "raised"


def test_coroutine_works_under_trio():
    trio = pytest.importorskip("trio")

    @do
    def slow(value):
        yield Sleep(0.001)
        return value

    @do
    def program():
        call = yield to_async(slow)
        return (yield Await(call(3)))

    assert trio.run(lambda: async_run(program(), handlers=[scheduler])).value == 3


def test_nobody_else_makes_what_a_run_would_serve():
    with pytest.raises(TypeError, match="function"):
        to_async(3)
    assert repr(Portal()) == "<Portal open>"
