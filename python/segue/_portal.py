"""Programs for others: code of another thread, or of the loop, that wants a program run in a run (semantics 8)."""

from __future__ import annotations

from segue._bridge import find_loop
from segue._do import do
from segue._errors import PromiseCompletedError, RunClosedError
from segue._sync import CompletePromise, CreateExternalPromise, CreatePromise
from segue._tasks import Spawn, Wait
from segue._typing import public
from segue._vm import check_program, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable, Generator
    from concurrent.futures import Future
    from typing import Any

    from segue._tasks import SpawnEffect
    from segue._typing import E, R, Runnable, T
    from segue._vm import DoExpr, ExternalPromise, Promise

_CLOSED = "the run of this portal is over: it takes no programs any more"


def _first(queue: deque[T]) -> T | None:
    """Take what came first, if anything did. The check and the taking are one step, for any number of threads."""
    try:
        return queue.popleft()
    except IndexError:
        return None


@public
class Portal:
    """A way into a run from outside of it. `open_portal` gives one, and nobody else makes one.

    What is submitted runs as a task of that run, inside the handlers that stood around `open_portal`.

    Example:
        >>> import threading
        >>> from segue import Ask, do, from_thread, open_portal, reader, run, scheduler, Sleep
        >>> got = []
        >>> @do
        ... def program():
        ...     portal = yield open_portal()
        ...     thread = threading.Thread(target=lambda: got.append(from_thread.run(portal, Ask("who"))))
        ...     thread.start()
        ...     while not got:
        ...         yield Sleep(0.001)
        ...     thread.join()
        >>> run(program(), handlers=[scheduler, reader], env={"who": "me"}).is_ok(), got
        (True, ['me'])
    """

    __slots__ = ("__weakref__", "_bell", "_handed", "_is_open", "_submitted")

    def __init__(self) -> None:
        from collections import deque  # noqa: PLC0415 - it is slow to import, and few need it

        self._submitted: deque[tuple[Any, Future[Any]]] = deque()
        self._bell: deque[ExternalPromise[None]] = deque()
        self._handed: set[Future[Any]] = set()
        self._is_open = True

    def start(self, program: Runnable[R, Any], /) -> Future[R]:
        """Submit a program. May be called from any thread, the run's own included.

        Args:
            program: A program or an effect.

        Returns:
            A future for what it comes to, as those of `concurrent.futures`. Cancelling it cancels what was not begun.

        Raises:
            TypeError: It is neither a program nor an effect.
            RunClosedError: The run is over.
        """
        from concurrent.futures import Future  # noqa: PLC0415 - it is slow to import, and few need it

        check_program("a portal", program)
        future: Future[R] = Future()
        self._submitted.append((program, future))
        if not self._is_open:
            self._refuse()
            raise RunClosedError(_CLOSED)
        self._ring()
        return future

    async def call(self, program: Runnable[R, Any], /) -> R:
        """Run a program there, and wait for it in a coroutine of asyncio or trio.

        Args:
            program: A program or an effect.

        Returns:
            What it comes to.

        Raises:
            BaseException: What it fails with.
            RunClosedError: The run is over.
        """
        loop = find_loop()
        parking = loop.parking()
        future = self.start(program)
        future.add_done_callback(lambda _: loop.soon(parking.leave))
        try:
            await parking.wait()
        finally:
            future.cancel()
        return future.result()

    def _ring(self) -> None:
        """Complete what the run waits for: of the threads that are here at once, one has it."""
        if (completer := _first(self._bell)) is not None:
            try:
                completer.complete(None)
            except PromiseCompletedError:
                # The run is over: what was submitted to it is refused.
                return

    def _expect(self, completer: ExternalPromise[None]) -> None:
        """From now on a submission completes that."""
        self._bell.append(completer)
        if self._submitted:
            self._ring()

    def _take(self) -> tuple[Any, Future[Any]] | None:
        submitted = _first(self._submitted)
        if submitted is not None:
            self._handed.add(submitted[1])
        return submitted

    def _begin(self, future: Future[Any]) -> bool:
        """Whether its program is to run: nobody cancelled or refused it."""
        if future not in self._handed:
            return False
        self._handed.remove(future)
        return future.set_running_or_notify_cancel()

    def _close(self) -> None:
        self._is_open = False
        self._bell.clear()
        # A task that has not started never starts.
        while self._handed:
            _refuse(self._handed.pop())
        self._refuse()

    def _refuse(self) -> None:
        while (submitted := _first(self._submitted)) is not None:
            _refuse(submitted[1])

    def __repr__(self) -> str:
        return f"<Portal {'open' if self._is_open else 'closed'}>"


def _refuse(future: Future[Any]) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(RunClosedError(_CLOSED))


def _parts(portal: Portal) -> tuple[Any, Any, Any, Any]:
    return portal._expect, portal._take, portal._begin, portal._close  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


@do
def _serve(opened: Promise[Portal]) -> Generator[Any, Any, None]:
    portal = Portal()
    expect, take, begin, close = _parts(portal)
    try:
        yield CompletePromise(opened, portal)
        while True:
            external = yield CreateExternalPromise()
            promise = external.promise
            expect(external)
            del external
            yield Wait(promise)
            while (submitted := take()) is not None:
                program, future = submitted
                yield Spawn(_answer(program, future, begin), name="submitted", daemon=True)
    finally:
        close()


@do
def _answer(program: Any, future: Future[Any], begin: Any) -> Generator[Any, Any, None]:
    if not begin(future):
        return
    try:
        value = yield program
    except Exception as error:  # noqa: BLE001 - whoever submitted it gets it
        future.set_exception(error)
    except BaseException:
        future.set_exception(RunClosedError("the run ended before the program that was submitted to it"))
        raise
    else:
        future.set_result(value)


@do
def _open() -> Generator[Any, Any, Portal]:
    opened = yield CreatePromise()
    yield Spawn(_serve(opened), name="portal", daemon=True)
    portal: Portal = yield Wait(opened)
    return portal


@public
def open_portal() -> DoExpr[Portal, SpawnEffect]:
    """Open a way into this run for other threads and coroutines. It is open until the run ends.

    Returns:
        A program whose result is the portal.

    Example:
        >>> from segue import open_portal, run, scheduler
        >>> run(open_portal(), handlers=[scheduler]).value
        <Portal closed>
    """
    return _open()


@do
def _coroutine_function(f: Any) -> Generator[Any, Any, Any]:
    portal = yield _open()

    async def call(*args: Any, **kwargs: Any) -> Any:
        return await portal.call(f(*args, **kwargs))

    return call


@public
def to_async(f: Callable[..., Runnable[R, E]], /) -> DoExpr[Callable[..., Awaitable[R]], E | SpawnEffect]:
    """Hand programs to code that expects coroutines: a web framework, a callback.

    Args:
        f: From any arguments to a program.

    Returns:
        A program whose result is an `async` function of the same arguments: it runs the program as a task of this run,
        inside the handlers of here, and gives what it comes to.

    Raises:
        TypeError: `f` is not callable.

    Example:
        >>> import asyncio
        >>> from segue import Ask, Await, async_run, do, reader, scheduler, to_async
        >>> @do
        ... def greet(word):
        ...     return f"{word} " + (yield Ask("who"))
        >>> @do
        ... def program():
        ...     greeting = yield to_async(greet)
        ...     return (yield Await(asyncio.gather(greeting("hello"), greeting("bye"))))
        >>> asyncio.run(async_run(program(), handlers=[scheduler, reader], env={"who": "Ann"})).value
        ['hello Ann', 'bye Ann']
    """
    if not callable(f):
        raise TypeError(f"to_async takes a function that gives a program, got {safe_repr(f)}")
    return _coroutine_function(f)
