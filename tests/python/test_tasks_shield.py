"""Semantics 7: `shield` keeps cancellations away from a stretch of a task, until it is over."""

from builtins_vocabulary import caught
from segue import (
    Cancel,
    Now,
    Pure,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    do,
    shield,
    timeout,
)
from tasks_vocabulary import (
    cancelled,
    careful,
    fails,
    naps,
    schedulers,
    timed,
    value,
)

pytestmark = schedulers


def test_shield_gives_the_value_or_the_error(make):
    error = ValueError("x")
    assert value(make, shield(naps(1, "v"))) == "v"
    assert value(make, caught(shield(fails(error, 1)), ValueError)) is error


@do
def shielded(log, seconds=5):
    try:
        log.append((yield shield(careful(naps(seconds, "value"), log, "inside"))))
        yield Sleep(1)
        log.append("never")
    finally:
        log.append("finally")


def test_cancellation_waits_until_the_shield_is_over(make):
    log = []
    program = timed(cancelled(shielded(log)))
    ([outcome], now) = value(make, program)
    assert isinstance(outcome.error, TaskCancelledError)
    assert now == 5.0
    assert log == ["inside", "value", "finally"]


def test_shield_inside_of_a_timeout_ends_first(make):
    log = []
    assert value(make, timed(timeout(2, shielded(log)))) == (TimeoutError, 5.0)
    assert log == ["inside", "value", "finally"]


def test_timeout_inside_of_a_shield_strikes(make):
    inner = shield(caught(timeout(1, Sleep(9)), TimeoutError).map(type))
    assert value(make, timed(inner)) == (TimeoutError, 1.0)


def test_shield_in_a_clean_up_lets_it_end(make):
    """However often the task is cancelled."""
    log = []

    @do
    def body():
        try:
            yield Sleep(9)
        finally:
            yield shield(careful(naps(4), log, "in peace"))

    @do
    def program():
        task = yield Spawn(body())
        for _ in range(3):
            yield Sleep(1)
            yield Cancel(task)
        return type((yield Try(Wait(task))).error), (yield Now())

    assert value(make, program()) == (TaskCancelledError, 5.0)
    assert log == ["in peace"]


def test_shield_of_what_does_not_wait(make):
    assert value(make, timeout(0, shield(Pure(3)))) == 3
