"""Semantics 7: schedulers inside tasks, and tasks that wait for each other."""

import threading

from segue import (
    Ask,
    BrokenPromiseError,
    Cancel,
    Cancelled,
    CreateEvent,
    CreateExternalPromise,
    CreatePromise,
    CurrentTask,
    Effect,
    Gather,
    Race,
    SetEvent,
    Sleep,
    Spawn,
    TaskCancelledError,
    Try,
    Wait,
    WithHandler,
    Yield,
    do,
    handles,
    lazy,
    reader,
    run,
    scheduler,
    timeout,
)
from segue._vm import vm_live_counts
from tasks_vocabulary import virtual


class Hold(Effect[int]): ...


# Schedulers inside of tasks.


def test_inner_scheduler_that_waits_leaves_the_turn_to_other_tasks():
    completer = []

    @do
    def sibling():
        while not completer:
            yield Yield()
        completer[0].complete(5)

    @do
    def inner():
        completer.append((yield CreateExternalPromise()))
        return (yield Wait(completer[0].promise))

    @do
    def program():
        yield Spawn(sibling(), daemon=True)
        return (yield scheduler(inner()))

    assert run(program(), handlers=[scheduler]).value == 5


def test_cancellation_of_the_outer_scheduler_ends_the_inner_one():
    @do
    def inner(promise):
        yield Spawn(Wait(promise), daemon=True)
        yield Yield()
        yield Sleep(50)
        return "inner result"

    @do
    def program():
        promise = yield CreatePromise()
        outcome = yield Try(timeout(1, virtual()(inner(promise))))
        return type(outcome.error)

    assert run(program(), handlers=[virtual()]).value is TimeoutError


def test_timeout_strikes_an_inner_scheduler_that_waits():
    assert isinstance(run(timeout(0.02, scheduler(Sleep(30))), handlers=[scheduler]).error, TimeoutError)


def test_block_that_is_kept_outside_is_unwound_whole_at_the_end():
    kept, log = [], []

    @handles(Hold)
    def keep(effect, k):
        kept.append(k.keep())
        return "kept"

    @do
    def sleeps():
        try:
            yield Sleep(100)
        finally:
            log.append("unwound")

    @do
    def program():
        yield Spawn(sleeps())
        yield Yield()
        yield Wait((yield Spawn(Hold())))

    done = run(WithHandler(keep, scheduler(program())))
    assert done.value == "kept"
    assert done.unobserved == ()
    assert log == ["unwound"]
    assert set(vm_live_counts().values()) == {0}


# Who waits for whom.


def test_tasks_that_gather_each_other_come_to_the_failure_that_decided():
    tasks = {}

    @do
    def first():
        yield Yield()
        yield Gather(tasks["b"], tasks["c"])

    @do
    def second():
        yield Yield()
        yield Gather(tasks["a"])

    @do
    def fails():
        yield Sleep(1)
        raise ValueError("c")

    @do
    def program():
        for name, body in (("a", first()), ("b", second()), ("c", fails())):
            tasks[name] = yield Spawn(body)
        return (yield Try(Wait(tasks["a"])))

    assert str(run(program(), handlers=[virtual()]).value.error) == "c"


def test_race_with_oneself_is_decided_by_the_other():
    @do
    def races(other):
        me = yield CurrentTask()
        return (yield Race(me, other))

    @do
    def program():
        other = yield Spawn(Sleep(1).map(lambda _: "other"))
        return (yield Try(Wait((yield Spawn(races(other))))))

    run(program(), handlers=[virtual()])
    assert set(vm_live_counts().values()) == {0}


def test_task_that_was_cancelled_before_it_gathers_cancels_what_it_gathers():
    log = []

    @do
    def kid():
        try:
            yield Sleep(9)
        except Cancelled:
            log.append("kid")
            raise

    @do
    def parent(event, kid):
        yield Wait(event)
        yield Gather(kid)

    @do
    def program():
        event = yield CreateEvent()
        child = yield Spawn(kid())
        task = yield Spawn(parent(event, child))
        yield Yield()
        yield SetEvent(event)
        yield Cancel(task)
        return type((yield Try(Wait(task))).error)

    assert run(program(), handlers=[virtual()]).value is TaskCancelledError
    assert log == ["kid"]


def test_who_waits_for_the_root_gets_what_it_came_to():
    got = []

    @do
    def child(root):
        got.append((yield Wait(root)))

    @do
    def program():
        yield Spawn(child((yield CurrentTask())), daemon=True)
        yield Yield()
        return 5

    assert run(program(), handlers=[scheduler]).value == 5
    assert got == [5]


def test_dropped_completer_breaks_the_promise_of_who_waits_for_it():
    error = run(CreateExternalPromise().flat_map(Wait), handlers=[scheduler]).error
    assert isinstance(error, BrokenPromiseError)


def test_task_that_only_yields_hears_what_arrives():
    @do
    def program():
        external = yield CreateExternalPromise()
        task = yield Spawn(Wait(external.promise))
        yield Yield()
        thread = threading.Thread(target=external.complete, args=("v",))
        thread.start()
        while not task.done:
            yield Yield()
        thread.join()
        return (yield Wait(task))

    assert run(program(), handlers=[scheduler]).value == "v"


def test_lazy_value_that_another_task_computes_is_waited_for():
    """Semantics 6: only its own computation is a cycle."""

    @do
    def computes():
        yield Sleep(1)
        return 42

    @do
    def program():
        first, second = (yield Spawn(Ask("n"))), (yield Spawn(Ask("n")))
        return (yield Gather(first, second))

    assert run(program(), handlers=[virtual(), reader({"n": lazy(computes())})]).value == [42, 42]
