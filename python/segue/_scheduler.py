"""The built-in scheduler as a handler, and its clock (semantics 7)."""

from __future__ import annotations

from segue._builtin import native_table, reader, state, writer
from segue._effect import answered_by
from segue._handler import Handler
from segue._tasks import SCHEDULER_EFFECTS
from segue._typing import H, R, public
from segue._vm import DoExpr, EffectBase, WithHandler, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never, overload

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
    from segue._tasks import (
        Cancel,
        CancelScope,
        CloseScope,
        CurrentTask,
        Deadline,
        Gather,
        Now,
        OpenScope,
        Race,
        Sleep,
        SpawnEffect,
        WaitEffect,
        Yield,
    )
    from segue._typing import Rest, Runnable

    SchedulerEffect = (
        SpawnEffect
        | WaitEffect
        | Gather
        | Race
        | Cancel
        | Yield
        | CurrentTask
        | CreatePromise
        | CompletePromise
        | FailPromise
        | CreateExternalPromise
        | CreateSemaphore
        | CreateLock
        | Acquire
        | Release
        | CreateEvent
        | SetEvent
        | ClearEvent
        | CreateChannel
        | Send
        | Receive
        | CloseChannel
        | Sleep
        | Now
        | Deadline
        | OpenScope
        | CloseScope
        | CancelScope
    )


_TABLE = native_table("scheduler", SCHEDULER_EFFECTS)


@public
class VirtualClock:
    """A clock for tests: when no task can run it jumps to the next time that somebody waits for.

    While something is to come from outside of the run, it stands still.

    Args:
        start: What it shows when the scheduler begins, in seconds.

    Raises:
        TypeError: `start` is no number.

    Example:
        >>> from segue import Sleep, VirtualClock, run, scheduler
        >>> run(Sleep(3600), handlers=[scheduler(clock=VirtualClock())]).is_ok()
        True
    """

    __slots__ = ("start",)

    start: float

    def __init__(self, start: float = 0.0) -> None:
        self.start = _seconds(start)

    def __repr__(self) -> str:
        return f"VirtualClock(start={self.start!r})"


@public
class SchedulerHandler(Handler[H]):
    """The handler `scheduler`: tasks, promises, locks, channels and time, for all programs inside of it.

    It stands in a list of handlers as it is, or called with settings. Handlers outside of it are shared by all tasks;
    those inside reach a task by their `fork`. When the root returns, the tasks that still run are cancelled and
    unwound (law: semantics 7).

    Attributes:
        kind: "scheduler".
        settings: What it was called with, or None.

    Example:
        >>> from segue import Gather, Sleep, Spawn, VirtualClock, do, run, scheduler
        >>> @do
        ... def program():
        ...     first = yield Spawn(Sleep(2))
        ...     second = yield Spawn(Sleep(1))
        ...     return (yield Gather(first, second))
        >>> run(program(), handlers=[scheduler(clock=VirtualClock())]).value
        [None, None]
    """

    def __init__(self, settings: dict[str, Any] | None = None, /) -> None:
        self.kind = self.__name__ = self.__qualname__ = "scheduler"
        self.settings = settings
        self.__segue_table__ = _TABLE

    if TYPE_CHECKING:

        @overload
        def __call__(self, program: Runnable[R, H], /) -> DoExpr[R, Never]: ...
        @overload
        def __call__(self, program: Runnable[R, H | Rest], /) -> DoExpr[R, Rest]: ...
        @overload
        def __call__(
            self, *, seed: int | None = ..., slice: int | None = ..., clock: VirtualClock | None = ...
        ) -> SchedulerHandler[H]: ...

    def __call__(  # type: ignore[misc]  # its settings are keywords
        self,
        program: Any = None,
        /,
        *,
        seed: int | None = None,
        slice: int | None = None,  # noqa: A002 - the field's word
        clock: VirtualClock | None = None,
    ) -> Any:
        """Configure the scheduler, or handle a program.

        Args:
            program: A program: its effects are seen by this handler first.
            seed: Draws the order of the tasks that can run, the same for the same seed; `None` is first come, first
                served.
            slice: After how many effects a task gives way to others; `None` is only where it waits.
            clock: A `VirtualClock`; `None` is the wall's.

        Returns:
            A configured scheduler; or the handled program.

        Raises:
            TypeError: An argument is wrong.
            ValueError: `seed` or `slice` is out of range.
        """
        if issubclass(type(program), (DoExpr, EffectBase)):
            return WithHandler(self, program)
        if program is not None:
            raise TypeError(f"scheduler is called with keywords or with a program, got {safe_repr(program)}")
        _check_count("seed", seed, 0)
        _check_count("slice", slice, 1)
        _check_clock(clock)
        return SchedulerHandler({"seed": seed, "slice": slice, "clock": clock})

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in (self.settings or {}).items() if value is not None]
        return f"scheduler({', '.join(given)})" if given else "scheduler"


def _seconds(start: object) -> float:
    if isinstance(start, bool) or not isinstance(start, (int, float)):
        raise TypeError(f"VirtualClock: start is a number of seconds, got {safe_repr(start)}")
    return float(start)


def _check_clock(clock: object) -> None:
    if clock is not None and not isinstance(clock, VirtualClock):
        raise TypeError(f"scheduler: clock is a VirtualClock or None, got {safe_repr(clock)}")


def _check_count(name: str, value: object, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"scheduler: {name} is a whole number or None, got {safe_repr(value)}")
    if not least <= value < 2**64:
        raise ValueError(f"scheduler: {name} is from {least} to 2**64 - 1, got {safe_repr(value)}")


scheduler: SchedulerHandler[SchedulerEffect] = SchedulerHandler()
answered_by(scheduler, *SCHEDULER_EFFECTS)


@public
def default_handlers() -> list[Handler[Any]]:
    """List the built-in handlers, outermost first, as they may be given to `run`.

    Returns:
        A new list.

    Example:
        >>> from segue import default_handlers
        >>> default_handlers()
        [state, writer, scheduler, reader]
    """
    return [state, writer, scheduler, reader]
