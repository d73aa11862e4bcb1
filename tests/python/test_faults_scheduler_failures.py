"""Faults of the scheduler: failures, the end of the root, and turns (Q08 to Q14)."""

import pytest

import segue
from builtins_vocabulary import caught, raises
from segue import (
    CreateChannel,
    CreateSemaphore,
    Gather,
    Race,
    Receive,
    Send,
    Sleep,
    Spawn,
    UnfinishedTaskError,
    Yield,
    do,
    task_group,
)
from tasks_vocabulary import (
    built_in,
    careful,
    fails,
    frames,
    notes_of,
    result,
    schedulers,
    spawn_all,
    stuck,
    turns_of_all,
    unobserved,
    value,
)


@schedulers
def test_q08_siblings_are_unwound_before_gather_raises_and_their_errors_are_not_lost(make, unraisable):
    log, first, late = [], ValueError("first"), KeyError("late")

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            yield Sleep(1)
            log.append("breaks")
            raise late

    @do
    def program():
        tasks = yield spawn_all(stuck(log), fails(first, 1), breaks(), careful(Sleep(9), log, "slow", seconds=3))
        error = yield caught(Gather(*tasks), ValueError)
        return error, log.copy(), [task.done for task in tasks]

    done = result(make, program())
    assert done.value == (first, ["stuck", "breaks", "slow"], [True] * 4)
    assert "late" in notes_of(first)
    assert unobserved(done) == unraisable == [late]


ERRORS = ["first", "second", "third"]


@schedulers
def test_q09_gather_raises_the_first_failure_and_the_others_are_in_its_notes_and_unobserved(make, unraisable):
    errors = [ValueError(text) for text in ERRORS]

    @do
    def breaks(error):
        try:
            yield Sleep(9)
        finally:
            raise error

    @do
    def program():
        tasks = yield spawn_all(breaks(errors[1]), fails(errors[0], 1), breaks(errors[2]))
        yield Gather(*tasks)

    done = result(make, program())
    assert done.error is errors[0]
    assert notes_of(errors[0]).index("second") < notes_of(errors[0]).index("third")
    assert "first" not in notes_of(errors[0])
    assert unobserved(done) == unraisable == errors[1:]


@schedulers
def test_q09_first_failure_is_the_one_that_happened_first(make, unraisable):
    early, late = ValueError("early"), KeyError("late")

    @do
    def program():
        tasks = yield spawn_all(fails(late, 2), fails(early, 1))
        yield Sleep(5)
        yield Gather(*tasks)

    done = result(make, program())
    assert done.error is early
    assert "late" in notes_of(early)
    assert unobserved(done) == unraisable == [late]


@schedulers
def test_q09_task_group_raises_all_three(make):
    errors = [ValueError(text) for text in ERRORS]

    @do
    def body(group):
        for error in errors:
            yield group.spawn(raises(error))

    done = result(make, task_group(body))
    assert type(done.error) is ExceptionGroup
    assert sorted(map(id, done.error.exceptions)) == sorted(map(id, errors))
    assert not done.unobserved


@schedulers
def test_q10_failure_that_nobody_waits_for_is_unobserved_with_the_place_of_its_spawn(make, unraisable):
    errors = [ValueError("a"), KeyError("b")]

    @do
    def spawns(error):
        return (yield Spawn(raises(error), name="broken"))

    @do
    def program():
        for error in errors:
            yield spawns(error)
        yield turns_of_all(2)
        return "root"

    done = result(make, program())
    assert done.value == "root"
    assert unobserved(done) == errors
    if make is built_in:  # no public name says where an effect was performed
        assert {entry.origin.name.rpartition(".")[2] for entry in done.unobserved} == {"spawns"}
        assert {entry.origin.file for entry in done.unobserved} == {__file__}
    assert [frames(entry.error) for entry in done.unobserved] == [["raises"]] * 2
    assert unraisable == errors


@schedulers
def test_q11_tasks_that_live_when_the_root_returns_are_unwound_in_the_order_of_their_spawns(make, unraisable):
    log = []

    @do
    def program():
        for n in range(6):
            yield Spawn(careful(stuck([]), log, n), daemon=n % 2 == 0, priority=n % 3, name=f"task {n}")
        yield Sleep(1)
        return "root"

    done = result(make, program())
    assert done.value == "root"
    assert log == list(range(6))
    assert all(isinstance(error, UnfinishedTaskError) for error in unobserved(done))
    told = "\n".join(str(error) for error in unobserved(done))
    assert [f"task {n}" in told for n in range(6)] == [n % 2 == 1 for n in range(6)]
    assert unraisable == unobserved(done)


@schedulers
def test_q13_gather_of_nothing_is_an_empty_list_and_race_of_nothing_a_value_error_at_its_yield(make):
    assert value(make, Gather()) == []
    assert value(make, Gather(cancel_siblings=False)) == []
    assert frames(value(make, caught(Race(), ValueError))) == ["caught"]


@schedulers
@pytest.mark.parametrize("kind", ["yield", "channel", "semaphore"])
def test_q14_two_that_play_ping_pong_have_as_many_turns(make, kind):
    counts = [0, 0]

    @do
    def plays(me, channels):
        while True:
            counts[me] += 1
            if kind == "yield":
                yield Yield()
            elif kind == "channel":
                yield Send(channels[me], me)
                yield Receive(channels[1 - me])
            else:
                yield segue.using(channels[2], Yield())

    @do
    def program():
        channels = [(yield CreateChannel(1)), (yield CreateChannel(1)), (yield CreateSemaphore(1))]
        for me in (0, 1):
            yield Spawn(plays(me, channels), daemon=True)
        yield turns_of_all(3000)

    assert value(make, program()) is None
    assert min(counts) > 500
    assert abs(counts[0] - counts[1]) <= min(counts) / 100
