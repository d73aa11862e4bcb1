"""Semantics 7: `Gather`. Its faults, Q08, Q09 and Q13, are in `test_faults_scheduler.py`."""

import pytest

from builtins_vocabulary import caught
from segue import (
    Cancel,
    Cancelled,
    CompletePromise,
    CreateExternalPromise,
    CreatePromise,
    FailPromise,
    Gather,
    Now,
    Pure,
    Race,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    do,
)
from tasks_vocabulary import (
    careful,
    errors_of,
    fails,
    frames,
    line_in,
    naps,
    notes_of,
    result,
    schedulers,
    spawn_all,
    stuck,
    turns_of_all,
    unobserved,
    value,
)

pytestmark = schedulers


@do
def gather(*programs, **options):
    """The results of several programs that run at the same time."""
    tasks = yield spawn_all(*programs)
    return (yield Gather(*tasks, **options))


def test_results_are_in_the_order_of_the_arguments(make):
    """Whatever the order in which they finish."""
    program = gather(naps(3, "a"), naps(1, "b"), Pure("c"), naps(2, "d"))
    assert value(make, program.flat_map(lambda got: Now().map(lambda now: (got, now)))) == (["a", "b", "c", "d"], 3.0)


def test_a_thousand_results_are_in_order(make):
    assert value(make, gather(*(naps(n * 37 % 100, n) for n in range(1000)))) == list(range(1000))


def test_target_may_come_twice_and_may_have_finished(make):
    @do
    def program():
        a, b = yield spawn_all(naps(1, "a"), naps(2, "b"))
        yield Wait(a)
        return (yield Gather(a, b, a, b, b)), (yield Gather(b)), (yield Gather(a, a))

    assert value(make, program()) == (["a", "b", "a", "b", "b"], ["b"], ["a", "a"])


def test_promises_are_gathered_among_tasks(make):
    @do
    def program():
        promise, external = (yield CreatePromise()), (yield CreateExternalPromise())
        (task,) = yield spawn_all(CompletePromise(promise, 1).map(lambda _: external.complete(2)))
        return (yield Gather(promise, external, external.promise, promise)), (yield Wait(task))

    assert value(make, program())[0] == [1, 2, 2, 1]


def test_first_failure_is_raised_at_the_gather_with_its_traceback(make):
    error, log = ValueError("x"), []

    @do
    def waits(tasks):
        return (yield Gather(*tasks))  # here

    @do
    def program():
        tasks = yield spawn_all(stuck(log), fails(error, 1), naps(9))
        return (yield caught(waits(tasks), ValueError)), log.copy()

    assert value(make, program()) == (error, ["stuck"])
    assert frames(error)[-2:] == ["waits", "fails"]
    assert line_in(error, "waits").endswith("# here")
    assert notes_of(error) == ""


def test_failure_waits_for_the_clean_up_of_the_others(make):
    log = []
    program = gather(
        careful(stuck(log, "stuck"), log, "slow", seconds=5),
        careful(naps(9), log, "quick"),
        fails(ValueError("x"), 1),
    )

    @do
    def over():
        yield caught(program, ValueError)
        return (yield Now()), log.copy()

    assert value(make, over()) == (6.0, ["stuck", "quick", "slow"])


def test_failure_of_a_task_that_had_failed_is_raised_and_the_others_are_cancelled(make):
    error, log = ValueError("x"), []

    @do
    def program():
        failed, other = yield spawn_all(fails(error), stuck(log))
        yield caught(Wait(failed), ValueError)
        return (yield caught(Gather(other, failed), ValueError)), (yield Try(Wait(other)))

    got, other = value(make, program())
    assert got is error
    assert isinstance(other.error, TaskCancelledError)
    assert log == ["stuck"]


def test_failed_target_that_comes_twice_is_one_failure(make):
    error = ValueError("x")

    @do
    def program():
        (task,) = yield spawn_all(fails(error, 1))
        return (yield caught(Gather(task, task), ValueError))

    assert value(make, program()) is error
    assert notes_of(error) == ""


def test_what_a_sibling_raises_in_its_clean_up_is_a_later_failure(make, unraisable):
    """The first failure is raised; the other one is in its notes, and unobserved."""
    first, second = ValueError("first"), KeyError("second")

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            raise second

    done = result(make, gather(breaks(), fails(first, 1)))
    assert done.error is first
    assert "second" in notes_of(first)
    assert unobserved(done) == [second]
    assert unraisable == [second]


def test_sibling_that_finishes_in_spite_of_its_cancellation_is_no_failure(make):
    error = ValueError("x")

    @do
    def stubborn():
        try:
            yield Sleep(9)
        except Cancelled:
            return "finished"

    @do
    def program():
        tasks = yield spawn_all(stubborn(), fails(error, 1))
        return (yield caught(Gather(*tasks), ValueError)), (yield Wait(tasks[0]))

    assert value(make, program()) == (error, "finished")
    assert notes_of(error) == ""


def test_failure_that_leaves_its_siblings_alone_is_raised_at_once(make):
    log, error = [], ValueError("x")

    @do
    def program():
        tasks = yield spawn_all(careful(naps(5, "a"), log), fails(error, 1))
        got = yield caught(Gather(*tasks, cancel_siblings=False), ValueError)
        return got, (yield Now()), log.copy(), (yield Wait(tasks[0]))

    assert value(make, program()) == (error, 1.0, [], "a")
    assert log == ["cleaned"]


def test_cancelled_target_is_a_failure(make):
    log = []

    @do
    def program():
        tasks = yield spawn_all(stuck(log, "cancelled"), stuck(log, "sibling"))
        yield turns_of_all(1)
        yield Cancel(tasks[0])
        return (yield caught(Gather(*tasks), TaskCancelledError)), log.copy()

    error, seen = value(make, program())
    assert isinstance(error, TaskCancelledError)
    assert "task-1" in str(error)
    assert seen == ["cancelled", "sibling"]


def test_failed_promise_is_a_failure_and_an_open_one_stays_open(make):
    """Only tasks are cancelled."""
    log, error = [], ValueError("x")

    @do
    def program():
        fails_soon, stays = (yield CreatePromise()), (yield CreatePromise())
        task, _ = yield spawn_all(stuck(log), FailPromise(fails_soon, error))
        got = yield caught(Gather(task, stays, fails_soon), ValueError)
        before = log.copy()
        yield CompletePromise(stays, "open")
        return got, before, (yield Wait(stays))

    assert value(make, program()) == (error, ["stuck"], "open")


def test_cancelled_gather_cancels_what_it_waits_for(make):
    """And is unwound after them."""
    log = []

    @do
    def program():
        tasks = yield spawn_all(stuck(log, "a"), naps(1), stuck(log, "b"))
        (gatherer,) = yield spawn_all(careful(Gather(*tasks), log, "gatherer"))
        yield Sleep(2)
        yield Cancel(gatherer)
        return (yield errors_of(gatherer, tasks[0], tasks[2])), (yield Wait(tasks[1]))

    assert value(make, program()) == ([TaskCancelledError] * 3, None)
    assert log == ["a", "b", "gatherer"]


@pytest.mark.parametrize("effect", [Gather, Race])
def test_wrong_target_is_a_type_error_at_the_yield_and_cancels_nothing(make, effect):
    @do
    def program():
        task = yield Spawn(naps(1, "fine"))
        seen = []
        for wrong in (None, 3, Pure(1), object()):
            try:
                yield effect(task, wrong)
            except TypeError as error:
                seen.append(frames(error))
        return seen, (yield Wait(task))

    assert value(make, program()) == ([["program"]] * 4, "fine")
