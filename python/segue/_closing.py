"""Awaitables that nobody can wait for (semantics 8)."""

from __future__ import annotations

from types import CoroutineType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any


async def _awaited(action: Callable[[], Awaitable[Any]]) -> Any:
    return await action()


def at_once(action: Callable[[], Awaitable[Any]]) -> tuple[Any] | None:
    """Await what never waits, as the closing of a coroutine does.

    Args:
        action: Makes the awaitable.

    Returns:
        What the awaitable comes to; `None` when it would wait. It is closed then.

    Raises:
        BaseException: What it raises.

    Example:
        >>> from segue._closing import at_once
        >>> async def clean_up():
        ...     return "closed"
        >>> at_once(clean_up)
        ('closed',)
    """
    coroutine = _awaited(action)
    try:
        coroutine.send(None)
    except StopIteration as end:
        return (end.value,)
    coroutine.close()
    return None


def close_unawaited(awaitable: Any) -> None:
    """Close a coroutine that nobody will await: Python would warn of it.

    Args:
        awaitable: What was to be awaited. What is no coroutine is left alone.

    Example:
        >>> from segue._closing import close_unawaited
        >>> async def nothing(): ...
        >>> close_unawaited(nothing())
    """
    if isinstance(awaitable, CoroutineType):
        awaitable.close()
