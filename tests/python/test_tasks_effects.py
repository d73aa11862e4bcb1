"""Each effect of tasks reaches its own clause: the list in Python and the clauses of the machine agree in their order.

Each program says what only that clause can have done.
"""

import ast
import math
from pathlib import Path

import pytest

import segue
from async_vocabulary import loops
from segue import (
    Acquire,
    Await,
    Cancel,
    Cancelled,
    CancelScope,
    Channel,
    ChannelClosedError,
    ClearEvent,
    CloseChannel,
    CloseScope,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    CurrentTask,
    Deadline,
    Event,
    ExternalPromise,
    FailPromise,
    Gather,
    Lock,
    Now,
    OpenScope,
    Promise,
    Race,
    Receive,
    Release,
    Scope,
    Semaphore,
    Send,
    SetEvent,
    Sleep,
    Spawn,
    Task,
    TaskCancelledError,
    Try,
    VirtualClock,
    Wait,
    Yield,
    async_run,
    do,
    run,
    scheduler,
    timeout,
)
from segue._tasks import SCHEDULER_EFFECTS
from tasks_vocabulary import naps, notes, spawn_all, stuck

PROGRAMS = {}


def reaches(effect):
    """Decorates the program that shows that an effect reached its clause, and fails if it did not."""

    def noted(function):
        PROGRAMS[effect] = do(function)
        return function

    return noted


@reaches(Spawn)
def spawn():
    task = yield Spawn(notes([]), name="child", daemon=True)
    assert (type(task), task.name, task.done) == (Task, "child", False)


@reaches(Wait)
def wait():
    (task,) = yield spawn_all(naps(1, "value"))
    assert (yield Wait(task)) == "value"


@reaches(Gather)
def gather():
    assert (yield Gather(*(yield spawn_all(naps(2, "a"), naps(1, "b"))))) == ["a", "b"]


@reaches(Race)
def race():
    assert (yield Race(*(yield spawn_all(naps(2, "a"), naps(1, "b"))))) == "b"


@reaches(Cancel)
def cancel():
    (task,) = yield spawn_all(naps(60))
    yield Cancel(task)
    assert isinstance((yield Try(Wait(task))).error, TaskCancelledError)


@reaches(Yield)
def give_way():
    log = []
    yield spawn_all(notes(log, "child"))
    log.append("root")
    yield Yield()
    assert (log, (yield Now())) == (["root", "child"], 0.0)


@reaches(CurrentTask)
def current_task():
    task = yield CurrentTask()
    assert (type(task), task.name) == (Task, "root")


@reaches(CreatePromise)
def create_promise():
    assert type((yield CreatePromise())) is Promise


@reaches(CompletePromise)
def complete_promise():
    promise = yield CreatePromise()
    yield CompletePromise(promise, "value")
    assert (yield Wait(promise)) == "value"


@reaches(FailPromise)
def fail_promise():
    promise, error = (yield CreatePromise()), KeyError("x")
    yield FailPromise(promise, error)
    assert (yield Try(Wait(promise))).error is error


@reaches(CreateExternalPromise)
def create_external_promise():
    completer = yield CreateExternalPromise()
    assert type(completer) is ExternalPromise
    completer.complete("value")
    assert (yield Wait(completer)) == "value"


@reaches(CreateSemaphore)
def create_semaphore():
    semaphore = yield CreateSemaphore(3)
    assert (type(semaphore), semaphore.permits) == (Semaphore, 3)


@reaches(CreateLock)
def create_lock():
    assert type((yield CreateLock())) is Lock


@reaches(Acquire)
def acquire():
    semaphore = yield CreateSemaphore(3)
    yield Acquire(semaphore)
    assert semaphore.permits == 2


@reaches(Release)
def release():
    semaphore = yield CreateSemaphore(3)
    yield Acquire(semaphore)
    yield Release(semaphore)
    assert semaphore.permits == 3


@reaches(CreateEvent)
def create_event():
    assert type((yield CreateEvent())) is Event


@reaches(SetEvent)
def set_event():
    event = yield CreateEvent()
    yield SetEvent(event)
    yield timeout(1, Wait(event))


@reaches(ClearEvent)
def clear_event():
    event = yield CreateEvent()
    yield SetEvent(event)
    yield ClearEvent(event)
    assert isinstance((yield Try(timeout(1, Wait(event)))).error, TimeoutError)


@reaches(CreateChannel)
def create_channel():
    assert type((yield CreateChannel(2))) is Channel


@reaches(Send)
def send():
    channel = yield CreateChannel(1)
    yield Send(channel, "value")
    assert isinstance((yield Try(timeout(1, Send(channel, "more")))).error, TimeoutError)


@reaches(Receive)
def receive():
    channel = yield CreateChannel(2)
    yield Send(channel, "first")
    yield Send(channel, "second")
    assert ((yield Receive(channel)), (yield Receive(channel))) == ("first", "second")


@reaches(CloseChannel)
def close_channel():
    channel = yield CreateChannel(1)
    yield CloseChannel(channel)
    assert isinstance((yield Try(Receive(channel))).error, ChannelClosedError)


@reaches(Sleep)
def sleep():
    yield Sleep(3)
    assert (yield Now()) == 3.0


@reaches(Now)
def now():
    assert (yield Now()) == 0.0
    yield naps(2)
    assert (yield Now()) == 2.0


@reaches(Deadline)
def deadline():
    yield naps(2)
    assert ((yield Deadline()), (yield timeout(3, Deadline()))) == (math.inf, 5.0)


@reaches(OpenScope)
def open_scope():
    scope = yield OpenScope(1)
    with pytest.raises(Cancelled) as cancelled:
        yield naps(60)
    assert (type(scope), cancelled.value.scope, (yield Now())) == (Scope, scope, 1.0)


@reaches(CloseScope)
def close_scope():
    scope = yield OpenScope(1)
    assert (yield CloseScope(scope)) is False
    yield naps(60)


@reaches(CancelScope)
def cancel_scope():
    scope = yield OpenScope()
    yield CancelScope(scope)
    with pytest.raises(Cancelled):
        yield stuck([])
    assert (yield CloseScope(scope)) is True


@pytest.mark.parametrize("effect", PROGRAMS, ids=lambda effect: effect.__name__)
def test_effect_reaches_its_clause(effect):
    assert run(PROGRAMS[effect](), handlers=[scheduler(clock=VirtualClock())]).value is None


@loops
def test_await_reaches_its_clause(loop):
    """Without the scheduler's the awaits of two tasks would not be side by side."""

    @do
    def program():
        event = loop.event()
        waits = yield Spawn(Await(event.wait()).map(lambda _: "woken"))
        yield Spawn(Yield().flat_map(lambda _: Await(loop.sleep(0))).map(lambda _: event.set()))
        return (yield Wait(waits))

    async def main():
        return await async_run(program(), handlers=[scheduler])

    assert loop.run(main).value == "woken"


def test_there_is_a_program_for_each_effect():
    assert {*PROGRAMS, Await} == set(SCHEDULER_EFFECTS)
    assert len(SCHEDULER_EFFECTS) == len(set(SCHEDULER_EFFECTS))


def test_type_of_the_scheduler_names_the_same_effects():
    """All but `Await`, which the scheduler hands on to a loop: without one it is unhandled, and the type says so."""
    source = Path(segue.__file__).with_name("_scheduler.py").read_text()
    (union,) = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SchedulerEffect"
    ]
    members = [getattr(segue, node.id) for node in ast.walk(union) if isinstance(node, ast.Name)]
    effects = [effect for effect in SCHEDULER_EFFECTS if effect is not Await]
    assert len(members) == len(effects)
    for effect in effects:
        assert sum(issubclass(effect, member) for member in members) == 1, effect
