"""The bridge's adapter for asyncio (semantics 8). `async_run` finds it."""

from __future__ import annotations

import asyncio

from segue._bridge import RecalledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextvars import Context
    from typing import Any


class AsyncioParking:
    """A place where one task waits until somebody calls `leave`."""

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


class AsyncioAwaiting:
    """One await in a task of the loop, that can be cancelled without ending the task."""

    __slots__ = ("_asked", "_task")

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._asked = False

    async def result(self, awaitable: Awaitable[Any]) -> Any:
        """Await.

        Args:
            awaitable: What is awaited.

        Returns:
            What it comes to.

        Raises:
            RecalledError: It ended because `cancel` was called.
        """
        task = self._task = asyncio.current_task()
        before = 0 if task is None else task.cancelling()
        try:
            return await awaitable
        except asyncio.CancelledError:
            # Somebody outside may have cancelled it as well.
            if self._asked and task is not None and task.cancelling() <= before + 1:
                raise RecalledError from None
            raise
        finally:
            self._task = None
            if self._asked and task is not None:
                task.uncancel()

    def cancel(self) -> None:
        """Cancel what is awaited."""
        if self._task is not None and not self._asked:
            self._asked = True
            self._task.cancel()


class AsyncioLoop:
    """The running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._root = asyncio.current_task()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        """Nothing is to be opened."""

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
            asyncio.tasks._enter_task(self._loop, self._root)  # noqa: SLF001 - documented for frameworks

    def leave(self) -> None:
        """It ran."""
        if self._root is not None:
            asyncio.tasks._leave_task(self._loop, self._root)  # noqa: SLF001 - documented for frameworks

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

    def start(self, attend: Callable[[], Coroutine[Any, Any, None]], context: Context | None) -> None:
        """Start a task that runs in that context."""
        task = self._loop.create_task(attend(), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def parking(self, *, own: bool) -> AsyncioParking:  # noqa: ARG002 - trio tells them apart
        """Make a place to wait."""
        return AsyncioParking()

    def awaiting(self, *, own: bool) -> AsyncioAwaiting:  # noqa: ARG002 - trio tells them apart
        """Prepare one await."""
        return AsyncioAwaiting()

    async def turn(self) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)

    async def pause(self) -> None:
        """Let others have their turn, in a task of its own."""
        await asyncio.sleep(0)
