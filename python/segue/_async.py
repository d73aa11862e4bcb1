"""`async_run`: the machine, one step at a time, inside a coroutine (semantics 5, 8)."""

from __future__ import annotations

from segue._typing import public
from segue._vm import PyVM

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

    A program that awaits nothing gives the same result as from `run`. What cancels this coroutine is raised in the
    program at the place where it waits.

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
        >>> from segue import PythonAsyncSyntaxEscape, async_run
        >>> async def fetch():
        ...     return "data"
        >>> asyncio.run(async_run(PythonAsyncSyntaxEscape(fetch))).value
        'data'
    """
    vm = PyVM(trace=trace, limits=limits)
    vm.start_program(program, handlers, env=env, store=store)
    while True:
        event = vm.step_once()
        if event[0] == "continue":
            continue
        if event[0] != "call_async":
            return vm.finish()
        try:
            value = await event[1]()
        except GeneratorExit:
            # This coroutine is being closed: nothing can be awaited any more, so the machine is closed with it.
            raise
        except BaseException as error:  # noqa: BLE001 - the program decides: also about a cancellation
            vm.feed_async_error(error)
        else:
            vm.feed_async_result(value)
