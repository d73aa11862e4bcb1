"""Semantics 7: events; mistakes with what is to be held or waited for."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    Acquire,
    Cancel,
    ClearEvent,
    CreateEvent,
    CreateLock,
    Gather,
    Release,
    SetEvent,
    Wait,
    do,
    timeout,
)
from tasks_vocabulary import (
    frames,
    schedulers,
    spawn_all,
    timed,
    turns_of_all,
    value,
)

pytestmark = schedulers


def test_event_lets_all_go_on_while_it_is_set(make):
    log = []

    @do
    def waits(event, name):
        log.append((name, (yield Wait(event))))

    @do
    def program():
        event = yield CreateEvent()
        tasks = yield spawn_all(waits(event, "a"), waits(event, "b"))
        yield turns_of_all(1)
        seen = [event.is_set]
        yield SetEvent(event)
        yield SetEvent(event)
        yield ClearEvent(event)  # too late for those who waited
        seen.append(event.is_set)
        yield Gather(*tasks)
        late = yield timed(timeout(1, Wait(event)))
        yield SetEvent(event)
        return seen, late, event.is_set, (yield timed(Wait(event)))

    assert value(make, program()) == ([False, False], (TimeoutError, 1.0), True, (None, 1.0))
    assert log == [("a", None), ("b", None)]


@pytest.mark.parametrize("effect", [Acquire, Release, SetEvent, ClearEvent])
@pytest.mark.parametrize("wrong", [None, 3], ids=repr)
def test_wrong_lock_or_event_is_a_type_error_at_the_yield(make, effect, wrong):
    assert frames(value(make, caught(effect(wrong), TypeError))) == ["caught"]


def test_event_is_no_lock_and_a_lock_nothing_to_wait_for(make):
    @do
    def program():
        event, lock = (yield CreateEvent()), (yield CreateLock())
        wrong = [Acquire(event), Release(event), Wait(lock), SetEvent(lock), Cancel(lock)]
        return (yield sequence(*(caught(effect, TypeError) for effect in wrong)))

    assert [type(error) for error in value(make, program())] == [TypeError] * 5
