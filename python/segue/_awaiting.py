"""Who awaits: the surrounding loop, or one of a handler's own; and programs around awaitables (semantics 8)."""

from __future__ import annotations

from types import SimpleNamespace

from segue._builtin import native_table
from segue._closing import close_unawaited
from segue._do import do
from segue._effect import answered_by
from segue._handler import Handler, answers
from segue._tasks import Await
from segue._typing import public
from segue._vm import FlatMap, Pure, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Runner
    from collections.abc import AsyncIterable, Awaitable, Callable, Generator
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from segue._typing import A, E, R, Runnable
    from segue._vm import DoExpr


class EventLoop(Handler[Await]):
    """Await in the loop that drives the run: what `async_run` installs outermost."""

    settings = None

    def __init__(self) -> None:
        self.__name__ = self.__qualname__ = "event_loop"
        self.__segue_table__ = native_table("event_loop", (Await,))


event_loop = EventLoop()


@public
class await_handler(Handler[Await]):  # noqa: N801 - it stands among handlers, which are small
    """A handler of `Await` that owns an event loop of asyncio, for scripts: `run` goes on when the awaitable has ended.

    The loop lives as long as the installation. Only one thing is awaited at a time: use `async_run` where awaits of
    several tasks are to overlap.

    Raises:
        RuntimeError: At the yield: an event loop is running in this thread already.

    Example:
        >>> from segue import Await, await_handler, run
        >>> async def fetch():
        ...     return "data"
        >>> run(Await(fetch()), handlers=[await_handler()]).value
        'data'
    """

    _runner: Runner

    def enter(self) -> None:
        """Make the loop."""
        import asyncio  # noqa: PLC0415 - only those who own a loop need it

        self._runner = asyncio.Runner()

    @answers(Await)
    def await_(self, effect: Await) -> Any:
        """Await, and nothing else meanwhile."""
        import asyncio  # noqa: PLC0415 - as above
        from contextvars import copy_context  # noqa: PLC0415 - as above

        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented for frameworks
            close_unawaited(effect.awaitable)
            raise RuntimeError(
                "await_handler() owns a loop, and one is running in this thread already: leave the handler out, and "
                "await async_run(program) there"
            )
        context = copy_context()
        try:
            return self._runner.run(_awaited(effect.awaitable), context=context)
        finally:
            # What it set is seen by the program, as in a coroutine.
            for variable, value in context.items():
                if variable.get(_UNSET) is not value:
                    variable.set(value)

    def exit(self) -> None:
        """Close the loop, as `asyncio.run` does."""
        self._runner.close()


_UNSET = object()


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


answered_by(SimpleNamespace(__qualname__="await_handler()"), Await)


class Entering:
    """Enters an asynchronous context manager. What it opens may stay open until `Leaving`: a loop may have to know."""

    __slots__ = ("manager",)

    def __init__(self, manager: AbstractAsyncContextManager[Any]) -> None:
        self.manager = manager

    async def _enter(self) -> Any:
        return await self.manager.__aenter__()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._enter().__await__()


class Ending:
    """An awaitable of some clean-up, which knows whether it was begun."""

    __slots__ = ("_end", "begun")

    def __init__(self, end: Callable[[], Awaitable[Any]]) -> None:
        self._end = end
        self.begun = False

    async def _begin(self) -> Any:
        self.begun = True
        return await self._end()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._begin().__await__()


class Leaving(Ending):
    """Leaves what was entered, with the error that ended the use."""

    __slots__ = ("entered",)

    def __init__(self, entered: Entering, error: BaseException | None) -> None:
        how = (None, None, None) if error is None else (type(error), error, error.__traceback__)
        super().__init__(lambda: entered.manager.__aexit__(*how))
        self.entered = entered


@do
def _surely(make: Callable[[BaseException | None], Ending], error: BaseException | None) -> Generator[Any, Any, Any]:
    """Begin clean-up whatever is due: a cancellation that is raised before the loop heard of it comes after it."""
    while True:
        ending = make(error)
        try:
            result = yield Await(ending)
        except BaseException as raised:
            if ending.begun or isinstance(raised, (Exception, GeneratorExit)):
                raise
            error = raised
        else:
            return error, result


@do
def _in_context(manager: Any, use: Any) -> Generator[Any, Any, Any]:
    entered = Entering(manager)
    value = yield Await(entered)
    result = error = last = None
    try:
        try:
            result = yield FlatMap(Pure(value), use)
        except BaseException as raised:  # noqa: BLE001 - the manager decides
            error = raised
        try:
            last, swallows = yield _surely(lambda error: Leaving(entered, error), error)
        except BaseExceptionGroup as group:
            # A nursery makes groups of what ends its body. A cancellation is no failure: it goes on as it is.
            if error is None or isinstance(error, Exception):
                raise
            own, others = _apart(error, group)
            if own is None:
                raise
            _add_context(error, others)
            last, swallows = error, False
        if last is not None and not swallows:
            raise last
        return result
    finally:
        del error, last


def _apart(error: BaseException, group: BaseExceptionGroup[Any]) -> tuple[BaseException | None, BaseException | None]:
    """Take an error out of a group: the error, if it is in there, and the others, if there are any."""
    return group.split(lambda one: one is error)


def _add_context(error: BaseException, others: BaseException | None) -> None:
    """Make what failed meanwhile the end of the chain of contexts."""
    known = {id(error)}
    while (before := error.__context__) is not None and id(before) not in known:
        known.add(id(before))
        error = before
    if others is not None:
        others.__context__ = None
        error.__context__ = others


@public
def acontext(manager: AbstractAsyncContextManager[A], use: Callable[[A], Runnable[R, E]], /) -> DoExpr[R, E | Await]:
    """Use an asynchronous context manager: the program's `async with`.

    It is entered and left in the same task of the loop, so cancel scopes and the like may be used.

    Args:
        manager: The context manager.
        use: From what it gives to the program that uses it, whose result is the result of all; `None` when the
            manager swallowed an error.

    Returns:
        The program that does this.

    Raises:
        TypeError: An argument is no asynchronous context manager (`manager`), or not callable (`use`).

    Example:
        >>> import asyncio
        >>> from contextlib import asynccontextmanager
        >>> from segue import Pure, acontext, async_run
        >>> @asynccontextmanager
        ... async def opened():
        ...     yield "file"
        ...     print("closed")
        >>> asyncio.run(async_run(acontext(opened(), lambda file: Pure(file.upper())))).value
        closed
        'FILE'
    """
    if not hasattr(type(manager), "__aenter__") or not hasattr(type(manager), "__aexit__"):
        raise TypeError(f"acontext takes an asynchronous context manager, got {safe_repr(manager)}")
    if not callable(use):
        raise TypeError(f"acontext takes a function of what is entered that gives a program, got {safe_repr(use)}")
    return _in_context(manager, use)


@do
def _for_all(values: Any, f: Any) -> Generator[Any, Any, None]:
    iterator: Any = values.__aiter__()
    try:
        while True:
            try:
                value = yield Await(iterator.__anext__())
            except StopAsyncIteration:
                return
            yield FlatMap(Pure(value), f)
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            last, _ = yield _surely(lambda _: Ending(close), None)
            if last is not None:
                raise last


@public
def aiter(  # noqa: A001 - what Python calls it
    values: AsyncIterable[A], f: Callable[[A], Runnable[Any, E]], /
) -> DoExpr[None, E | Await]:
    """Run a program for each value of an asynchronous iterable: the program's `async for`.

    An asynchronous generator is closed however this ends.

    Args:
        values: The asynchronous iterable.
        f: From a value to the program that is run before the next one is asked for.

    Returns:
        The program that does this.

    Raises:
        TypeError: An argument is no asynchronous iterable (`values`), or not callable (`f`).

    Example:
        >>> import asyncio
        >>> from segue import Tell, aiter, async_run, writer
        >>> async def letters():
        ...     yield "a"
        ...     yield "b"
        >>> list(asyncio.run(async_run(aiter(letters(), Tell), handlers=[writer])).log)
        ['a', 'b']
    """
    if not hasattr(type(values), "__aiter__"):
        raise TypeError(f"aiter takes an asynchronous iterable, got {safe_repr(values)}")
    if not callable(f):
        raise TypeError(f"aiter takes a function of a value that gives a program, got {safe_repr(f)}")
    return _for_all(values, f)


_PROGRAMS: tuple[Any, ...] = (_in_context, _for_all, _surely)
LIBRARY_CODE = [program.__wrapped__.__code__ for program in _PROGRAMS]
"""The code of the programs here: tracebacks leave it out."""
