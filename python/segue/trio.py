"""The bridge's adapter for trio (semantics 8). `async_run` finds it.

What runs beside the root are system tasks: they stand outside of the scopes that the root may have entered.
"""

from __future__ import annotations

import math

import trio

from segue._awaiting import Entering, Leaving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Context
    from typing import Any


@trio.lowlevel.disable_ki_protection
async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


class RecalledError(Exception):
    """What was awaited was cancelled because its task was."""


class TrioParking:
    """A place where the root waits until somebody calls `leave`."""

    __slots__ = ("_event", "_loop")

    def __init__(self, loop: TrioLoop) -> None:
        self._event = trio.Event()
        self._loop = loop

    async def wait(self) -> None:
        """Wait. A cancellation from outside is raised once: what follows it is the clean-up."""
        with trio.CancelScope(shield=self._loop.was_told()):
            try:
                await self._event.wait()
            except trio.Cancelled:
                self._loop.tell()
                raise

    def leave(self) -> None:
        """End the wait."""
        self._event.set()


class TrioStation:
    """Where one task of the loop awaits for one task of the program, each time in a scope of its own."""

    __slots__ = ("_event", "_loop", "_own", "_scope")
    count = None
    enter = leave = ()

    def __init__(self, loop: TrioLoop, *, own: bool) -> None:
        self._loop = loop
        self._own = own
        self._scope = trio.CancelScope()
        self._event = trio.Event()

    async def wrap(self, awaitable: Awaitable[Any]) -> Any:
        """Await.

        What a context manager enters stays inside of the scope of that await until it is left, so that it may open
        scopes and nurseries of its own.

        Args:
            awaitable: What is awaited.

        Returns:
            What it comes to.

        Raises:
            RecalledError: It ended because `cancel` was called.
        """
        entered = self._loop.entered.pop(awaitable.entered, None) if isinstance(awaitable, Leaving) else None
        if entered is None:
            scope = self._scope = trio.CancelScope()
            scope.__enter__()
        else:
            scope = self._scope = entered
        try:
            value = await _awaited(awaitable)
        except BaseException as error:
            if isinstance(error, trio.Cancelled) and not self._own and not scope.cancel_called:
                self._loop.tell()
            if scope.__exit__(type(error), error, error.__traceback__):
                raise RecalledError from None
            raise
        if isinstance(awaitable, Entering):
            self._loop.entered[awaitable] = scope
        else:
            scope.__exit__(None, None, None)
        return value

    def cancel(self) -> None:
        """Cancel what is awaited."""
        self._scope.cancel()

    def ended(self, before: int | None, asked: bool, error: BaseException | None) -> bool:  # noqa: ARG002, FBT001
        """Tell whether it ended because `cancel` was called."""
        return isinstance(error, RecalledError)

    async def rest(self) -> None:
        """Wait until somebody calls `rouse`: what cancels the run is for its root."""
        self._event = trio.Event()
        with trio.CancelScope(shield=True):
            await self._event.wait()

    def rouse(self) -> None:
        """End the rest."""
        self._event.set()

    async def pause(self) -> None:
        """Wait for one turn."""
        await trio.lowlevel.cancel_shielded_checkpoint()


class TrioTimer:
    """Calls something later, unless it is cancelled before."""

    __slots__ = ("_call", "_scope", "_seconds")

    def __init__(self, seconds: float, call: Callable[[], object]) -> None:
        self._seconds = seconds
        self._call = call
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Wait, and call."""
        with self._scope:
            await trio.sleep(self._seconds)
            self._call()

    def cancel(self) -> None:
        """Call nothing."""
        self._scope.cancel()


class TrioLoop:
    """The running loop."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._running: set[trio.CancelScope] = set()
        self.entered: dict[Entering, trio.CancelScope] = {}
        self._idle = trio.Event()
        self._told = False

    def was_told(self) -> bool:
        """Whether the root was told of the cancellation of the scopes that it stands in now."""
        self._told = self._told and trio.current_effective_deadline() == -math.inf
        return self._told

    def tell(self) -> None:
        """The root is told."""
        self._told = True

    def context(self) -> Context:
        """Give the context of the root, which asks."""
        return trio.lowlevel.current_task().context

    async def close(self) -> None:
        """Wait for the tasks that were started: they are ending."""
        with trio.CancelScope(shield=True):
            while self._running:
                self._idle = trio.Event()
                await self._idle.wait()

    def abandon(self) -> None:
        """Cancel the tasks that were started: nobody waits for them."""
        for scope in self._running:
            scope.cancel()

    def enter(self) -> None:
        """Run code of the program: trio has a task wherever it calls."""

    def leave(self) -> None:
        """It ran."""

    def soon(self, call: Callable[[], object]) -> None:
        """Call it in the loop's thread. May be called from any."""
        try:
            self._token.run_sync_soon(call)
        except trio.RunFinishedError:
            # The loop is over: what waits there is closed with it.
            return

    def next(self, call: Callable[[], object]) -> None:
        """Call it in the loop's next turn."""
        self.soon(call)

    def later(self, seconds: float, call: Callable[[], object]) -> TrioTimer:
        """Call it after so many seconds; what is returned has a `cancel`."""
        timer = TrioTimer(seconds, call)
        trio.lowlevel.spawn_system_task(timer.run)
        return timer

    def start(self, attend: Callable[[], Awaitable[None]], context: Context | None, lost: object) -> None:  # noqa: ARG002
        """Start a task that runs in that context. Nobody can cancel it before it began: it is a system task."""
        scope = trio.CancelScope()
        self._running.add(scope)

        async def attend_there() -> None:
            try:
                with scope:
                    await attend()
            finally:
                self._running.discard(scope)
                self._idle.set()

        trio.lowlevel.spawn_system_task(attend_there, context=context)

    def parking(self) -> TrioParking:
        """Make a place where the root waits."""
        return TrioParking(self)

    def station(self, *, own: bool) -> TrioStation:
        """Make the station of the task that runs: one of its own for a task of the program, or the root's."""
        return TrioStation(self, own=own)

    async def turn(self) -> None:
        """Let others have their turn. A cancellation from outside is raised once, as where the root waits."""
        with trio.CancelScope(shield=self.was_told()):
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled:
                self.tell()
                raise
