"""Semantics 7: scopes, the stretches of a task of which `timeout`, `shield` and `task_group` are made."""

import math

import pytest

from builtins_vocabulary import caught
from segue import (
    Cancel,
    Cancelled,
    CancelScope,
    CloseScope,
    CurrentTask,
    Deadline,
    Now,
    OpenScope,
    Sleep,
    Spawn,
    Try,
    Wait,
    do,
)
from tasks_vocabulary import errors_of, frames, naps, schedulers, turns_of_all, value

pytestmark = schedulers


@do
def within(scope, program):
    """What a program comes to in a scope that is open: a value, or whose cancellation broke it off."""
    try:
        return (yield program)
    except Cancelled as error:
        return "cancelled" if error.scope is scope else "by somebody else"


def test_scope_that_nobody_cancels_is_closed_quietly(make):
    @do
    def program():
        scope = yield OpenScope()
        got = yield within(scope, naps(1, "v"))
        return got, (yield CloseScope(scope))

    assert value(make, program()) == ("v", False)


def test_cancelled_scope_breaks_off_its_task_where_it_waits_once(make):
    @do
    def program():
        scope = yield OpenScope()
        assert (yield CancelScope(scope)) is None
        first = yield within(scope, Sleep(9))
        second = yield within(scope, Sleep(2).map(lambda _: "slept"))
        return first, second, (yield CloseScope(scope)), (yield Now())

    assert value(make, program()) == ("cancelled", "slept", True, 2.0)


def test_scope_is_cancelled_by_another_task(make):
    @do
    def program():
        scope = yield OpenScope()
        task = yield Spawn(Sleep(3).flat_map(lambda _: CancelScope(scope)))
        got = yield within(scope, Sleep(9))
        return got, (yield Now()), (yield CloseScope(scope)), (yield Wait(task))

    assert value(make, program()) == ("cancelled", 3.0, True, None)


def test_scope_whose_time_is_over_is_cancelled(make):
    @do
    def program():
        scope = yield OpenScope(5)
        deadline = yield Deadline()
        got = yield within(scope, Sleep(9))
        closed = yield CloseScope(scope)
        yield Sleep(100)
        return deadline, got, closed, (yield Deadline())

    assert value(make, program()) == (5.0, "cancelled", True, math.inf)


def test_closed_scope_is_left_alone(make):
    @do
    def program():
        scope = yield OpenScope(5)
        yield CloseScope(scope)
        yield CancelScope(scope)
        yield Sleep(9)
        return (yield Now())

    assert value(make, program()) == 9.0


def test_closing_a_scope_closes_those_inside_of_it(make):
    @do
    def program():
        outer, inner = (yield OpenScope()), (yield OpenScope(5))
        yield CloseScope(outer)
        yield CancelScope(inner)
        yield Sleep(9)
        return (yield Now()), (yield Deadline())

    assert value(make, program()) == (9.0, math.inf)


def test_outermost_of_two_cancelled_scopes_is_the_one_that_is_raised(make):
    @do
    def program():
        outer, inner = (yield OpenScope()), (yield OpenScope())
        yield CancelScope(inner)
        yield CancelScope(outer)
        return (yield within(outer, Sleep(9))), (yield CloseScope(outer))

    assert value(make, program()) == ("cancelled", True)


def test_cancellation_of_the_task_goes_before_that_of_its_scope(make):
    seen = []

    @do
    def body():
        scope, task = (yield OpenScope()), (yield CurrentTask())
        yield CancelScope(scope)
        yield Cancel(task)
        try:
            yield Sleep(9)
        except Cancelled as error:
            seen.append(error.scope is task)
            raise

    @do
    def program():
        task = yield Spawn(body())
        return (yield errors_of(task))

    assert len(value(make, program())) == 1
    assert seen == [True]


def test_scope_of_one_task_says_nothing_to_the_tasks_that_it_spawns(make):
    @do
    def program():
        scope = yield OpenScope(1)
        task = yield Spawn(naps(5, "child"))
        got = yield within(scope, Sleep(9))
        yield CloseScope(scope)
        return got, (yield Wait(task))

    assert value(make, program()) == ("cancelled", "child")


def test_shielded_scope_keeps_off_what_is_outside_and_can_be_cancelled_itself(make):
    @do
    def program():
        outer = yield OpenScope()
        yield CancelScope(outer)
        shield = yield OpenScope(shield=True)
        first = yield within(shield, naps(1, "in peace"))
        hidden = yield Deadline()
        yield CancelScope(shield)
        second = yield within(shield, Sleep(9))
        closed = yield CloseScope(shield)
        third = yield within(outer, Sleep(9))
        return first, hidden, second, closed, third, (yield CloseScope(outer))

    assert value(make, program()) == ("in peace", math.inf, "cancelled", True, "cancelled", True)


def test_scope_of_a_task_that_is_over_is_left_alone(make):
    @do
    def program():
        scopes = []
        task = yield Spawn(OpenScope(1).map(scopes.append))
        yield Wait(task)
        yield CancelScope(scopes[0])
        yield Sleep(2)
        yield turns_of_all(1)
        return "done"

    assert value(make, program()) == "done"


@pytest.mark.parametrize("seconds", [-1, math.nan, "1"])
def test_wrong_time_is_a_value_error_at_the_yield(make, seconds):
    assert frames(value(make, caught(OpenScope(seconds), ValueError))) == ["caught"]


@pytest.mark.parametrize("effect", [CloseScope, CancelScope])
@pytest.mark.parametrize("wrong", [None, 3], ids=repr)
def test_what_is_no_scope_is_a_type_error_at_the_yield(make, effect, wrong):
    assert frames(value(make, caught(effect(wrong), TypeError))) == ["caught"]


def test_task_and_scope_are_not_the_same(make):
    @do
    def program():
        task, scope = (yield CurrentTask()), (yield OpenScope())
        return type((yield Try(CancelScope(task))).error), type((yield Try(Cancel(scope))).error)

    assert value(make, program()) == (TypeError, TypeError)
