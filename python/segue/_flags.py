"""What calling a callable gives: a value, a generator, a coroutine or an asynchronous generator.

Read once, where a function is decorated or installed, from the code's flags: through partials, methods and
`__call__` (semantics 2). Nothing is called and nothing is guessed from signatures.
"""

from __future__ import annotations

import sys

from segue._vm import DoFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import partial
    from typing import Any, Final

    from typing_extensions import TypeIs

GENERATOR: Final = 0x20
COROUTINE: Final = 0x80
ASYNC_GENERATOR: Final = 0x200
_PARTIALS: Final = 64
"""Wrappers inside each other that are looked through; more is a loop."""


def flags(function: object) -> int:
    """Read the code flags of what a call would run.

    Args:
        function: Any callable.

    Returns:
        The flags, 0 when it runs no Python code of its own.

    Example:
        >>> from segue._flags import GENERATOR, flags
        >>> def count():
        ...     yield 1
        >>> bool(flags(count) & GENERATOR), bool(flags(len) & GENERATOR)
        (True, False)
    """
    for _ in range(_PARTIALS):
        if type(function) is DoFunction:
            return 0
        found = getattr(getattr(function, "__code__", None), "co_flags", None)
        if isinstance(found, int):
            return found
        inner = _wrapped(function)
        if inner is None:
            return 0
        function = inner
    return 0


def _is_partial(function: object) -> TypeIs[partial[Any]]:
    """Whether it is a partial: if nobody imported `functools`, there are none."""
    functools = sys.modules.get("functools")
    return functools is not None and isinstance(function, functools.partial)


def _wrapped(function: object) -> object | None:
    """What a partial, a method or a callable object calls."""
    if _is_partial(function):
        return function.func
    inner: object | None = getattr(function, "__func__", None)
    if inner is not None:
        return inner
    if isinstance(function, type):
        return None
    # `callable` does not say what a call runs.
    call: object | None = getattr(type(function), "__call__", None)  # noqa: B004
    return call if hasattr(call, "__code__") or hasattr(call, "__func__") else None


def is_generator(function: object) -> bool:
    """Whether calling it gives a generator.

    Args:
        function: Any callable.

    Returns:
        True for a generator function, also inside partials, methods and callable objects.

    Example:
        >>> from segue._flags import is_generator
        >>> is_generator(lambda: (yield))
        True
    """
    return bool(flags(function) & GENERATOR)


def asynchronous(function: object) -> str:
    """Name the kind of an asynchronous function.

    Args:
        function: Any callable.

    Returns:
        "async function", "async generator function", or nothing for all others.

    Example:
        >>> from segue._flags import asynchronous
        >>> async def fetch(): ...
        >>> asynchronous(fetch), asynchronous(len)
        ('async function', '')
    """
    found = flags(function)
    if found & COROUTINE:
        return "async function"
    return "async generator function" if found & ASYNC_GENERATOR else ""


def unwrap_do(function: Callable[..., Any]) -> tuple[Callable[..., Any], bool]:
    """Look for the function behind a `@do` function, which a clause calls itself.

    Args:
        function: Any callable.

    Returns:
        What to call, and whether it gives a generator.

    Example:
        >>> from segue import do
        >>> from segue._flags import unwrap_do
        >>> @do
        ... def answer():
        ...     yield
        >>> unwrap_do(answer) == (answer.__wrapped__, True)
        True
    """
    if isinstance(function, DoFunction):
        return function.function, function.is_generator
    if _is_partial(function):
        inner, generates = unwrap_do(function.func)
        return type(function)(inner, *function.args, **function.keywords), generates
    bound: object = getattr(function, "__func__", None)
    if isinstance(bound, DoFunction):
        return bound.function.__get__(getattr(function, "__self__", None)), bound.is_generator
    return function, is_generator(function)
