"""The effects of tasks, time and scopes, and all that a scheduler answers (semantics 7).

The objects that a scheduler gives out are `Handle`s. The built-in scheduler has its own; one that is written elsewhere
subclasses `Handle`, and an effect on a handle goes to the scheduler that made it.
"""

from __future__ import annotations

from segue._effect import Effect
from segue._sync import (
    Acquire,
    ClearEvent,
    CloseChannel,
    CompletePromise,
    CreateChannel,
    CreateEvent,
    CreateExternalPromise,
    CreateLock,
    CreatePromise,
    CreateSemaphore,
    FailPromise,
    Receive,
    Release,
    Send,
    SetEvent,
)
from segue._typing import Generic, T, public
from segue._vm import safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any, Self, overload

    from segue._typing import Runnable
    from segue._vm import Event, ExternalPromise, Handle, Promise, Scope, Task  # noqa: F401 - one is named in a base


@public
class SpawnEffect(Effect["Any"]):
    """The base of every `Spawn[T]`, by which a handler's type names them all.

    Example:
        >>> from segue import Pure, Spawn, SpawnEffect
        >>> isinstance(Spawn(Pure(1)), SpawnEffect)
        True
    """


@public
class Spawn(SpawnEffect, Generic[T]):
    """Starts a task that runs `program`. Evaluates to the task at once: the spawner goes on, and does not give way.

    The task runs inside the handlers, interceptors and walls that stand between the scheduler and here, each by its
    `fork`, and in a copy of the context variables of here.

    Args:
        program: What the task runs: a program or an effect.
        name: What messages call the task.
        priority: Of the tasks that can run, those of the highest number run first.
        daemon: Whether the program may end while the task runs, without a report.

    Raises:
        TypeError: At the yield: `program` is no program.
        LimitExceeded: At the yield: `limits` allows no more tasks.

    Example:
        >>> from segue import Pure, Spawn, Wait, run, scheduler
        >>> run(Spawn(Pure(3)).flat_map(Wait), handlers=[scheduler]).value
        3
    """

    program: Any
    name: str | None = None
    priority: int = 0
    daemon: bool = False

    if TYPE_CHECKING:

        def __init__(
            self, program: Runnable[T, Any], *, name: str | None = None, priority: int = 0, daemon: bool = False
        ) -> None: ...
        def __iter__(self) -> Generator[Self, Any, Task[T]]: ...


@public
class WaitEffect(Effect["Any"]):
    """The base of every `Wait[T]`, by which a handler's type names them all.

    Example:
        >>> from segue import Handle, Wait, WaitEffect
        >>> isinstance(Wait(Handle()), WaitEffect)
        True
    """


@public
class Wait(WaitEffect, Generic[T]):
    """Waits for a task, a promise or an event. Evaluates to what it comes to; may be repeated.

    Args:
        target: The task, promise, external promise or event.

    Raises:
        Exception: At the yield: what the task or the promise failed with, with its own traceback.
        TaskCancelledError: At the yield: the task was cancelled.
        TypeError: At the yield: `target` is nothing to wait for.

    Example:
        >>> from segue import CreatePromise, CompletePromise, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     promise = yield CreatePromise()
        ...     yield CompletePromise(promise, 5)
        ...     return (yield Wait(promise))
        >>> run(program(), handlers=[scheduler]).value
        5
    """

    target: Any

    if TYPE_CHECKING:

        @overload
        def __init__(self, target: Task[T]) -> None: ...
        @overload
        def __init__(self, target: Promise[T]) -> None: ...
        @overload
        def __init__(self, target: ExternalPromise[T]) -> None: ...
        @overload
        def __init__(self: Wait[None], target: Event) -> None: ...
        @overload
        def __init__(self: Wait[Any], target: Handle) -> None: ...
        def __init__(self, target: Any) -> None: ...
        def __iter__(self) -> Generator[Self, Any, T]: ...


@public
class Gather(Effect["list[Any]"]):
    """Waits for several tasks or promises. Evaluates to the list of their results, in the order of the arguments.

    At the first failure the tasks that did not finish are cancelled and unwound; then that failure is raised, and
    later ones are in its notes. A cancelled `Gather` cancels what it waits for.

    Args:
        *targets: Tasks and promises; none gives `[]`.
        cancel_siblings: Whether a failure cancels the others. If not, it is raised at once and they go on.

    Raises:
        Exception: At the yield: the first failure.
        TaskCancelledError: At the yield: one of the tasks was cancelled.
        TypeError: At the yield: one of the targets is nothing to wait for.

    Example:
        >>> from segue import Gather, Pure, Spawn, do, run, scheduler
        >>> @do
        ... def program():
        ...     tasks = []
        ...     for n in range(3):
        ...         tasks.append((yield Spawn(Pure(n))))
        ...     return (yield Gather(*tasks))
        >>> run(program(), handlers=[scheduler]).value
        [0, 1, 2]
    """

    targets: tuple[Any, ...]
    cancel_siblings: bool = True

    def __new__(cls, *targets: Any, cancel_siblings: bool = True) -> Self:
        """Take the targets as they are given."""
        return Effect.__new__(cls, targets, cancel_siblings)

    if TYPE_CHECKING:

        def __init__(self, *targets: Any, cancel_siblings: bool = True) -> None: ...

    def __reduce__(self) -> tuple[Any, ...]:
        return _gather, (type(self), self.targets, self.cancel_siblings)


def _gather(cls: type[Gather], targets: tuple[Any, ...], cancel_siblings: bool) -> Gather:  # noqa: FBT001 - for pickle
    return cls(*targets, cancel_siblings=cancel_siblings)


@public
class Race(Effect["Any"]):
    """Waits for the first of several tasks or promises to finish. Evaluates to its result, or raises its failure.

    The other tasks are cancelled and unwound first. A cancelled `Race` cancels what it waits for.

    Args:
        *targets: Tasks and promises, at least one.

    Raises:
        Exception: At the yield: what the first one failed with.
        ValueError: At the yield: there is no target.
        TypeError: At the yield: one of the targets is nothing to wait for.

    Example:
        >>> from segue import Pure, Race, Sleep, Spawn, do, run, scheduler
        >>> @do
        ... def program():
        ...     slow = yield Spawn(Sleep(60).map(lambda _: "slow"))
        ...     fast = yield Spawn(Pure("fast"))
        ...     return (yield Race(slow, fast))
        >>> run(program(), handlers=[scheduler]).value
        'fast'
    """

    targets: tuple[Any, ...]

    def __new__(cls, *targets: Any) -> Self:
        """Take the targets as they are given."""
        return Effect.__new__(cls, targets)

    if TYPE_CHECKING:

        def __init__(self, *targets: Any) -> None: ...

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.targets


@public
class Cancel(Effect[None]):
    """Cancels a task: raises `Cancelled` where it waits, once, and goes on at once. Evaluates to `None`.

    A task that finished is left alone, one that has not started never starts, and one that runs is cancelled where it
    waits next.

    Args:
        task: The task.

    Raises:
        TypeError: At the yield: it is no task.

    Example:
        >>> from segue import Cancel, Sleep, Spawn, Try, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     task = yield Spawn(Sleep(60), name="nap")
        ...     yield Cancel(task)
        ...     return (yield Try(Wait(task)))
        >>> run(program(), handlers=[scheduler]).value
        Err(TaskCancelledError("the task 'nap' was cancelled"))
    """

    task: Any


@public
class Yield(Effect[None]):
    """Lets the other tasks that can run have their turn. Evaluates to `None`.

    Example:
        >>> from segue import Yield, run, scheduler
        >>> run(Yield(), handlers=[scheduler]).value
    """


@public
class CurrentTask(Effect["Task[Any]"]):
    """Evaluates to the task that performs it.

    Example:
        >>> from segue import CurrentTask, run, scheduler
        >>> run(CurrentTask().map(lambda task: task.name), handlers=[scheduler]).value
        'root'
    """


@public
class Sleep(Effect[None]):
    """Waits that long, by the clock of the scheduler; 0 gives way once.

    Args:
        seconds: How long.

    Raises:
        ValueError: At the yield: `seconds` is negative, or not a number.

    Example:
        >>> from segue import Now, Sleep, VirtualClock, do, run, scheduler
        >>> @do
        ... def program():
        ...     yield Sleep(3600)
        ...     return (yield Now())
        >>> run(program(), handlers=[scheduler(clock=VirtualClock())]).value
        3600.0
    """

    seconds: float


@public
class Now(Effect[float]):
    """Evaluates to the time of the scheduler's clock, in seconds; it never goes back.

    On the wall clock it is the time since the epoch, as `time.time()` tells it.

    Example:
        >>> from segue import Now, VirtualClock, run, scheduler
        >>> run(Now(), handlers=[scheduler(clock=VirtualClock(start=100))]).value
        100.0
    """


@public
class Deadline(Effect[float]):
    """Evaluates to the time at which the next `timeout` around here is over; infinity when there is none.

    Example:
        >>> from segue import Deadline, VirtualClock, run, scheduler, timeout
        >>> run(timeout(5, Deadline()), handlers=[scheduler(clock=VirtualClock())]).value
        5.0
    """


@public
class OpenScope(Effect["Scope"]):
    """Opens a scope of the task that performs it: a stretch of it that can be cancelled alone. Evaluates to the scope.

    `timeout`, `task_group` and `shield` are made of scopes. When a scope is cancelled, or its time is over, `Cancelled`
    is raised where the task waits; whoever opened it catches the one whose `scope` is this one. A scope that no program
    holds any more is over: nobody can close it.

    Args:
        seconds: When it is cancelled; `None` is never.
        shield: Whether cancellations from outside of it wait until it is closed.

    Raises:
        ValueError: At the yield: `seconds` is negative, or not a number.

    Example:
        >>> from segue import CloseScope, OpenScope, run, scheduler
        >>> run(OpenScope().flat_map(CloseScope), handlers=[scheduler]).value
        False
    """

    seconds: float | None = None
    shield: bool = False


@public
class CloseScope(Effect[bool]):
    """Closes a scope, and those that were opened inside of it. Evaluates to whether it was cancelled, or its time over.

    Args:
        scope: The scope.

    Raises:
        TypeError: At the yield: it is no scope.

    Example:
        >>> from segue import CancelScope, CloseScope, OpenScope, do, run, scheduler
        >>> @do
        ... def program():
        ...     scope = yield OpenScope()
        ...     yield CancelScope(scope)
        ...     return (yield CloseScope(scope))
        >>> run(program(), handlers=[scheduler]).value
        True
    """

    scope: Any


@public
class CancelScope(Effect[None]):
    """Cancels what runs in a scope: `Cancelled` is raised where its task waits, once.

    Args:
        scope: The scope; one that is closed is left alone.

    Raises:
        TypeError: At the yield: it is no scope.

    Example:
        >>> from segue import CancelScope, OpenScope, run, scheduler
        >>> run(OpenScope().flat_map(CancelScope), handlers=[scheduler]).value
    """

    scope: Any


@public
class Await(Effect["Any"]):
    """Awaits an awaitable of Python: a coroutine, a future. Evaluates to what it comes to.

    Under `async_run` the surrounding event loop awaits it, asyncio's or trio's; other tasks go on meanwhile. In a plain
    `run` the handler `await_handler()` owns a loop that does. When the task is cancelled, so is what it awaits; the
    task goes on when that has ended.

    Args:
        awaitable: What has an `__await__`. A coroutine is awaited once.

    Raises:
        BaseException: At the yield: what the awaitable raises.
        TypeError: At the yield: it cannot be awaited.

    Example:
        >>> import asyncio
        >>> from segue import Await, async_run
        >>> async def fetch():
        ...     return "data"
        >>> asyncio.run(async_run(Await(fetch()))).value
        'data'
    """

    awaitable: Any


SCHEDULER_EFFECTS: tuple[type[Effect[Any]], ...] = (
    Spawn,
    Wait,
    Gather,
    Race,
    Cancel,
    Yield,
    CurrentTask,
    CreatePromise,
    CompletePromise,
    FailPromise,
    CreateExternalPromise,
    CreateSemaphore,
    CreateLock,
    Acquire,
    Release,
    CreateEvent,
    SetEvent,
    ClearEvent,
    CreateChannel,
    Send,
    Receive,
    CloseChannel,
    Sleep,
    Now,
    Deadline,
    OpenScope,
    CloseScope,
    CancelScope,
    Await,
)
"""What a scheduler answers, in the order of the clauses of the built-in one."""

_DURATION = "a number of seconds that is not negative"
_WANTED: dict[type[Effect[Any]], tuple[type[Exception], str]] = {
    Spawn: (TypeError, "a program, a name that is a str or None, a whole number of at most 64 bits, and a flag"),
    Wait: (TypeError, "a task, a promise or an event to wait for"),
    Gather: (TypeError, "tasks and promises only: spawn a program first"),
    Race: (TypeError, "tasks and promises only, and at least one: spawn a program first"),
    Cancel: (TypeError, "a task"),
    CompletePromise: (TypeError, "a promise of CreatePromise; one from outside is completed by its complete()"),
    FailPromise: (TypeError, "a promise of CreatePromise, and an exception"),
    CreateSemaphore: (ValueError, "a whole number of permits, from 0"),
    Acquire: (TypeError, "a semaphore or a lock"),
    Release: (TypeError, "a semaphore or a lock"),
    SetEvent: (TypeError, "an event"),
    ClearEvent: (TypeError, "an event"),
    CreateChannel: (ValueError, "a whole number of values, from 0"),
    Send: (TypeError, "a channel"),
    Receive: (TypeError, "a channel"),
    CloseChannel: (TypeError, "a channel"),
    Sleep: (ValueError, _DURATION),
    OpenScope: (ValueError, f"{_DURATION}, or None"),
    CloseScope: (TypeError, "a scope"),
    CancelScope: (TypeError, "a scope"),
}
"""What each effect works on, and what is raised when it is given something else."""


def unfit(effect: Effect[Any]) -> Exception:
    """Make the error for an effect that holds what no scheduler can work on.

    Args:
        effect: One of `SCHEDULER_EFFECTS`, or of a subclass.

    Returns:
        The exception.

    Example:
        >>> from segue import Wait
        >>> from segue._tasks import unfit
        >>> unfit(Wait(3))
        TypeError('Wait takes a task, a promise or an event to wait for, got Wait(target=3)')
    """
    if isinstance(effect, Race) and not effect.targets:
        return ValueError("Race takes at least one task or promise: nothing can be the first of none")
    for known, (error, wanted) in _WANTED.items():
        if isinstance(effect, known):
            return error(f"{known.__name__} takes {wanted}, got {safe_repr(effect)}")
    return TypeError(f"the scheduler cannot work on {safe_repr(effect)}")
