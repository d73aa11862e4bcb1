"""How something is awaited by the extension: what is ready at once needs no turn of the loop (semantics 8)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any


def goes_on(iterator: Iterator[Any], first: Any) -> Generator[Any, Any, Any]:
    """Suspend with what the first step gave, then go on as the iterator does.

    Args:
        iterator: What `__await__` gave.
        first: What it suspended with.

    Returns:
        What the awaitable comes to.

    Example:
        >>> from segue._begun import goes_on
        >>> def awaited():
        ...     return (yield "first")
        >>> iterator = awaited()
        >>> rest = goes_on(iterator, next(iterator))
        >>> next(rest)
        'first'
        >>> try:
        ...     rest.send("value")
        ... except StopIteration as end:
        ...     end.value
        'value'
    """
    began: Any = iterator
    waits = first
    try:
        while True:
            try:
                sent = yield waits
            except GeneratorExit:
                if hasattr(began, "close"):
                    began.close()
                raise
            except BaseException as error:
                if not hasattr(began, "throw"):
                    raise
                waits = began.throw(error)
            else:
                waits = next(began) if sent is None else began.send(sent)
    except StopIteration as end:
        return end.value


async def awaited(awaitable: Any) -> Any:
    """Await: what the interpreter alone can tell about is left to its own `await`.

    Args:
        awaitable: What is awaited, if it can be.

    Returns:
        What it comes to.

    Raises:
        TypeError: It cannot be awaited.

    Example:
        >>> from segue._begun import awaited
        >>> coroutine = awaited(1)
        >>> try:
        ...     coroutine.send(None)
        ... except TypeError:
        ...     print("no awaitable")
        no awaitable
    """
    return await awaitable


_OWN = ("segue._begun", "segue._bridge", "segue.trio")


def as_it_came(error: BaseException) -> BaseException:
    """Leave the frames of the library out of a traceback.

    Args:
        error: What an awaitable raised.

    Returns:
        The same error; its traceback begins in the awaitable.

    Example:
        >>> from segue._begun import as_it_came
        >>> as_it_came(ValueError("no"))
        ValueError('no')
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _OWN:
        trace = trace.tb_next
    return error.with_traceback(trace)
