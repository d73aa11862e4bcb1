"""Semantics 7: what becomes of the tasks when the root returns or fails, and when nothing can run."""

from builtins_vocabulary import caught, raises
from segue import (
    Cancel,
    Cancelled,
    Now,
    Pure,
    Put,
    Sleep,
    Spawn,
    Tell,
    Try,
    UnfinishedTaskError,
    Wait,
    do,
    state,
    writer,
)
from tasks_vocabulary import (
    built_in,
    careful,
    frames,
    naps,
    notes,
    result,
    schedulers,
    spawn_all,
    spawn_and_return,
    stuck,
    turns_of_all,
    unobserved,
    value,
)

pytestmark = schedulers


def test_tasks_that_are_left_are_unwound_in_the_order_of_their_spawns_before_the_run_is_over(make):
    log = []
    assert value(make, spawn_and_return(*(stuck(log, n) for n in range(9)))) == "root"
    assert log == list(range(9))


def test_clean_up_at_the_end_may_wait_and_its_effects_are_handled(make):
    @do
    def slow(seconds):
        try:
            yield Sleep(99)
        finally:
            yield Sleep(seconds)
            yield Put("slept", (yield Now()))
            yield Tell(seconds)

    done = result(make, spawn_and_return(slow(3), slow(1), slow(2)), outside=[state, writer])
    assert done.value == "root"
    assert done.raw_store == {"slept": 3.0}
    assert list(done.log) == [1, 2, 3]


def test_task_that_has_not_started_never_starts(make, unraisable):
    log = []
    program = Spawn(notes(log, "ran")).map(lambda _: "root")
    done = result(make, program)
    assert done.value == "root"
    assert log == []
    assert [type(error) for error in unobserved(done)] == [UnfinishedTaskError]


def test_task_that_catches_its_cancellation_at_the_end_runs_to_its_end(make):
    log = []

    @do
    def stubborn():
        try:
            yield Sleep(9)
        except Cancelled:
            yield Sleep(2)
            log.append((yield Now()))

    assert value(make, spawn_and_return(stubborn())) == "root"
    assert log == [2.0]


def test_task_that_is_spawned_while_the_run_ends_is_unwound_too(make, unraisable):
    """Whether it starts or not."""
    started, cleaned = [], []

    @do
    def child():
        started.append("child")
        yield careful(Sleep(50), cleaned, "child")

    @do
    def spawns():
        try:
            yield Sleep(9)
        finally:
            yield Spawn(child(), daemon=True)
            yield Sleep(1)
            cleaned.append("parent")

    assert result(make, spawn_and_return(spawns())).value == "root"
    assert "parent" in cleaned
    assert sorted(cleaned) == sorted(["parent", *started])


def test_clean_up_at_the_end_may_wait_for_another_task(make):
    log = []

    @do
    def waits(task):
        try:
            yield Sleep(99)
        finally:
            log.append(type((yield Try(Wait(task))).error).__name__)

    @do
    def program():
        (task,) = yield spawn_all(careful(stuck(log), log, "slow", seconds=3))
        yield Spawn(waits(task), daemon=True)
        yield turns_of_all(1)
        yield Cancel(task)

    assert value(make, program()) is None
    assert log == ["stuck", "slow", "TaskCancelledError"]


def test_error_of_the_root_is_the_outcome_and_the_tasks_are_unwound(make):
    error, log = ValueError("root"), []

    @do
    def program():
        yield spawn_and_return(stuck(log, "a"), stuck(log, "b"))
        raise error

    done = result(make, program())
    assert done.error is error
    assert frames(error) == ["program"]
    assert log == ["a", "b"]


def test_unfinished_task_is_reported_with_its_name_and_the_place_of_its_spawn(make, unraisable):
    @do
    def spawns():
        yield Spawn(Sleep(9), name="nap")  # here
        yield Spawn(Sleep(9), name="quiet", daemon=True)

    @do
    def program():
        yield spawns()
        yield turns_of_all(1)
        return "root"

    done = result(make, program())
    assert done.value == "root"
    (entry,) = done.unobserved
    assert isinstance(entry.error, UnfinishedTaskError)
    assert "nap" in str(entry.error)
    assert unraisable == [entry.error]
    if make is built_in:  # no public name says where an effect was performed
        assert entry.origin.name.endswith(".spawns")
        assert entry.origin.file == __file__
        assert line_at(entry.origin.line).endswith("# here")


def line_at(number):
    """A line of this file."""
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        return file.read().splitlines()[number - 1]


def test_error_in_the_clean_up_at_the_end_is_unobserved_and_replaces_nothing(make, unraisable):
    error, log = ValueError("late"), []

    @do
    def breaks():
        try:
            yield Sleep(9)
        finally:
            raise error

    done = result(make, spawn_and_return(stuck(log, "a"), breaks(), stuck(log, "b")))
    assert done.value == "root"
    assert unobserved(done) == unraisable == [error]
    assert log == ["a", "b"]


def test_error_that_is_waited_for_later_is_observed(make):
    error = ValueError("x")

    @do
    def program():
        task = yield Spawn(raises(error))
        yield Sleep(9)
        return (yield caught(Wait(task), ValueError))

    assert value(make, program()) is error


def test_value_that_nobody_waits_for_and_a_cancelled_task_are_no_errors(make):
    @do
    def program():
        _, task = yield spawn_all(naps(1), Sleep(9))
        yield Sleep(2)
        yield Cancel(task)
        yield turns_of_all(1)

    assert value(make, program()) is None


def test_root_that_does_not_wait_at_all(make):
    assert value(make, Pure(3)) == 3
    assert value(make, spawn_and_return(after=0)) == "root"
