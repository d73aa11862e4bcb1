"""What a run that is being closed awaits: nobody can wait for it any more (semantics 8)."""

from __future__ import annotations

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
