"""`do`: functions whose calls are programs (semantics 1)."""

from __future__ import annotations

from segue._flags import asynchronous, is_generator
from segue._typing import E, P, R, public
from segue._vm import DoFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, Never, overload

    from segue._vm import DoExpr

if TYPE_CHECKING:

    @overload
    def do(  # type: ignore[overload-overlap] # a generator is the body, whatever else it may be
        function: Callable[P, Generator[E, Any, R]], /
    ) -> Callable[P, DoExpr[R, E]]: ...
    @overload
    def do(function: Callable[P, R], /) -> Callable[P, DoExpr[R, Never]]: ...


@public
def do(function: Callable[..., Any], /) -> Callable[..., Any]:
    """Make a function whose calls are programs.

    A call runs nothing: it is a program that holds the function and its arguments. Evaluating it calls the function
    anew each time; each `yield` inside performs an effect or evaluates a program, and what the function returns is
    the program's result, always as a value. A function without a `yield` works the same.

    Args:
        function: A generator function or a plain function, method, `staticmethod` or `classmethod`.

    Returns:
        A function with the same signature whose calls are programs; the original is its `__wrapped__`.

    Raises:
        TypeError: It is an `async` function, a class, or not callable.

    Example:
        >>> from segue import Get, do, run, state
        >>> @do
        ... def double(key):
        ...     value = yield Get(key)
        ...     return value * 2
        >>> run(double("n"), handlers=[state({"n": 21})]).value
        42
    """
    if type(function) is DoFunction:
        return function
    if isinstance(function, (staticmethod, classmethod)):
        rewrapped: Callable[..., Any] = _rewrap(function)
        return rewrapped
    if isinstance(function, type):
        raise TypeError(f"@do decorates functions, not classes: {function.__qualname__}")
    kind = asynchronous(function)
    if kind:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"@do cannot decorate the {kind} {name}: write it with def, and await with `yield Await(...)`")
    made = DoFunction(function, is_generator(function))
    adopt(made, function)
    return made


def _rewrap(method: Any) -> Any:
    """`@do` on a `staticmethod` or `classmethod` is such a method of a `@do` function."""
    return type(method)(do(method.__func__))


def adopt(wrapper: object, function: object) -> None:
    """Give a wrapper the name and the documentation of what it wraps, as `functools.update_wrapper` does.

    Args:
        wrapper: What gets the attributes.
        function: What has them; it becomes `__wrapped__`.

    Example:
        >>> from segue._do import adopt
        >>> def f(): "Says f."
        >>> def g(): ...
        >>> adopt(g, f)
        >>> g.__name__, g.__wrapped__ is f
        ('f', True)
    """
    # `functools` itself takes a third of this package's time to import.
    attributes = wrapper.__dict__
    attributes.update(getattr(function, "__dict__", {}))
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = getattr(function, name, None)
        if value is not None:
            setattr(wrapper, name, value)
    attributes["__wrapped__"] = function
