"""The bridge's adapter for asyncio (semantics 8). `async_run` finds it."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial

# Both are documented for frameworks.
_enter_task = asyncio.tasks._enter_task  # noqa: SLF001
_leave_task = asyncio.tasks._leave_task  # noqa: SLF001

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine
    from contextvars import Context
    from typing import Any


class AsyncioParking:
    """A place where the root waits until somebody calls `leave`."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future = asyncio.get_running_loop().create_future()

    async def wait(self) -> None:
        """Wait."""
        await self._future

    def leave(self) -> None:
        """End the wait."""
        if not self._future.done():
            self._future.set_result(None)


class AsyncioStation:
    """Where one task of the loop awaits for one task of the program, and may be cancelled without ending."""

    __slots__ = ("_future", "_loop", "_task", "count", "enter", "leave")
    wrap = None

    def __init__(self, loop: AbstractEventLoop, task: asyncio.Task[Any] | None, root: asyncio.Task[Any] | None) -> None:
        self._loop = loop
        self._task = task
        self._future: asyncio.Future[None] | None = None
        self.count = None if task is None else task.cancelling
        self.enter: tuple[Callable[[], object], ...] = ()
        self.leave: tuple[Callable[[], object], ...] = ()
        if task is not None and root is not None and task is not root:
            # The current task of other code is that of `async_run`. No line of Python is run for it at each await.
            self.enter = partial(_leave_task, loop, task), partial(_enter_task, loop, root)
            self.leave = partial(_leave_task, loop, root), partial(_enter_task, loop, task)

    def cancel(self) -> None:
        """Cancel what is awaited."""
        if self._task is not None:
            self._task.cancel()

    def ended(self, before: int | None, asked: bool, error: BaseException | None) -> bool:  # noqa: FBT001
        """Take the request to cancel back. Somebody outside may have cancelled it as well.

        Args:
            before: How many requests there were when it was begun.
            asked: Whether `cancel` was called.
            error: What it raised, if anything.

        Returns:
            Whether it ended because `cancel` was called.
        """
        if not asked or self._task is None or before is None:
            return False
        requests = self._task.cancelling()
        self._task.uncancel()
        return isinstance(error, asyncio.CancelledError) and requests <= before + 1

    def rest(self) -> asyncio.Future[None]:
        """Make what is awaited until somebody calls `rouse`."""
        self._future = self._loop.create_future()
        return self._future

    def rouse(self) -> None:
        """End the rest."""
        if self._future is not None and not (self._future.done() or self._loop.is_closed()):
            self._future.set_result(None)

    def pause(self) -> Coroutine[Any, Any, None]:
        """Make what is awaited for one turn."""
        return asyncio.sleep(0)


class AsyncioLoop:
    """The running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._root = asyncio.current_task()
        self._tasks: set[asyncio.Task[Any]] = set()

    def context(self) -> Context:
        """Give the context of the root: before CPython 3.12 nobody tells, and it is a copy."""
        own = getattr(self._root, "get_context", None)
        return copy_context() if own is None else own()

    async def close(self) -> None:
        """Wait for the tasks that were started: they are ending."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def abandon(self) -> None:
        """Cancel the tasks that were started: nobody waits for them."""
        for task in self._tasks:
            if not self._loop.is_closed():
                task.cancel()

    def enter(self) -> None:
        """Run code of the program in a callback: its current task is that of `async_run`."""
        if self._root is not None:
            _enter_task(self._loop, self._root)

    def leave(self) -> None:
        """It ran."""
        if self._root is not None:
            _leave_task(self._loop, self._root)

    def soon(self, call: Callable[[], object]) -> None:
        """Call it in the loop's thread. May be called from any."""
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop was closed: what waits there is closed with it.
            return

    def next(self, call: Callable[[], object]) -> None:
        """Call it in the loop's next turn. Called in a turn of it: the loop need not be woken."""
        self._loop.call_soon(call)

    def later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Call it after so many seconds; what is returned has a `cancel`."""
        return self._loop.call_later(seconds, call)

    def start(
        self,
        attend: Callable[[], Coroutine[Any, Any, None]],
        context: Context | None,
        lost: Callable[[BaseException], object] | None,
    ) -> None:
        """Start a task that runs in that context.

        Args:
            attend: Makes what it runs.
            context: Where it runs.
            lost: Called when somebody cancelled it before it began.
        """

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if lost is not None and task.cancelled():
                lost(asyncio.CancelledError())

        task = self._loop.create_task(attend(), context=context)
        self._tasks.add(task)
        task.add_done_callback(ended)

    def parking(self) -> AsyncioParking:
        """Make a place where the root waits."""
        return AsyncioParking()

    def station(self, *, own: bool) -> AsyncioStation:  # noqa: ARG002 - trio tells them apart
        """Make the station of the task that runs: one of its own for a task of the program, or the root's."""
        return AsyncioStation(self._loop, asyncio.current_task(), self._root)

    async def turn(self) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)
