"""Awaits that have begun: what is ready at once needs no turn of the loop, and the rest is awaited (semantics 8)."""

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
