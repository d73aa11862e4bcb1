"""Semantics 7: `Race`. Its fault, Q13, is in `test_faults_scheduler.py`."""

from builtins_vocabulary import caught, sequence
from segue import (
    Cancel,
    CompletePromise,
    CreatePromise,
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
    result,
    schedulers,
    spawn_all,
    stuck,
    unobserved,
    value,
)

pytestmark = schedulers


@do
def race(*programs):
    tasks = yield spawn_all(*programs)
    return (yield Race(*tasks))


def test_first_to_finish_wins_and_the_others_are_unwound_before(make):
    log = []
    program = race(
        careful(naps(9, "slow"), log, "slow", seconds=5),
        naps(1, "fast"),
        careful(stuck(log, "stuck"), log, "last"),
    )

    @do
    def over():
        return (yield program), (yield Now()), log.copy()

    assert value(make, over()) == ("fast", 6.0, ["stuck", "last", "slow"])


def test_failure_of_the_first_to_finish_is_the_outcome(make):
    error, log = ValueError("x"), []

    @do
    def waits(tasks):
        return (yield Race(*tasks))  # here

    @do
    def program():
        tasks = yield spawn_all(stuck(log), fails(error, 1), naps(2))
        return (yield caught(waits(tasks), ValueError)), log.copy()

    assert value(make, program()) == (error, ["stuck"])
    assert frames(error)[-2:] == ["waits", "fails"]
    assert line_in(error, "waits").endswith("# here")


def test_error_of_a_loser_does_not_replace_the_result(make, unraisable):
    second = KeyError("second")

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            raise second

    done = result(make, race(breaks(), naps(1, "fast")))
    assert done.value == "fast"
    assert unobserved(done) == unraisable == [second]


def test_losers_are_cancelled(make):
    @do
    def program():
        tasks = yield spawn_all(naps(9), naps(1, "fast"), naps(8))
        won = yield Race(*tasks)
        return won, (yield sequence(*(Try(Wait(task)) for task in tasks)))

    won, (first, second, third) = value(make, program())
    assert won == second.value == "fast"
    assert [type(first.error), type(third.error)] == [TaskCancelledError] * 2


def test_race_with_one_that_has_finished_and_of_one_and_of_one_twice(make):
    log = []

    @do
    def program():
        (a, b) = yield spawn_all(Pure("a"), stuck(log))
        yield Wait(a)
        (c,) = yield spawn_all(naps(1, "c"))
        return (yield Race(a)), (yield Race(c, c)), (yield Race(b, a)), log.copy()

    assert value(make, program()) == ("a", "c", "a", ["stuck"])


def test_promises_race_with_tasks(make):
    log = []

    @do
    def program():
        promise, stays = (yield CreatePromise()), (yield CreatePromise())
        tasks = yield spawn_all(stuck(log), naps(1).flat_map(lambda _: CompletePromise(promise, "p")))
        won = yield Race(tasks[0], stays, promise)
        before = log.copy()
        yield CompletePromise(stays, 1)
        return won, before, (yield sequence(Wait(stays), Wait(tasks[1])))

    assert value(make, program()) == ("p", ["stuck"], [1, None])


def test_cancelled_race_cancels_what_it_waits_for(make):
    log = []

    @do
    def program():
        tasks = yield spawn_all(stuck(log, "a"), stuck(log, "b"))
        racer = yield Spawn(careful(Race(*tasks), log, "racer"))
        yield Sleep(1)
        yield Cancel(racer)
        return (yield errors_of(racer, *tasks))

    assert value(make, program()) == [TaskCancelledError] * 3
    assert log == ["a", "b", "racer"]
