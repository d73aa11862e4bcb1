"""Semantics 7: promises complete once. Their fault, Q05, is in `test_faults_scheduler.py`."""

import pytest

from builtins_vocabulary import caught, sequence
from segue import (
    CompletePromise,
    CreateExternalPromise,
    CreatePromise,
    FailPromise,
    Gather,
    Pure,
    Spawn,
    Wait,
    do,
)
from tasks_vocabulary import (
    frames,
    line_in,
    schedulers,
    spawn_all,
    turns_of_all,
    value,
)

pytestmark = schedulers


@do
def noted(promise, log, name):
    log.append((name, (yield Wait(promise))))


def test_promise_that_is_complete_is_waited_for_again_and_again(make):
    thing = object()

    @do
    def program():
        promise = yield CreatePromise()
        before = promise.done
        got = yield CompletePromise(promise, thing)
        return before, promise.done, got, [(yield Wait(promise)) is thing, (yield Wait(promise)) is thing]

    assert value(make, program()) == (False, True, None, [True, True])


def test_all_who_wait_go_on_in_their_order(make):
    log = []

    @do
    def program():
        promise = yield CreatePromise()
        tasks = yield spawn_all(*(noted(promise, log, name) for name in "abc"))
        yield turns_of_all(1)
        yield CompletePromise(promise, 1)
        log.append("completed")
        yield Gather(*tasks)

    assert value(make, program()) is None
    assert log == ["completed", ("a", 1), ("b", 1), ("c", 1)]


def test_program_or_exception_as_a_value_is_a_value(make):
    things = [Pure(1), ValueError("a value"), None]

    @do
    def program(thing):
        promise = yield CreatePromise()
        yield CompletePromise(promise, thing)
        return (yield Wait(promise))

    assert all(value(make, program(thing)) is thing for thing in things)


def test_failed_promise_raises_the_same_error_with_the_same_traceback_each_time(make):
    error, seen = ValueError("x"), []

    @do
    def program():
        promise = yield CreatePromise()
        yield FailPromise(promise, error)
        for _ in range(4):
            try:
                yield Wait(promise)  # here
            except ValueError as e:
                seen.append((e is error, frames(e), line_in(e, "program")))

    assert value(make, program()) is None
    assert seen == [(True, ["program"], "yield Wait(promise)  # here")] * 4


def test_failed_promise_that_nobody_waits_for_is_not_unobserved(make):
    """Nothing of the program failed."""
    program = CreatePromise().flat_map(lambda promise: FailPromise(promise, ValueError("x")))
    assert value(make, program) is None


@pytest.mark.parametrize("wrong", [None, 3, "promise"], ids=repr)
def test_completing_what_is_no_promise_is_a_type_error_at_the_yield(make, wrong):
    program = sequence(
        caught(CompletePromise(wrong, 1), TypeError), caught(FailPromise(wrong, ValueError()), TypeError)
    )
    assert [frames(error) for error in value(make, program)] == [["caught"]] * 2


def test_tasks_and_external_promises_are_not_completed_by_effects(make):
    @do
    def program():
        task = yield Spawn(Pure(1))
        external = yield CreateExternalPromise()
        things = [task, external, external.promise]
        wrong = yield sequence(*(caught(CompletePromise(thing, 2), TypeError) for thing in things))
        external.complete(3)
        return list(map(type, wrong)), (yield Wait(task)), (yield Wait(external))

    assert value(make, program()) == ([TypeError] * 3, 1, 3)


def test_failing_with_what_is_no_exception_is_a_type_error_and_completes_nothing(make):
    @do
    def program():
        promise = yield CreatePromise()
        error = yield caught(FailPromise(promise, "no exception"), TypeError)
        yield CompletePromise(promise, 1)
        return type(error), (yield Wait(promise))

    assert value(make, program()) == (TypeError, 1)


def test_promise_passes_values_from_one_task_to_another_and_back(make):
    @do
    def answers(question, answer):
        yield CompletePromise(answer, (yield Wait(question)) * 2)

    @do
    def program():
        question, answer = (yield CreatePromise()), (yield CreatePromise())
        task = yield Spawn(answers(question, answer))
        yield turns_of_all(2)
        yield CompletePromise(question, 21)
        return (yield Wait(answer)), (yield Wait(task))

    assert value(make, program()) == (42, None)
