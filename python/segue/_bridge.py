"""The bridge between a run and the event loop around it (semantics 8).

The engine runs in the loop's thread and nowhere else. What a task of the program awaits is awaited in one task of
the loop for each, in that task's own context, by a `Drive` of the extension, which goes on with the run when that has
ended. Only the drive of the root, in the coroutine of `async_run`, resumes the root, so that its code and what it
awaits are one task of the loop. `pump`, a callback of the loop, goes on with the run when something else arrives: a
promise, a timer.
"""

from __future__ import annotations

import sys
from _weakref import ref  # `weakref` is slow to import

from segue._begun import as_it_came

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextvars import Context
    from typing import Any, Protocol

    from segue._vm import Drive, Engine, RunResult

    class Parking(Protocol):
        """A place where the root waits until somebody calls `leave`."""

        async def wait(self) -> None: ...
        def leave(self) -> None: ...

    class Station(Protocol):
        """Where one task of the loop awaits: what a `Drive` needs of the loop there, which may be `None` or empty."""

        @property
        def count(self) -> Callable[[], int] | None: ...
        @property
        def wrap(self) -> Callable[[Any], Awaitable[Any]] | None: ...
        @property
        def enter(self) -> Sequence[Callable[[], object]]: ...
        @property
        def leave(self) -> Sequence[Callable[[], object]]: ...
        def cancel(self) -> None: ...
        def ended(self, before: int | None, asked: bool, error: BaseException | None) -> bool: ...  # noqa: FBT001
        def rest(self) -> Awaitable[object]: ...
        def rouse(self) -> None: ...
        def pause(self) -> Awaitable[object]: ...

    class Loop(Protocol):
        """What the bridge needs of an event loop."""

        def context(self) -> Context: ...
        async def close(self) -> None: ...
        def abandon(self) -> None: ...
        def enter(self) -> None: ...
        def leave(self) -> None: ...
        def soon(self, call: Any) -> None: ...
        def next(self, call: Any) -> None: ...
        def later(self, seconds: float, call: Any) -> Any: ...
        def start(self, attend: Any, context: Context | None, lost: Any) -> None: ...
        def parking(self) -> Parking: ...
        def station(self, *, own: bool) -> Station: ...
        async def turn(self) -> None: ...


STEPS = 2048
"""How many pieces of user code run between two turns of the loop."""
_AT_ONCE = 1e-9
"""A timer that is due sooner than this needs none."""


def find_loop() -> Loop:
    """Find the loop that runs here.

    Returns:
        The adapter for it.

    Raises:
        RuntimeError: It is neither asyncio's nor trio's.

    Example:
        >>> import asyncio
        >>> from segue._bridge import find_loop
        >>> async def which():
        ...     return type(find_loop()).__module__
        >>> asyncio.run(which())
        'segue.asyncio'
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from segue.trio import TrioLoop  # noqa: PLC0415 - only where trio runs

        return TrioLoop()
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented for frameworks
        from segue.asyncio import AsyncioLoop  # noqa: PLC0415 - only where asyncio runs

        return AsyncioLoop()
    raise RuntimeError(
        "this program waits for more than its root awaits, which needs asyncio or trio: in another loop only the root "
        "may wait, with Await"
    )


class Alone:
    """The root's station in a loop that is neither asyncio's nor trio's: nobody can cancel what is awaited there."""

    count = wrap = None
    enter = leave = ()

    def cancel(self) -> None:
        """Nobody else runs meanwhile."""

    def ended(self, before: int | None, asked: bool, error: BaseException | None) -> bool:  # noqa: ARG002, FBT001
        """It ended by itself."""
        return False


class Bridge:
    """One run, and the loop around it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: Loop | None = None
        self._home: Context | None = None
        self._parking: Parking | None = None
        self._timer: Any = None
        self._over = False
        self._due = False  # `pump` is about to be called

    @property
    def _loop(self) -> Loop:
        if self._found is None:
            self._found = find_loop()
        return self._found

    async def run(self) -> RunResult[Any]:
        """Drive the run to its end."""
        root = self._engine.driving(self, STEPS)
        opened = False
        try:
            while (event := await root)[0] != "ended":
                if event[0] == "async":
                    await self._act(event[1])
                elif opened:
                    await self._wait(event)
                else:
                    # From now on others may call: go once more, for what arrived before they could.
                    self._open(root)
                    opened = True
        except GeneratorExit:
            raise
        except BaseException:
            await self._leave()
            raise
        await self._leave()
        return self._engine.finish()

    def _open(self, root: Drive) -> None:
        try:
            loop = self._loop
        except RuntimeError:
            # What needs the loop will say so.
            root.at(Alone())
            return
        root.at(loop.station(own=False))
        self._home = loop.context()
        self._engine.runs_in(self._home)
        self._engine.wake_by(_weakly(self.wake))

    async def _wait(self, event: tuple[Any, ...]) -> None:
        """Wait for the root's turn."""
        if event[0] != "busy":
            self._come_back(event)
            await self._park()
        elif self._found is not None:
            await self._turn()

    async def _leave(self) -> None:
        self._over = True
        self._forget_timer()
        self._engine.dismiss()
        if self._found is not None:
            await self._found.close()

    def close(self) -> None:
        """Nobody awaits any more: what is suspended is unwound at once."""
        self._over = True
        self._forget_timer()
        self._engine.close()
        self._engine.dismiss()
        if self._found is not None:
            self._found.abandon()

    def attend(self, drive: Drive, context: Context | None) -> None:
        """Await for a task of the program, in a task of the loop, until that task is over; called by the extension."""
        self._loop.start(lambda: self._attend(drive), context, drive.lost)

    async def _attend(self, drive: Drive) -> None:
        drive.at(self._loop.station(own=True))
        await drive

    async def _act(self, action: Any) -> None:
        try:
            value = await action()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides: also about a cancellation
            if not self._over:
                self._engine.throw(as_it_came(error))
        else:
            if not self._over:
                self._engine.send(value)

    async def _act_for_others(self, action: Any) -> None:
        await self._act(action)
        self.go_on()

    def _lost(self, error: BaseException) -> None:
        """Raise at the yield: the task of the loop for an action was cancelled before it began."""
        if not self._over:
            self._engine.throw(error)
            self.go_on()

    async def _turn(self) -> None:
        """Let the loop go on; what cancels this meets the program where it is."""
        try:
            await self._loop.turn()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides about a cancellation
            self._engine.interrupt(error)

    async def _park(self) -> None:
        """Wait until the root has something to do."""
        self._parking = self._loop.parking()
        try:
            if not self._engine.take_rung():
                await self._parking.wait()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides about a cancellation
            self._engine.interrupt(error)
        finally:
            self._parking = None

    def _unpark(self) -> None:
        if self._parking is not None:
            self._parking.leave()

    def wake(self) -> None:
        """Something arrived; called from any thread."""
        self._have_pumped(self._loop.soon)

    def go_on(self) -> None:
        """Some task can go on; called in a turn of the loop."""
        self._have_pumped(self._loop.next)

    def _have_pumped(self, by: Callable[[Callable[[], None]], object]) -> None:
        if self._over or self._due:
            return
        # Before it is asked for: it may be called in another thread meanwhile.
        self._due = True
        try:
            by(self.pump)
        except BaseException:
            self._due = False
            raise

    def pump(self) -> None:
        """Run all tasks but the root."""
        # Whoever calls from now on may be too late for this time.
        self._due = False
        if self._over:
            return
        self._loop.enter()
        try:
            event = self._engine.go(self, STEPS)
        finally:
            self._loop.leave()
        if event is not None:
            self.went(event)

    def went(self, event: tuple[Any, ...]) -> None:
        """See to what the run needs, after it went on without its root; called by the extension too."""
        kind = event[0]
        if kind == "busy":
            self.go_on()
        elif kind == "async":
            self._loop.start(lambda: self._act_for_others(event[1]), self._home, self._lost)
        elif kind == "idle" and (event[1] != 0 or self._parking is None):
            self._come_back(event)
        else:
            self._unpark()

    def expect(self, event: tuple[Any, ...]) -> None:
        """Come back while the root awaits; called by the extension."""
        if self._found is not None:
            self._come_back(event)

    def _come_back(self, event: tuple[Any, ...]) -> None:
        """Go on when the next timer is due."""
        self._forget_timer()
        if event[0] == "busy":
            self.go_on()
        elif event[1] is not None:
            self._timer = self._loop.later(max(event[1], _AT_ONCE), self.pump)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _weakly(method: Any) -> Any:
    """Call a method as long as its object lives."""
    weak, function = ref(method.__self__), method.__func__

    def call() -> None:
        alive = weak()
        if alive is not None:
            function(alive)

    return call
