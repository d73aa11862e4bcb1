"""What `segue` raises. Wrong arguments, yields and roots are plain `TypeError`s (semantics 4)."""

from __future__ import annotations

from segue._typing import public
from segue._vm import safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue._result import TaskInfo


@public
class SegueError(Exception):
    """The base of the errors of this library.

    Example:
        >>> from segue import ContinuationError, SegueError
        >>> issubclass(ContinuationError, SegueError)
        True
    """


@public
class ContinuationError(SegueError):
    """A continuation was used twice, or where it cannot be used.

    It is raised at the yield that used it, and says what became of the continuation (law: semantics 3).

    Example:
        >>> from segue import ContinuationError, Effect, Resume, run
        >>> class Ping(Effect[int]): ...
        >>> def twice(effect, k):
        ...     yield Resume(k, 1)
        ...     yield Resume(k, 2)
        >>> isinstance(run(Ping(), handlers=[twice]).error, ContinuationError)
        True
    """


@public
class UnhandledEffectError(SegueError):
    """No handler in scope accepts the effect. Raised at the perform.

    Attributes:
        effect: The effect that was performed.
        handlers: The names of the handlers in scope, innermost first.

    Example:
        >>> from segue import Get, run
        >>> run(Get("n")).error.effect
        Get(key='n')
    """

    def __init__(self, message: str = "", /, *, effect: object = None, handlers: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.effect = effect
        self.handlers = list(handlers)


@public
class VMStateError(SegueError):
    """A `PyVM` was asked for what it cannot do now: it is running, finished, or waits for nothing.

    Example:
        >>> from segue import PyVM, VMStateError
        >>> try:
        ...     PyVM().step_once()
        ... except VMStateError:
        ...     print("nothing was started")
        nothing was started
    """


@public
class MissingKeyError(SegueError, KeyError):
    """A key that the state or the environment does not hold. A `KeyError`, whose text is the message.

    Attributes:
        key: The key that was asked for.

    Example:
        >>> from segue import Get, run, state
        >>> isinstance(run(Get("n"), handlers=[state({})]).error, KeyError)
        True
    """

    def __init__(self, message: str = "", /, *, key: object = None) -> None:
        super().__init__(message)
        self.key = key

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


@public
class InternalError(SegueError):
    """A bug of the machine itself. Please report it with the program that shows it.

    Example:
        >>> from segue import InternalError, SegueError
        >>> issubclass(InternalError, SegueError)
        True
    """


@public
class CycleError(SegueError):
    """A lazy value asks for itself while it is evaluated.

    Example:
        >>> from segue import Ask, CycleError, lazy, reader, run
        >>> isinstance(run(Ask("a"), handlers=[reader({"a": lazy(Ask("a"))})]).error, CycleError)
        True
    """


@public
class TaskEndedError(SegueError):
    """A clause ended its block inside a fork of its handler, which can only answer.

    Attributes:
        value: What the clause wanted the block to come to.

    Example:
        >>> from segue import TaskEndedError
        >>> TaskEndedError(3).value
        3
    """

    def __init__(self, value: object = None, /) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return (
            f"a clause ended its block with {safe_repr(self.value)} inside a fork of its handler, which can only answer"
        )


@public
class RunClosedError(SegueError):
    """An effect that would wait was performed while its run is being closed.

    Example:
        >>> from segue import RunClosedError, SegueError
        >>> issubclass(RunClosedError, SegueError)
        True
    """


@public
class LimitExceeded(BaseException):
    """A run used more than its `Limits` allow. A `BaseException`, so that no handler swallows it.

    Attributes:
        limit: The name of the limit, as in `Limits`.
        value: What it was set to.

    Example:
        >>> from segue import Limits, Pure, run
        >>> run(Pure(1).map(str).map(int), limits=Limits(steps=1)).is_ok()
        True
    """

    def __init__(self, limit: str = "", value: float | None = None, /) -> None:
        super().__init__(limit, value)
        self.limit = limit
        self.value = value

    def __str__(self) -> str:
        return f"the run's limit of {self.limit}={self.value} is exceeded"


@public
class Discontinued(BaseException):
    """Raised at a perform whose continuation was let go, so that `finally` and `with` blocks run.

    A direct subclass of `BaseException`: `except Exception` does not catch it. Let it pass, as one lets
    `GeneratorExit` pass (law: semantics 3).

    Example:
        >>> from segue import Effect, do, run
        >>> class Stop(Effect[None]): ...
        >>> @do
        ... def careful():
        ...     try:
        ...         yield Stop()
        ...     finally:
        ...         print("cleaned")
        >>> run(careful(), handlers=[lambda effect, k: "stopped"]).value
        cleaned
        'stopped'
    """


@public
class TaskError(SegueError):
    """The base of the errors about tasks and what they wait for.

    Example:
        >>> from segue import TaskCancelledError, TaskError
        >>> issubclass(TaskCancelledError, TaskError)
        True
    """


@public
class TaskCancelledError(TaskError):
    """A task that somebody waits for was cancelled.

    Example:
        >>> from segue import Cancel, Sleep, Spawn, TaskCancelledError, Try, Wait, do, run, scheduler
        >>> @do
        ... def program():
        ...     task = yield Spawn(Sleep(60))
        ...     yield Cancel(task)
        ...     yield Wait(task)
        >>> isinstance(run(program(), handlers=[scheduler]).error, TaskCancelledError)
        True
    """


@public
class DeadlockError(TaskError):
    """No task can go on, and nothing is to come from outside. Raised where the root waits.

    Attributes:
        waiting: Who waits, a `TaskInfo` for each.

    Example:
        >>> from segue import CreatePromise, DeadlockError, Wait, run, scheduler
        >>> error = run(CreatePromise().flat_map(Wait), handlers=[scheduler]).error
        >>> isinstance(error, DeadlockError)
        True
        >>> [task.name for task in error.waiting]
        ['root']
    """

    def __init__(self, waiting: Sequence[TaskInfo] = (), /) -> None:
        super().__init__(waiting)
        self.waiting = list(waiting)

    def __str__(self) -> str:
        lines = ["no task can go on, and nothing is to come from outside:"]
        lines += [f"  {task}" for task in self.waiting[:_SHOWN]]
        if len(self.waiting) > _SHOWN:
            lines.append(f"  … and {len(self.waiting) - _SHOWN} more")
        return "\n".join(lines)


_SHOWN = 20
"""How many of those who wait a message names."""


@public
class UnfinishedTaskError(TaskError):
    """A task was still running when the program ended. It is among the `unobserved` of the result.

    Example:
        >>> from segue import TaskError, UnfinishedTaskError
        >>> issubclass(UnfinishedTaskError, TaskError)
        True
    """


@public
class PromiseCompletedError(TaskError):
    """A promise was completed a second time, or when its run was over.

    Example:
        >>> from segue import CompletePromise, CreatePromise, PromiseCompletedError, do, run, scheduler
        >>> @do
        ... def program():
        ...     promise = yield CreatePromise()
        ...     yield CompletePromise(promise, 1)
        ...     yield CompletePromise(promise, 2)
        >>> isinstance(run(program(), handlers=[scheduler]).error, PromiseCompletedError)
        True
    """


@public
class BrokenPromiseError(TaskError):
    """The completer of an external promise is gone: nobody can complete it any more.

    Example:
        >>> from segue import BrokenPromiseError, CreateExternalPromise, Wait, run, scheduler
        >>> program = CreateExternalPromise().map(lambda external: external.promise).flat_map(Wait)
        >>> isinstance(run(program, handlers=[scheduler]).error, BrokenPromiseError)
        True
    """


@public
class ChannelClosedError(TaskError):
    """A channel is closed: nothing can be sent, or nothing is left to receive.

    Example:
        >>> from segue import ChannelClosedError, CloseChannel, CreateChannel, Send, do, run, scheduler
        >>> @do
        ... def program():
        ...     channel = yield CreateChannel()
        ...     yield CloseChannel(channel)
        ...     yield Send(channel, 1)
        >>> isinstance(run(program(), handlers=[scheduler]).error, ChannelClosedError)
        True
    """


@public
class LockError(TaskError):
    """A lock was taken by the task that holds it, or given back by who does not hold it.

    Example:
        >>> from segue import CreateLock, LockError, Release, run, scheduler
        >>> isinstance(run(CreateLock().flat_map(Release), handlers=[scheduler]).error, LockError)
        True
    """


@public
class Cancelled(BaseException):
    """Raised where a task waits when it, or a scope of it, is cancelled, so that `finally` and `with` blocks run.

    A direct subclass of `BaseException`: `except Exception` does not catch it. Let it pass when the clean-up is done.
    Those who wait for the task get a `TaskCancelledError` (law: semantics 7).

    Attributes:
        scope: The task, or the scope of it, that was cancelled.

    Example:
        >>> from segue import Cancelled
        >>> issubclass(Cancelled, Exception)
        False
    """

    def __init__(self, scope: object = None, /) -> None:
        super().__init__(scope)
        self.scope = scope

    def __str__(self) -> str:
        return f"{safe_repr(self.scope)} is cancelled"
