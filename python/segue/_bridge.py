"""The bridge between a run and the event loop around it (semantics 8).

The engine runs in the loop's thread and nowhere else. Only the coroutine of `async_run` resumes the root, so that the
root's code and what it awaits are one task of the loop; `pump`, a callback of the loop, runs all other tasks. What they
await is awaited in one task of the loop for each, in that task's own context; `errands` say what to await, and a
promise brings back what came of it.
"""

from __future__ import annotations

import sys
from _weakref import ref  # `weakref` is slow to import

from segue._closing import close_unawaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextvars import Context
    from typing import Any, Protocol, TypeAlias

    from segue._vm import Engine, ExternalPromise, RunResult, Task

    Errand: TypeAlias = tuple[ExternalPromise[Any], Any]
    """What to complete, and what to await for it."""

    class Parking(Protocol):
        """A place where one task of the loop waits until somebody calls `leave`."""

        async def wait(self) -> None: ...
        def leave(self) -> None: ...

    class Awaiting(Protocol):
        """One await that can be cancelled from outside."""

        async def result(self, awaitable: Awaitable[Any]) -> Any: ...
        def cancel(self) -> None: ...

    class Loop(Protocol):
        """What the bridge needs of an event loop."""

        async def open(self) -> None: ...
        async def close(self) -> None: ...
        def abandon(self) -> None: ...
        def enter(self) -> None: ...
        def leave(self) -> None: ...
        def soon(self, call: Any) -> None: ...
        def next(self, call: Any) -> None: ...
        def later(self, seconds: float, call: Any) -> Any: ...
        def start(self, attend: Any, context: Context | None) -> None: ...
        def parking(self, *, own: bool) -> Parking: ...
        def awaiting(self, *, own: bool) -> Awaiting: ...
        async def turn(self) -> None: ...
        async def pause(self) -> None: ...


class RecalledError(Exception):
    """What was awaited was cancelled because its task was."""


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


class Attendant:
    """Awaits for one task of the program, in one task of the loop, until that task is over."""

    __slots__ = ("__weakref__", "_awaiting", "_bridge", "_has_paused", "_next", "_over", "_parking")

    def __init__(self, bridge: Bridge, first: Errand) -> None:
        self._bridge = bridge
        self._next: Errand | None = first
        self._over = False
        self._has_paused = False
        self._parking: Parking | None = None
        self._awaiting: Awaiting | None = None

    async def attend(self) -> None:
        """Await what comes, one after the other."""
        while not self._over:
            errand, self._next = self._next, None
            if errand is None:
                await self._wait()
                continue
            self._awaiting = self._bridge.loop.awaiting(own=True)
            await self._bridge.fulfil(errand, self._awaiting)
            self._awaiting = None
            self._bridge.go_on()
            self._has_paused = False

    async def _wait(self) -> None:
        """Wait for what comes next: most often that is there after one turn of the loop."""
        try:
            if self._has_paused:
                self._parking = self._bridge.loop.parking(own=True)
                await self._parking.wait()
            else:
                self._has_paused = True
                await self._bridge.loop.pause()
        except GeneratorExit:
            raise
        except BaseException:  # noqa: BLE001, S110 - what ends the loop's tasks is for the root to pass on
            pass

    def give(self, errand: Errand) -> None:
        """Give it something to await."""
        self._next = errand
        self._wake()

    def end(self) -> None:
        """Its task is over, or the run: what was not begun never is."""
        self._over = True
        if self._next is not None:
            (_, awaitable), self._next = self._next, None
            close_unawaited(awaitable)
        self._wake()

    def cancel(self) -> None:
        """Cancel what it awaits."""
        if self._awaiting is not None:
            self._awaiting.cancel()
        elif self._next is not None:
            # It was not begun.
            (completer, awaitable), self._next = self._next, None
            close_unawaited(awaitable)
            completer._recalled()  # noqa: SLF001 - for the bridge

    def _wake(self) -> None:
        if self._parking is not None:
            self._parking.leave()


_OWN = ("segue._begun", "segue._bridge", "segue.asyncio", "segue.trio")


def _as_it_came(error: BaseException) -> BaseException:
    """Leave the frames of the bridge out of a traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _OWN:
        trace = trace.tb_next
    return error.with_traceback(trace)


class Bridge:
    """One run, and the loop around it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: Loop | None = None
        self._opened = False
        self._early: list[tuple[Any, ...]] = []
        self._mine: Errand | None = None
        self._awaiting: Awaiting | None = None
        self._attendants: dict[int, Attendant] = {}
        self._errands: dict[int, Attendant | None] = {}
        self._parking: Parking | None = None
        self._timer: Any = None
        self._over = False
        self._inside = False
        self._acting = False
        self._fulfils = False
        self._due = False  # `pump` is about to be called

    @property
    def loop(self) -> Loop:
        """The loop's adapter."""
        if self._found is None:
            self._found = find_loop()
        return self._found

    async def run(self) -> RunResult[Any]:
        """Drive the run to its end."""
        try:
            while (event := await self._drive())[0] != "ended":
                if event[0] == "async":
                    await self._act(event[1])
                elif not self._opened and not self._is_alone():
                    # From now on others may call: go once more, for what arrived before they could.
                    await self._open()
                else:
                    await self._wait(event)
        except GeneratorExit:
            raise
        except BaseException:
            await self._leave()
            raise
        await self._leave()
        return self._engine.finish()

    def _is_alone(self) -> bool:
        """Whether the loop is one in which only the root can wait."""
        if self._mine is None or self._early:
            return False
        try:
            self._found = find_loop()
        except RuntimeError:
            return True
        return False

    async def _open(self) -> None:
        await self.loop.open()
        self._opened = True
        self._engine.wake_by(_weakly(self.wake))
        early, self._early = self._early, []
        for errand in early:
            self._take(errand)

    async def _wait(self, event: tuple[Any, ...]) -> None:
        """Wait for what the root waits for, or for its turn."""
        if self._mine is not None:
            if self._opened:
                self._expect(event)
            await self._await_mine()
        elif event[0] == "busy":
            await self._turn()
        else:
            self._expect(event)
            await self._park()

    async def _leave(self) -> None:
        self._over = True
        self._forget_timer()
        for attendant in self._attendants.values():
            attendant.end()
        if self._opened:
            await self.loop.close()

    def close(self) -> None:
        """Nobody awaits any more: what is suspended is unwound at once."""
        self._over = True
        self._forget_timer()
        self._engine.close()
        for attendant in self._attendants.values():
            attendant.end()
        if self._opened:
            self.loop.abandon()

    async def _drive(self) -> tuple[Any, ...]:
        """Go on, and await what the root awaits, as long as nobody else has to see to anything."""
        self._acting = True
        try:
            return await self._engine.driving(STEPS)
        finally:
            self._acting = False
            self._take_all()

    def _go_without_root(self) -> tuple[Any, ...]:
        self._inside = True
        try:
            return self._engine.go(STEPS)
        finally:
            self._inside = False
            self._take_all()

    def _take_all(self) -> None:
        for errand in self._engine.errands():
            self._take(errand)

    def _take(self, errand: tuple[Any, ...]) -> None:
        if not self._opened and (errand[0] != "await" or errand[3] is not None):
            self._early.append(errand)
        elif errand[0] == "await":
            _, completer, awaitable, task, context = errand
            if task is None:
                self._mine = (completer, awaitable)
                self._errands[id(completer)] = None
            else:
                self._attend(task, context, (completer, awaitable))
        elif errand[0] == "cancel":
            self._cancel(errand[1])
        else:
            attendant = self._attendants.pop(id(errand[1]), None)
            if attendant is not None:
                attendant.end()

    def _attend(self, task: Task[Any], context: Context | None, errand: Errand) -> None:
        attendant = self._attendants.get(id(task))
        if attendant is None:
            attendant = self._attendants[id(task)] = Attendant(self, errand)
            self.loop.start(attendant.attend, context)
        else:
            attendant.give(errand)
        self._errands[id(errand[0])] = attendant

    def _cancel(self, completer: ExternalPromise[Any]) -> None:
        attendant = self._errands.get(id(completer))
        if attendant is not None:
            attendant.cancel()
        elif self._awaiting is not None:
            self._awaiting.cancel()
        elif self._mine is not None:
            (_, awaitable), self._mine = self._mine, None
            close_unawaited(awaitable)
            completer._recalled()  # noqa: SLF001 - for the bridge

    async def fulfil(self, errand: Errand, awaiting: Awaiting | None) -> None:
        """Await, and complete the promise with what comes of it."""
        completer, awaitable = errand
        try:
            value = await (awaitable if awaiting is None else awaiting.result(awaitable))
        except GeneratorExit:
            # This task of the loop is being closed: nothing can be awaited any more.
            raise
        except RecalledError:
            if not completer.done:
                self._fulfil(completer._recalled)  # noqa: SLF001 - for the bridge
        except BaseException as error:  # noqa: BLE001 - the program decides: also about a cancellation
            if not self._over:
                self._fulfil(completer.fail, _as_it_came(error))
        else:
            if not self._over:
                self._fulfil(completer.complete, value)
        finally:
            self._errands.pop(id(completer), None)

    def _fulfil(self, complete: Any, *outcome: Any) -> None:
        """Complete a promise. Whoever awaited for it sees to it that the run goes on, also for what arrives now."""
        self._fulfils = True
        try:
            complete(*outcome)
        finally:
            self._fulfils = False

    async def _await_mine(self) -> None:
        errand, self._mine = self._mine, None
        if errand is None:
            return
        self._awaiting = self.loop.awaiting(own=False) if self._opened else None
        try:
            await self.fulfil(errand, self._awaiting)
        finally:
            self._awaiting = None

    async def _act(self, action: Any) -> None:
        self._acting = True
        try:
            value = await action()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides: also about a cancellation
            self._acting = False
            self._engine.throw(_as_it_came(error))
        else:
            self._acting = False
            self._engine.send(value)

    async def _act_for_others(self, action: Any) -> None:
        await self._act(action)
        self.wake()

    async def _turn(self) -> None:
        """Let the loop go on; what cancels this meets the program where it is."""
        try:
            await self.loop.turn()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides about a cancellation
            self._engine.interrupt(error)

    async def _park(self) -> None:
        """Wait until the root has something to do."""
        self._parking = self.loop.parking(own=False)
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
        if not (self._over or self._fulfils or self._due):
            self._due = True
            self.loop.soon(self.pump)

    def go_on(self) -> None:
        """Some task can go on; called in a turn of the loop."""
        if not (self._over or self._due):
            self._due = True
            self.loop.next(self.pump)

    def pump(self) -> None:
        """Run all tasks but the root."""
        # Whoever calls from now on may be too late for this time.
        self._due = False
        if self._over or self._inside or self._acting:
            return
        self.loop.enter()
        try:
            event = self._go_without_root()
        finally:
            self.loop.leave()
        kind = event[0]
        if kind == "busy":
            self.go_on()
        elif kind == "async":
            self._acting = True
            self.loop.start(lambda: self._act_for_others(event[1]), None)
        elif kind != "idle" or self._mine is not None or (event[1] == 0 and self._parking is not None):
            self._unpark()
        else:
            self._expect(event)

    def _expect(self, event: tuple[Any, ...]) -> None:
        """Come back when the next timer is due."""
        self._forget_timer()
        if event[0] == "busy":
            self.go_on()
        elif event[1] is not None:
            self._timer = self.loop.later(max(event[1], _AT_ONCE), self.pump)

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
