"""The effects by which tasks hand things over: promises, semaphores, locks, events and channels (semantics 7)."""

from __future__ import annotations

from segue._effect import Effect
from segue._typing import public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from segue._vm import Channel, Event, ExternalPromise, Lock, Promise, Semaphore  # noqa: F401 - named in the bases


@public
class CreatePromise(Effect["Promise[Any]"]):
    """Evaluates to a new promise: something to wait for that another task completes.

    Raises:
        LimitExceeded: At the yield: `limits` allows no more promises.

    Example:
        >>> from segue import CreatePromise, run, scheduler
        >>> run(CreatePromise().map(lambda promise: promise.done), handlers=[scheduler]).value
        False
    """


@public
class CompletePromise(Effect[None]):
    """Completes a promise: those who wait for it go on with `value`. Evaluates to `None`.

    Args:
        promise: The promise.
        value: What it comes to.

    Raises:
        PromiseCompletedError: At the yield: it was completed already.
        TypeError: At the yield: it is no promise.

    Example:
        >>> from segue import CompletePromise, CreatePromise, run, scheduler
        >>> run(CreatePromise().flat_map(lambda p: CompletePromise(p, 1)), handlers=[scheduler]).value
    """

    promise: Any
    value: Any


@public
class FailPromise(Effect[None]):
    """Fails a promise: `error` is raised at those who wait for it. Evaluates to `None`.

    Args:
        promise: The promise.
        error: An exception.

    Raises:
        PromiseCompletedError: At the yield: it was completed already.
        TypeError: At the yield: it is no promise, or `error` is no exception.

    Example:
        >>> from segue import CreatePromise, FailPromise, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     promise = yield CreatePromise()
        ...     yield FailPromise(promise, ValueError("no"))
        ...     yield Wait(promise)
        >>> run(program(), handlers=[scheduler]).error
        ValueError('no')
    """

    promise: Any
    error: Any


@public
class CreateExternalPromise(Effect["ExternalPromise[Any]"]):
    """Evaluates to a promise that is completed from outside of the run: from a thread, a callback, a signal handler.

    `external.complete(value)` and `external.fail(exc)` are plain calls. When nobody holds the completer any more, those
    who wait for `external.promise` get a `BrokenPromiseError`.

    Raises:
        LimitExceeded: At the yield: `limits` allows no more promises.

    Example:
        >>> import threading
        >>> from segue import CreateExternalPromise, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     external = yield CreateExternalPromise()
        ...     threading.Thread(target=external.complete, args=("from a thread",)).start()
        ...     return (yield Wait(external))
        >>> run(program(), handlers=[scheduler]).value
        'from a thread'
    """


@public
class CreateSemaphore(Effect["Semaphore"]):
    """Evaluates to a new semaphore.

    Args:
        permits: How many may hold it at a time.

    Raises:
        ValueError: At the yield: `permits` is no whole number from 0.

    Example:
        >>> from segue import Acquire, CreateSemaphore, run, scheduler
        >>> run(CreateSemaphore(1).flat_map(Acquire), handlers=[scheduler]).value
    """

    permits: int


@public
class CreateLock(Effect["Lock"]):
    """Evaluates to a new lock, which one task holds at a time; only that one releases it.

    Example:
        >>> from segue import Acquire, CreateLock, run, scheduler
        >>> run(CreateLock().flat_map(Acquire), handlers=[scheduler]).value
    """


@public
class Acquire(Effect[None]):
    """Takes a permit of a semaphore or a lock, and waits until there is one: first come, first served.

    Args:
        lock: The semaphore or lock.

    Raises:
        LockError: At the yield: this task holds the lock already.
        TypeError: At the yield: it is neither.

    Example:
        >>> from segue import Acquire, CreateLock, Release, do, run, scheduler
        >>> @do
        ... def program():
        ...     lock = yield CreateLock()
        ...     yield Acquire(lock)
        ...     yield Release(lock)
        >>> run(program(), handlers=[scheduler]).is_ok()
        True
    """

    lock: Any


@public
class Release(Effect[None]):
    """Gives a permit of a semaphore or a lock back: to the one who waits for it longest.

    Args:
        lock: The semaphore or lock.

    Raises:
        LockError: At the yield: this task does not hold the lock, or all permits are there already.
        TypeError: At the yield: it is neither.

    Example:
        >>> from segue import CreateLock, LockError, Release, run, scheduler
        >>> isinstance(run(CreateLock().flat_map(Release), handlers=[scheduler]).error, LockError)
        True
    """

    lock: Any


@public
class CreateEvent(Effect["Event"]):
    """Evaluates to a new event, which is not set: tasks `Wait` for it until somebody sets it.

    Example:
        >>> from segue import CreateEvent, SetEvent, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     event = yield CreateEvent()
        ...     yield SetEvent(event)
        ...     yield Wait(event)
        ...     return event.is_set
        >>> run(program(), handlers=[scheduler]).value
        True
    """


@public
class SetEvent(Effect[None]):
    """Sets an event: all who wait for it go on.

    Args:
        event: The event.

    Raises:
        TypeError: At the yield: it is no event.

    Example:
        >>> from segue import CreateEvent, SetEvent, run, scheduler
        >>> run(CreateEvent().flat_map(SetEvent), handlers=[scheduler]).value
    """

    event: Any


@public
class ClearEvent(Effect[None]):
    """Clears an event: who waits for it from now on waits until it is set again.

    Args:
        event: The event.

    Raises:
        TypeError: At the yield: it is no event.

    Example:
        >>> from segue import ClearEvent, CreateEvent, run, scheduler
        >>> run(CreateEvent().flat_map(ClearEvent), handlers=[scheduler]).value
    """

    event: Any


@public
class CreateChannel(Effect["Channel[Any]"]):
    """Evaluates to a new channel: tasks send values into it, and others receive them in that order.

    Args:
        capacity: How many values it holds that nobody received; a sender beyond waits. With 0 sender and receiver meet.

    Raises:
        ValueError: At the yield: `capacity` is no whole number from 0.

    Example:
        >>> from segue import CreateChannel, Receive, Send, do, run, scheduler
        >>> @do
        ... def program():
        ...     channel = yield CreateChannel(1)
        ...     yield Send(channel, "hello")
        ...     return (yield Receive(channel))
        >>> run(program(), handlers=[scheduler]).value
        'hello'
    """

    capacity: int = 0


@public
class Send(Effect[None]):
    """Puts a value into a channel, and waits while it is full.

    Args:
        channel: The channel.
        value: Any value.

    Raises:
        ChannelClosedError: At the yield: the channel is closed.
        TypeError: At the yield: it is no channel.

    Example:
        >>> from segue import CreateChannel, Send, run, scheduler
        >>> run(CreateChannel(1).flat_map(lambda c: Send(c, 1)), handlers=[scheduler]).value
    """

    channel: Any
    value: Any


@public
class Receive(Effect["Any"]):
    """Evaluates to the next value of a channel, and waits while there is none.

    Args:
        channel: The channel.

    Raises:
        ChannelClosedError: At the yield: the channel is closed, and all that was sent is received.
        TypeError: At the yield: it is no channel.

    Example:
        >>> from segue import ChannelClosedError, CloseChannel, CreateChannel, Receive, do, run, scheduler
        >>> @do
        ... def program():
        ...     channel = yield CreateChannel()
        ...     yield CloseChannel(channel)
        ...     yield Receive(channel)
        >>> isinstance(run(program(), handlers=[scheduler]).error, ChannelClosedError)
        True
    """

    channel: Any


@public
class CloseChannel(Effect[None]):
    """Closes a channel: nothing is sent any more, and who receives gets what is left, then a `ChannelClosedError`.

    Senders that wait get the error at once. Closing twice is fine.

    Args:
        channel: The channel.

    Raises:
        TypeError: At the yield: it is no channel.

    Example:
        >>> from segue import CloseChannel, CreateChannel, run, scheduler
        >>> run(CreateChannel().flat_map(CloseChannel), handlers=[scheduler]).value
    """

    channel: Any
