"""Programs around tasks: time limits, shields, groups, locks held, channels read to their end (semantics 7).

All of them are written with the effects of a scheduler, whichever it is.
"""

from __future__ import annotations

from segue._do import do
from segue._errors import Cancelled, ChannelClosedError, TaskError
from segue._sync import Acquire, Receive, Release
from segue._tasks import Cancel, CancelScope, CloseScope, OpenScope, Spawn, Wait
from segue._typing import public
from segue._vm import Bracket, FlatMap, Pure, Try, check_program, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from segue._tasks import SpawnEffect, WaitEffect
    from segue._typing import E, R, Runnable, T
    from segue._vm import Channel, DoExpr, Lock, Scope, Semaphore, Task

    X = TypeVar("X", bound=BaseException)


def _as_it_came(error: X) -> X:
    """Give an error the traceback with which it came to the program that caught it."""
    trace = error.__traceback__
    return error.with_traceback(trace and trace.tb_next)


@do
def _timed(seconds: float, program: Any) -> Generator[Any, Any, Any]:
    scope = yield OpenScope(seconds)
    try:
        return (yield program)
    except Cancelled as cancelled:
        if cancelled.scope is not scope:
            raise
        raise TimeoutError(f"the program took longer than {seconds} seconds") from _as_it_came(cancelled)
    finally:
        yield Try(CloseScope(scope))


@public
def timeout(seconds: float, program: Runnable[R, E], /) -> DoExpr[R, E | OpenScope | CloseScope]:
    """Give a program a time limit: past it, it is cancelled, unwound, and a `TimeoutError` is raised here.

    The program runs in the same task. When it catches `Cancelled` and comes to a value all the same, that is the
    result.

    Args:
        seconds: How long, by the clock of the scheduler.
        program: A program or an effect.

    Returns:
        The program with the limit.

    Raises:
        TypeError: `program` is neither a program nor an effect.

    Example:
        >>> from segue import Sleep, VirtualClock, run, scheduler, timeout
        >>> run(timeout(1, Sleep(60)), handlers=[scheduler(clock=VirtualClock())]).error
        TimeoutError('the program took longer than 1 seconds')
    """
    check_program("timeout", program)
    return _timed(seconds, program)


@do
def _shielded(program: Any) -> Generator[Any, Any, Any]:
    scope = yield OpenScope(shield=True)
    try:
        return (yield program)
    finally:
        yield Try(CloseScope(scope))


@public
def shield(program: Runnable[R, E], /) -> DoExpr[R, E | OpenScope | CloseScope]:
    """Keep cancellations from outside off a program: they are raised at the first wait after it.

    Args:
        program: A program or an effect.

    Returns:
        The shielded program.

    Raises:
        TypeError: `program` is neither a program nor an effect.

    Example:
        >>> from segue import Now, Sleep, Try, VirtualClock, do, run, scheduler, shield, timeout
        >>> @do
        ... def program():
        ...     yield shield(Sleep(5))
        ...     return (yield Now())
        >>> run(timeout(1, program()), handlers=[scheduler(clock=VirtualClock())]).value
        5.0
    """
    check_program("shield", program)
    return _shielded(program)


class _Members:
    """What a group and its tasks know of each other."""

    __slots__ = ("ended", "failed", "scope", "tasks")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.tasks: list[Task[Any]] = []
        self.failed: list[Exception] = []
        self.ended = False


@do
def _child(group: _Members, program: Any) -> Generator[Any, Any, Any]:
    try:
        return (yield program)
    except Exception as error:
        group.failed.append(error)
        yield CancelScope(group.scope)
        raise


@do
def _spawn(group: _Members, program: Any, name: str | None, priority: int) -> Generator[Any, Any, Any]:
    if group.ended:
        raise TaskError("this task_group has ended: its body has returned, and all its tasks with it")
    task = yield Spawn(_child(group, program), name=name, priority=priority)
    group.tasks.append(task)
    return task


@public
class TaskGroup:
    """The group of a `task_group`: its body spawns tasks with it. Nobody else makes one.

    Example:
        >>> from segue import Pure, do, run, scheduler, task_group
        >>> @do
        ... def body(group):
        ...     yield group.spawn(Pure(1), name="one")
        >>> run(task_group(body), handlers=[scheduler]).is_ok()
        True
    """

    __slots__ = ("_members",)

    def __init__(self, members: _Members, /) -> None:
        self._members = members

    def spawn(
        self, program: Runnable[T, Any], /, *, name: str | None = None, priority: int = 0
    ) -> DoExpr[Task[T], SpawnEffect]:
        """Start a task in this group.

        Args:
            program: What the task runs: a program or an effect.
            name: What messages call the task.
            priority: Of the tasks that can run, those of the highest number run first.

        Returns:
            A program whose result is the task.

        Raises:
            TypeError: `program` is neither a program nor an effect.
            TaskError: At the yield: the group has ended.
        """
        check_program("group.spawn", program)
        return _spawn(self._members, program, name, priority)

    def cancel(self) -> CancelScope:
        """Cancel the body and all tasks of this group.

        Returns:
            The effect that does it.
        """
        return CancelScope(self._members.scope)

    def __repr__(self) -> str:
        ended = ", ended" if self._members.ended else ""
        return f"<TaskGroup of {len(self._members.tasks)} tasks{ended}>"


@do
def _grouped(body: Any) -> Generator[Any, Any, Any]:
    scope = yield OpenScope()
    group = _Members(scope)
    result, left = None, None
    try:
        result = yield FlatMap(Pure(TaskGroup(group)), body)
    except Exception as error:  # noqa: BLE001 - all failures leave together
        group.failed.append(_as_it_came(error))
    except BaseException as error:  # noqa: BLE001 - the children end first
        left = _as_it_came(error)
    if left is None and not group.failed:
        left = yield _all_end(group)
    if left is not None or group.failed:
        # What cancels the group meanwhile waits until it has ended.
        yield _shielded(_all_unwound(group))
    group.ended = True
    yield Try(CloseScope(scope))
    failed = ExceptionGroup("tasks of a task_group failed", group.failed) if group.failed else None
    if left is not None and not _is_of(left, scope):
        raise left from failed
    if failed is not None:
        raise failed
    return result


def _is_of(left: BaseException, scope: Scope) -> bool:
    return isinstance(left, Cancelled) and left.scope is scope


@do
def _all_end(group: _Members) -> Generator[Any, Any, BaseException | None]:
    """Wait for all children, those that they spawn included; or until one fails, or the group is cancelled."""
    at = 0
    while at < len(group.tasks) and not group.failed:
        try:
            yield Wait(group.tasks[at])
        except Exception as error:  # noqa: BLE001 - the child has written down what it failed with
            _as_it_came(error)
        except BaseException as error:  # noqa: BLE001 - the children end first
            return _as_it_came(error)
        at += 1
    return None


@do
def _all_unwound(group: _Members) -> Generator[Any, Any, None]:
    """Cancel all children, and see them end."""
    at = 0
    while at < len(group.tasks):
        for task in group.tasks[at:]:
            yield Cancel(task)
        for task in group.tasks[at:]:
            at += 1
            try:
                yield Wait(task)
            except Exception as error:  # noqa: BLE001 - the child has written down what it failed with
                _as_it_came(error)


@public
def task_group(body: Callable[[TaskGroup], Runnable[R, E]], /) -> DoExpr[R, E | OpenScope | CloseScope | WaitEffect]:
    """Run a body that spawns tasks, and end when all of them have ended.

    When the body or a task fails, the body and the other tasks are cancelled and unwound; then all failures are raised
    as one `ExceptionGroup`. What cancels the group from outside cancels its tasks.

    Args:
        body: From the group to a program, whose result is that of all.

    Returns:
        The program that does this.

    Raises:
        TypeError: `body` is not callable.

    Example:
        >>> from segue import Sleep, VirtualClock, do, run, scheduler, task_group
        >>> @do
        ... def body(group):
        ...     for n in range(3):
        ...         yield group.spawn(Sleep(n))
        ...     return "all spawned"
        >>> run(task_group(body), handlers=[scheduler(clock=VirtualClock())]).value
        'all spawned'
    """
    if not callable(body):
        raise TypeError(f"task_group takes a function of the group that gives a program, got {safe_repr(body)}")
    return _grouped(body)


@public
def using(lock: Lock | Semaphore, program: Runnable[R, E], /) -> DoExpr[R, E | Acquire | Release]:
    """Run a program with a lock, or a permit of a semaphore, and give it back however the program ends.

    Args:
        lock: The lock or semaphore.
        program: A program or an effect.

    Returns:
        The program that does this.

    Raises:
        TypeError: `program` is neither a program nor an effect.

    Example:
        >>> from segue import CreateLock, Pure, run, scheduler, using
        >>> run(CreateLock().flat_map(lambda lock: using(lock, Pure("held"))), handlers=[scheduler]).value
        'held'
    """
    check_program("using", program)
    return Bracket(Acquire(lock), lambda _: program, lambda _: Release(lock))


@do
def _each(channel: Any, f: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            value = yield Receive(channel)
        except ChannelClosedError:
            return
        yield FlatMap(Pure(value), f)


@public
def for_each(channel: Channel[T], f: Callable[[T], Runnable[Any, E]], /) -> DoExpr[None, E | Receive]:
    """Receive from a channel until it is closed, and run a program for each value.

    Args:
        channel: The channel.
        f: From a value to the program that is run before the next one is received.

    Returns:
        The program that does this.

    Raises:
        TypeError: `f` is not callable.

    Example:
        >>> from segue import CloseChannel, CreateChannel, Send, Tell, do, for_each, run, scheduler, writer
        >>> @do
        ... def program():
        ...     channel = yield CreateChannel(2)
        ...     yield Send(channel, "a")
        ...     yield Send(channel, "b")
        ...     yield CloseChannel(channel)
        ...     yield for_each(channel, Tell)
        >>> list(run(program(), handlers=[writer, scheduler]).log)
        ['a', 'b']
    """
    if not callable(f):
        raise TypeError(f"for_each takes a function of a value that gives a program, got {safe_repr(f)}")
    return _each(channel, f)


_PROGRAMS: tuple[Any, ...] = (_timed, _shielded, _child, _spawn, _grouped, _all_end, _all_unwound, _each)
LIBRARY_CODE = [program.__wrapped__.__code__ for program in _PROGRAMS]
"""The code of the programs here: tracebacks leave it out."""
