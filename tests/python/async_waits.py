"""Where a root can wait when it is cancelled from outside: `everywhere` parametrises a test by `wait`."""

import pytest

from async_vocabulary import (
    forever,
    set_and,
    set_then,
)
from segue import (
    Acquire,
    Await,
    CreateChannel,
    CreateExternalPromise,
    CreateSemaphore,
    Get,
    Pure,
    Receive,
    Sleep,
    Spawn,
    Wait,
    Yield,
    do,
    shield,
    timeout,
)


@do
def spins():
    while True:
        yield Yield()


@do
def gets():
    while True:
        yield Get("n")


@do
def waits_for_task(program):
    task = yield Spawn(program, daemon=True)
    return (yield Wait(task))


def awaiting(loop, ready):
    return Await(set_then(ready, forever(loop)))


WAITS = {
    "Await": awaiting,
    "Sleep": lambda loop, ready: set_and(ready, Sleep(60)),
    "promise": lambda loop, ready: CreateExternalPromise().flat_map(lambda e: set_and(ready, Wait(e))),
    "task": lambda loop, ready: waits_for_task(awaiting(loop, ready)),
    "channel": lambda loop, ready: Spawn(Sleep(60), daemon=True).flat_map(
        lambda _: CreateChannel().flat_map(lambda c: set_and(ready, Receive(c)))
    ),
    "semaphore": lambda loop, ready: Spawn(Sleep(60), daemon=True).flat_map(
        lambda _: CreateSemaphore(0).flat_map(lambda s: set_and(ready, Acquire(s)))
    ),
    "timeout": lambda loop, ready: timeout(60, awaiting(loop, ready)),
    "shield": lambda loop, ready: shield(awaiting(loop, ready)),
    "busy": lambda loop, ready: set_and(ready, spins()),
    "busy without waits": lambda loop, ready: set_and(ready, gets()),
    "busy task": lambda loop, ready: waits_for_task(set_and(ready, spins())),
    "clean-up": lambda loop, ready: cleans(set_and(ready, Sleep(60))),
}
everywhere = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


@do
def cleans(program):
    try:
        yield Pure(None)
        raise ValueError("cleaned up after")
    finally:
        yield program
