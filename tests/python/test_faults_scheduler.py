"""Faults of the scheduler: deadlocks and promises (Q01 to Q05), wrong and forged handles (Q18, Q19).

The other rows are in `test_faults_scheduler_failures.py`, `..._cancel.py` and `..._at_scale.py`.
"""

import copy
import pickle
import threading

import pytest

import segue
from builtins_vocabulary import caught, sequence
from segue import (
    Cancel,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    CurrentTask,
    DeadlockError,
    FailPromise,
    Gather,
    Handle,
    PromiseCompletedError,
    Pure,
    Race,
    Receive,
    Sleep,
    Spawn,
    Wait,
    do,
    run,
)
from tasks_vocabulary import (
    built_in,
    careful,
    frames,
    line_in,
    result,
    schedulers,
    spawn_all,
    stuck,
    value,
)


@do
def waits_for_itself(log):
    task = yield CurrentTask()
    yield careful(Wait(task), log, "root")


@do
def wait_for_each_other(log):
    promises = [(yield CreatePromise()), (yield CreatePromise())]

    @do
    def waits(mine, other):
        yield careful(Wait(promises[other]), log, f"waits{mine}")
        yield CompletePromise(promises[mine], None)

    tasks = yield spawn_all(waits(0, 1), waits(1, 0))
    yield careful(Gather(*tasks), log, "root")


@do
def child_waits_for_its_parent(log):
    task = yield Spawn(careful(Wait((yield CurrentTask())), log, "child"))
    yield careful(Wait(task), log, "root")


@do
def wait_for_what_nobody_completes(log):
    tasks = yield spawn_all(stuck(log, "stuck"), careful(Receive((yield CreateChannel())), log, "receives"))
    yield careful(Wait(tasks[0]), log, "root")


HANGING = {
    waits_for_itself: ["root"],
    wait_for_each_other: ["root", "waits0", "waits1"],
    child_waits_for_its_parent: ["child", "root"],
    wait_for_what_nobody_completes: ["receives", "root", "stuck"],
}


@schedulers
@pytest.mark.parametrize("program", HANGING, ids=lambda program: program.__name__)
def test_q01_deadlock_is_an_error_at_the_wait_of_the_root_and_every_finally_runs(make, program, unraisable):
    log = []
    error = result(make, program(log)).error
    assert isinstance(error, DeadlockError)
    assert frames(error) == [program.__name__, "careful"]
    assert len(error.waiting) == len(HANGING[program])
    for task in error.waiting:
        assert task.name in str(error)
        assert task.what in str(error)
        if make is built_in:  # no public name says where an effect was performed
            assert f"{task.at.file}:{task.at.line}" in str(error)
    assert sorted(log) == HANGING[program]


@schedulers
def test_q01_task_that_waits_for_itself_hangs_no_other(make):
    log = []

    @do
    def waits():
        yield careful(Wait((yield CurrentTask())), log)

    spawns = Spawn(waits(), daemon=True).map(lambda task: None)
    assert value(make, sequence(spawns, Sleep(1), Pure("root"))) == [None, None, "root"]
    assert log == ["cleaned"]


@schedulers
def test_q03_eight_threads_complete_twenty_thousand_promises_each(make):
    """In rounds, so that completions meet tasks that wait, that are about to, and that come too late to wait."""
    rounds, each = (20, 1000) if make is built_in else (4, 250)

    @do
    def one_round():
        batches = []
        for _ in range(8):
            batch = []
            for _ in range(each):
                external = yield CreateExternalPromise()
                batch.append(external)
            batches.append(batch)

        def complete(number, batch):
            for n, external in enumerate(batch):
                external.complete((number, n))

        threads = [threading.Thread(target=complete, args=(number, batch)) for number, batch in enumerate(batches)]
        for thread in threads:
            thread.start()
        got = []
        for batch in batches:
            got.append((yield Gather(*batch[: each // 2])))
            for external in batch[each // 2 :]:
                got[-1].append((yield Wait(external.promise)))
        for thread in threads:
            thread.join()
        return got

    program = sequence(*[one_round()] * rounds)
    for got in run(program, handlers=[make()]).value:
        assert got == [[(number, n) for n in range(each)] for number in range(8)]


def second(complete, *args):
    """What a second completion of an external promise comes to: an error, or `False`."""
    try:
        return complete(*args)
    except PromiseCompletedError:
        return False


@schedulers
def test_q04_second_completion_from_outside_is_told_and_the_first_value_stays(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        external.complete("first")
        told = [second(external.complete, "second"), second(external.fail, ValueError("third"))]
        before = yield Wait(external)
        told.append(second(external.complete, "fourth"))
        return told, before, (yield Wait(external))

    assert value(make, program()) == ([False] * 3, "first", "first")


@schedulers
def test_q04_one_of_many_threads_completes_it(make):
    @do
    def program():
        external = yield CreateExternalPromise()
        won = []
        start = threading.Barrier(8)

        def complete(number):
            start.wait()
            if second(external.complete, number) is not False:
                won.append(number)

        threads = [threading.Thread(target=complete, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        got = yield Wait(external)
        for thread in threads:
            thread.join()
        return won == [got]

    assert all(run(sequence(*[program()] * 20), handlers=[make()]).value)


@schedulers
def test_q04_completion_after_the_run_is_told(make):
    kept = value(make, CreateExternalPromise())
    assert second(kept.complete, 1) is False
    assert second(kept.fail, ValueError()) is False


@schedulers
@pytest.mark.parametrize("first", [lambda p: CompletePromise(p, 1), lambda p: FailPromise(p, KeyError("first"))])
@pytest.mark.parametrize("again", [lambda p: CompletePromise(p, 2), lambda p: FailPromise(p, ValueError("second"))])
def test_q05_second_completion_is_an_error_at_its_yield_and_the_first_stays(make, first, again):
    @do
    def completes(promise):
        yield again(promise)  # here

    @do
    def program():
        promise = yield CreatePromise()
        yield first(promise)
        error = yield caught(completes(promise), PromiseCompletedError)
        return error, str((yield caught(Wait(promise), KeyError)))

    error, outcome = value(make, program())
    assert line_in(error, "completes").endswith("# here")
    assert outcome in ("1", "'first'")


@schedulers
@pytest.mark.parametrize("thing", [None, 3, object(), "task", Pure(1), CurrentTask], ids=lambda x: type(x).__name__)
def test_q18_wait_for_what_is_no_task_is_a_type_error_at_the_line(make, thing):
    @do
    def program():
        yield Pure(1)
        yield Wait(thing)  # here

    error = result(make, program()).error
    assert type(error) is TypeError
    assert frames(error) == ["program"]
    assert line_in(error, "program").endswith("# here")


MAKERS = {
    "Task": lambda: Spawn(Pure(1), daemon=True),
    "Promise": CreatePromise,
    "ExternalPromise": CreateExternalPromise,
    "Semaphore": lambda: CreateSemaphore(1),
    "Lock": CreateLock,
    "Event": CreateEvent,
    "Channel": CreateChannel,
    "Scope": segue.OpenScope,
}


@pytest.mark.parametrize("name", MAKERS)
def test_q19_handles_cannot_be_forged(name):
    """No constructor, no copy, no pickle; an object of a subclass is nothing that the scheduler knows."""

    @do
    def program():
        return (yield MAKERS[name]().map(lambda handle: handle))

    handle = run(program(), handlers=[built_in()]).value
    cls = getattr(segue, name)
    assert type(handle) is cls
    assert issubclass(cls, Handle)
    for forge in (cls, lambda: cls(1), lambda: cls.__new__(cls), lambda: object.__new__(cls)):
        with pytest.raises(TypeError):
            forge()
    for forge in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            forge(handle)
    with pytest.raises(TypeError):
        type("Forged", (cls,), {})


@schedulers
def test_q19_handle_of_somebody_else_is_refused_by_each_effect(make):
    class Mine(Handle):
        pass

    effects = [Wait, Gather, Race, Cancel, segue.Acquire, segue.SetEvent, Receive, segue.CancelScope]
    forged = Mine()
    program = sequence(*(caught(effect(forged), TypeError, segue.SegueError) for effect in effects))
    assert all(isinstance(error, Exception) for error in value(make, program))
