"""`async_run`: a run inside an event loop (semantics 5, 8)."""

from __future__ import annotations

from segue._bridge import Bridge
from segue._typing import public
from segue._vm import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from typing import Any, overload

    from segue._handler import Handler, HandlerStack
    from segue._typing import Bare, E, R, Runnable
    from segue._vm import Limits, RunResult

if TYPE_CHECKING:

    @overload
    async def async_run(
        program: Runnable[R, E] | Generator[E, Any, R],
        handlers: Handler[E] | HandlerStack[E],
        *,
        env: Mapping[Any, Any] | None = None,
        store: Mapping[Any, Any] | None = None,
        trace: bool = False,
        limits: Limits | None = None,
    ) -> RunResult[R]: ...
    @overload
    async def async_run(
        program: Runnable[R, Any] | Generator[Any, Any, R],
        handlers: Sequence[Handler[Any] | Bare] | Bare = (),
        *,
        env: Mapping[Any, Any] | None = None,
        store: Mapping[Any, Any] | None = None,
        trace: bool = False,
        limits: Limits | None = None,
    ) -> RunResult[R]: ...


@public
async def async_run(  # noqa: PLR0913 - the parameters of `run`
    program: Any,
    handlers: Any = (),
    *,
    env: Mapping[Any, Any] | None = None,
    store: Mapping[Any, Any] | None = None,
    trace: bool = False,
    limits: Limits | None = None,
) -> RunResult[Any]:
    """Run a program inside an event loop: as `run`, but what it awaits is awaited here.

    A program that awaits nothing gives the same result as from `run`. The root's `Await`s run in the loop's task that
    awaits this, each other task's in one of its own; what cancels this coroutine is raised where the root waits. It
    works in asyncio and in trio; in any other loop as long as only the root awaits.

    Args:
        program: A program or an effect; or, once, a bare generator.
        handlers: One handler, or a sequence of handlers, the last innermost.
        env: What a `reader` without settings of its own starts from.
        store: What a `state` without settings of its own starts from.
        trace: Whether to note each step.
        limits: What the run may use.

    Returns:
        What the program came to, with the final state and the log.

    Raises:
        TypeError: An argument is wrong.
        BaseException: What is neither an `Exception` nor `LimitExceeded` leaves as it is, after the unwinding, with
            the result so far as `run_result`.

    Example:
        >>> import asyncio
        >>> from segue import Await, async_run
        >>> async def fetch():
        ...     return "data"
        >>> asyncio.run(async_run(Await(fetch()))).value
        'data'
    """
    bridge = Bridge(Engine(program, handlers, env=env, store=store, trace=trace, limits=limits))
    try:
        return await bridge.run()
    finally:
        bridge.close()
