"""Handlers: clauses that answer effects, in shapes of increasing power (semantics 2).

Here is what makes them; the machine reads the `HandlerTable` that each carries as `__segue_table__`.
"""

from __future__ import annotations

from segue._do import adopt
from segue._flags import ASYNC_GENERATOR, COROUTINE, GENERATOR, asynchronous, unwrap_do
from segue._typing import E1, E2, E3, E4, Generic, H, R, public
from segue._vm import DoExpr, DoFunction, EffectBase, HandlerBase, HandlerTable, K, WithHandler, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FunctionType
    from typing import Any, Literal, Never, Protocol, TypeAlias, overload

    from typing_extensions import TypeIs

    from segue._effect import Effect
    from segue._typing import Bare, Rest, Runnable

    Form: TypeAlias = Literal["value", "control"]
    Clause: TypeAlias = tuple[tuple[type, ...] | None, str, Callable[..., Any] | None, bool, str, bool]
    Hook: TypeAlias = tuple[Callable[..., Any], bool] | None

    class _ValueClause(Protocol[H]):
        """What `@answers` takes, on functions and on methods."""

        @overload
        def __call__(self, function: Callable[[H], object], /) -> FunctionHandler[H]: ...
        @overload
        def __call__(self, function: Callable[[Any, H], object], /) -> FunctionHandler[H]: ...

    class _ControlClause(Protocol[H]):
        """What `@handles` takes, on functions and on methods."""

        @overload
        def __call__(self, function: Callable[[H, K], object], /) -> FunctionHandler[H]: ...
        @overload
        def __call__(self, function: Callable[[Any, H, K], object], /) -> FunctionHandler[H]: ...

    class _Items(Generic[H]):
        """A tuple, which type checkers must not take for a sequence: `run` types sequences more loosely."""

        def __iter__(self) -> Iterator[Handler[Any]]: ...
        def __len__(self) -> int: ...
        def __getitem__(self, index: int, /) -> Handler[Any]: ...

else:
    _Items = tuple
    FunctionType = type(adopt)

_HOOKS = ("enter", "result", "error", "exit", "fork", "report")


@public
class Handler(HandlerBase, Generic[H]):
    """A handler with state and a life cycle: subclass it and mark methods with `@answers` or `@handles`.

    Each installation works on a fresh shallow copy of the object, so one object may be installed many times. Methods
    are inherited and overridden as usual: an override of a clause is a clause for the same effects, and `None` in its
    place removes it. `Handler[E1 | E2]` tells type checkers which effects it handles.

    Example:
        >>> from segue import Effect, Handler, answers, do, run
        >>> class Ping(Effect[int]):
        ...     n: int = 0
        >>> class Counter(Handler[Ping]):
        ...     def enter(self):
        ...         self.n = 0
        ...     @answers(Ping)
        ...     def ping(self, effect):
        ...         self.n += effect.n
        ...         return self.n
        ...     def result(self, value):
        ...         return (value, self.n)
        >>> run(Ping(2), handlers=[Counter()]).value
        (2, 2)
    """

    __segue_table__: HandlerTable

    def __init_subclass__(cls, *, _table: bool = True, **settings: Any) -> None:
        """Write the clauses and the life cycle of the class down.

        Raises:
            TypeError: A method of the life cycle is asynchronous or not a method.
        """
        super().__init_subclass__(**settings)
        if _table:
            hooks = [_hook(cls, name) for name in _HOOKS]
            cls.__segue_table__ = HandlerTable(_collect(cls), *hooks)

    def enter(self) -> Any:
        """Prepare this installation. Runs outside the handler, before the body; may perform."""

    def result(self, value: Any) -> Any:
        """Map the body's normal result. Runs outside the handler; may perform.

        Args:
            value: What the body returned.

        Returns:
            What the handled program comes to.
        """
        return value

    def error(self, error: Exception) -> Any:
        """Answer an `Exception` of the body, or raise it again. Runs outside the handler; may perform.

        Args:
            error: What left the body.

        Returns:
            What the handled program comes to instead.

        Raises:
            Exception: The error again, when this method has no answer.
        """
        raise error

    def exit(self) -> Any:
        """Clean up. Runs last and once, however the block is left; may perform."""

    def fork(self) -> Any:
        """Make the handler that a child task gets.

        Returns:
            Another handler object; or None, and the child shares this installation.
        """

    def report(self) -> Any:
        """Say what `RunResult.reports` shows about this installation after a run.

        Returns:
            Any value.
        """

    if TYPE_CHECKING:

        @overload
        def __or__(self, other: Handler[E2] | HandlerStack[E2], /) -> HandlerStack[H | E2]: ...
        @overload
        def __or__(self, other: Bare, /) -> HandlerStack[Any]: ...

    def __or__(self, other: object, /) -> Any:
        """Put handlers in order: `h1 | h2` is `[h1, h2]`, the last innermost."""
        return _stack((self,), other)

    def __ror__(self, other: Bare, /) -> Any:
        return _stack((), other, (self,))

    if TYPE_CHECKING:

        @overload
        def __call__(self, program: Runnable[R, H], /) -> DoExpr[R, Never]: ...
        @overload
        def __call__(self, program: Runnable[R, H | Rest], /) -> DoExpr[R, Rest]: ...

    def __call__(self, program: Any, /) -> Any:
        """Handle a program: `h(p)` is `WithHandler(h, p)`.

        Args:
            program: A program or an effect.

        Returns:
            The program whose effects this handler sees first.

        Raises:
            TypeError: It is neither.
        """
        return WithHandler(self, program)

    def __repr__(self) -> str:
        return f"<handler {type(self).__qualname__}>"


Handler.__segue_table__ = HandlerTable([])


@public
class FunctionHandler(Handler[H], _table=False):
    """A handler of one clause: what `@answers` and `@handles` make of a function, which is its `__wrapped__`.

    As a decorator on a method of a `Handler` class it marks the method as a clause, and the method is called as usual.

    Args:
        function: The clause.
        form: "value" for a clause of one argument, "control" for one that gets the continuation too.
        classes: The effect classes that it accepts, or None for all.

    Raises:
        TypeError: The function is asynchronous, a class, or not callable.

    Example:
        >>> from segue import Effect, answers, run
        >>> class Ping(Effect[int]):
        ...     n: int
        >>> @answers(Ping)
        ... def ping(effect):
        ...     return effect.n + 1
        >>> run(Ping(1), handlers=ping).value
        2
    """

    def __init__(
        self, function: Callable[..., object], /, form: Form, classes: tuple[type[EffectBase[Any]], ...] | None
    ) -> None:
        called, generates = _check_clause(function)
        adopt(self, function)
        self.__segue_clause__: tuple[tuple[type, ...] | None, Form] = (classes, form)
        name = getattr(called, "__name__", type(called).__name__)
        self.__segue_table__ = HandlerTable([(classes, form, called, generates, name, False)])

    if TYPE_CHECKING:
        __wrapped__: Callable[..., Any]

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type, /) -> FunctionHandler[H]: ...
        @overload
        def __get__(self, instance: object, owner: type | None = None, /) -> Callable[..., Any]: ...

    def __get__(self, instance: object, owner: type | None = None, /) -> Any:
        return self.__wrapped__.__get__(instance, owner) if _is_stateful(instance) else self

    if TYPE_CHECKING:

        @overload
        def __call__(self, program: Runnable[R, H], /) -> DoExpr[R, Never]: ...
        @overload
        def __call__(self, program: Runnable[R, H | Rest], /) -> DoExpr[R, Rest]: ...

    def __call__(self, program: Any, /) -> Any:
        """Handle a program: `h(p)` is `WithHandler(h, p)`. The function itself is `h.__wrapped__`.

        Args:
            program: A program or an effect.

        Returns:
            The program whose effects this handler sees first.

        Raises:
            TypeError: It is neither.
        """
        try:
            return super().__call__(program)
        except TypeError as error:
            error.add_note(f"{self!r} is a handler, which is called with a program; its function is __wrapped__")
            raise

    def __repr__(self) -> str:
        return f"<handler {getattr(self, '__qualname__', None) or safe_repr(self.__wrapped__)}>"


@public
class HandlerStack(_Items[H]):
    """Handlers in order, the first outermost: what `h1 | h2` gives. Immutable, and callable on a program.

    Args:
        handlers: Handlers, bare callables among them.

    Raises:
        TypeError: One of them is no handler.

    Example:
        >>> from segue import HandlerStack, Tell, run, state, writer
        >>> handlers = state({"n": 1}) | writer
        >>> isinstance(handlers, HandlerStack), len(handlers)
        (True, 2)
        >>> list(run(Tell("hi"), handlers).log)
        ['hi']
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, handlers: Iterable[Handler[H]] = (), /) -> None: ...

    else:

        def __new__(cls, handlers: Iterable[Handler[H]] = (), /) -> HandlerStack[H]:
            """Check that each is a handler."""
            items = tuple(handlers)
            for item in items:
                as_handler(item)
            return tuple.__new__(cls, items)

    if TYPE_CHECKING:

        @overload
        def __or__(self, other: Handler[E2] | HandlerStack[E2], /) -> HandlerStack[H | E2]: ...
        @overload
        def __or__(self, other: Bare, /) -> HandlerStack[Any]: ...

    def __or__(self, other: object, /) -> Any:
        return _stack(tuple(self), other)

    def __ror__(self, other: Bare, /) -> Any:
        return _stack((), other, tuple(self))

    if TYPE_CHECKING:

        @overload
        def __call__(self, program: Runnable[R, H], /) -> DoExpr[R, Never]: ...
        @overload
        def __call__(self, program: Runnable[R, H | Rest], /) -> DoExpr[R, Rest]: ...

    def __call__(self, program: Any, /) -> Any:
        """Handle a program: the last handler is innermost and sees effects first.

        Args:
            program: A program or an effect.

        Returns:
            The program inside the handlers; `program` itself when there are none.

        Raises:
            TypeError: It is neither a program nor an effect.
        """
        handled: Any = program
        for handler in reversed(tuple(self)):
            handled = WithHandler(handler, handled)
        return handled

    def __repr__(self) -> str:
        return f"HandlerStack([{', '.join(safe_repr(handler) for handler in self)}])"


def _stack(before: tuple[Any, ...], other: object, after: tuple[Any, ...] = ()) -> Any:
    """The handlers before, in and after `other`; `NotImplemented` when that is no handler and holds none."""
    between: tuple[Any, ...]
    if _is_sequence(other):
        between = tuple(other)
    elif _is_handler(other) or callable(other):
        between = (other,)
    else:
        return NotImplemented
    return HandlerStack(before + between + after)


if TYPE_CHECKING:

    @overload
    def answers() -> _ValueClause[Effect[Any]]: ...
    @overload
    def answers(effect: type[E1], /) -> _ValueClause[E1]: ...
    @overload
    def answers(effect: type[E1], effect2: type[E2], /) -> _ValueClause[E1 | E2]: ...
    @overload
    def answers(effect: type[E1], effect2: type[E2], effect3: type[E3], /) -> _ValueClause[E1 | E2 | E3]: ...
    @overload
    def answers(
        effect: type[E1], effect2: type[E2], effect3: type[E3], effect4: type[E4], /, *effects: type[E4]
    ) -> _ValueClause[E1 | E2 | E3 | E4]: ...


@public
def answers(*effects: type) -> Any:
    """Make a handler of a *value clause*: a function of the effect whose result is the answer.

    A generator function (or a `@do` function) runs as a program outside the handler, and its result is the answer.
    There is no continuation, which makes this the cheapest handler. What it raises is raised at the perform.

    Args:
        *effects: The effect classes to answer; subclasses count. None of them means every effect.

    Returns:
        A decorator for functions `clause(effect)`, and for methods `clause(self, effect)` of `Handler` classes.

    Raises:
        TypeError: One of them is no effect class; or the function is asynchronous, a class, or not callable.

    Example:
        >>> from segue import Effect, answers, run
        >>> class Ask2(Effect[str]):
        ...     question: str
        >>> @answers(Ask2)
        ... def oracle(effect):
        ...     return effect.question + "? Yes."
        >>> run(Ask2("So"), handlers=[oracle]).value
        'So? Yes.'
    """
    return _decorator("value", _effect_classes("answers", effects))


if TYPE_CHECKING:

    @overload
    def handles() -> _ControlClause[Effect[Any]]: ...
    @overload
    def handles(effect: type[E1], /) -> _ControlClause[E1]: ...
    @overload
    def handles(effect: type[E1], effect2: type[E2], /) -> _ControlClause[E1 | E2]: ...
    @overload
    def handles(effect: type[E1], effect2: type[E2], effect3: type[E3], /) -> _ControlClause[E1 | E2 | E3]: ...
    @overload
    def handles(
        effect: type[E1], effect2: type[E2], effect3: type[E3], effect4: type[E4], /, *effects: type[E4]
    ) -> _ControlClause[E1 | E2 | E3 | E4]: ...


@public
def handles(*effects: type) -> Any:
    """Make a handler of a *control clause*: a function of the effect and its continuation `k`.

    The clause decides how the body goes on: `return Resume(k, value)` continues it; a plain value that is returned
    without `k` used becomes the result of the handled program, and the body is ended.

    Args:
        *effects: The effect classes to handle; subclasses count. None of them means every effect.

    Returns:
        A decorator for functions `clause(effect, k)`, and for methods `clause(self, effect, k)` of `Handler` classes.

    Raises:
        TypeError: One of them is no effect class; or the function is asynchronous, a class, or not callable.

    Example:
        >>> from segue import Effect, Resume, handles, run
        >>> class Ping(Effect[int]): ...
        >>> @handles(Ping)
        ... def twice(effect, k):
        ...     answer = yield Resume(k, 21)
        ...     return answer * 2
        >>> run(Ping(), handlers=[twice]).value
        42
    """
    return _decorator("control", _effect_classes("handles", effects))


def _decorator(form: Form, classes: tuple[type, ...] | None) -> Callable[[Callable[..., Any]], FunctionHandler[Any]]:
    return lambda function: FunctionHandler(function, form, classes)


def as_handler(given: object) -> HandlerBase[Any]:
    """Find the handler object for what a user gives as a handler.

    Args:
        given: A handler, or a bare callable, which is a control clause for every effect.

    Returns:
        The handler object.

    Raises:
        TypeError: It is no handler; says what it is, and what was probably meant.

    Example:
        >>> from segue._handler import as_handler
        >>> def stop(effect, k):
        ...     return None
        >>> as_handler(stop)
        <handler stop>
    """
    if type(given) is FunctionType:
        return FunctionHandler(given, "control", None)
    if _is_handler(given):
        return given
    if isinstance(given, type):
        advice = "make an instance" if HandlerBase in given.__mro__ else "a handler is an object or a function"
        raise TypeError(f"the class {given.__qualname__} is no handler: {advice}")
    if issubclass(type(given), (DoExpr, EffectBase)):
        raise TypeError(f"{safe_repr(given)} is a program, no handler; a handler answers what a program performs")
    if _is_sequence(given):
        raise TypeError(f"{safe_repr(given)} is a sequence where one handler is asked for: put its items there")
    if not callable(given):
        if type(given).__name__ == "coroutine":
            given.close()  # type: ignore[attr-defined]
        raise TypeError(f"{safe_repr(given)} (of type {type(given).__qualname__}) is no handler")
    return FunctionHandler(given, "control", None)


def _is_handler(value: object) -> TypeIs[HandlerBase[Any]]:
    """By the real class: what a `__class__` says is no help to the machine."""
    return issubclass(type(value), HandlerBase)


def _is_stateful(value: object) -> bool:
    return isinstance(value, Handler)


def _is_clause(value: object) -> TypeIs[FunctionHandler[Any]]:
    return isinstance(value, FunctionHandler)


def _is_sequence(value: object) -> TypeIs[tuple[Any, ...] | list[Any]]:
    return isinstance(value, (tuple, list))


def _effect_classes(decorator: str, effects: tuple[type, ...]) -> tuple[type, ...] | None:
    for effect in effects:
        is_class = isinstance(effect, type)  # pyright: ignore[reportUnnecessaryIsInstance] # users err
        if is_class and EffectBase in effect.__mro__:
            continue
        if not is_class and len(effects) == 1 and callable(effect):
            raise TypeError(f"@{decorator} takes effect classes: write @{decorator}(E), or @{decorator}() for all")
        raise TypeError(
            f"@{decorator} takes effect classes, got {safe_repr(effect)}: effects are accepted by their real class, "
            "so neither an ABC nor any other class that does not derive from Effect can name them"
        )
    return effects or None


def _check_clause(function: Callable[..., object]) -> tuple[Callable[..., object], bool]:
    """What the machine calls for a clause, and whether it gives a generator."""
    if type(function) is FunctionType:
        found = function.__code__.co_flags
        if not found & (COROUTINE | ASYNC_GENERATOR):
            return function, bool(found & GENERATOR)
    if _is_handler(function):
        raise TypeError(f"{function!r} is a handler already: list all its effect classes in one decorator")
    if isinstance(function, classmethod):
        raise TypeError("a clause cannot be a classmethod: it works on the installation, its self")
    if isinstance(function, staticmethod):
        return _check_clause(function.__func__)
    if isinstance(function, type):
        raise TypeError(f"a clause is a function, got the class {function.__qualname__}")
    if not callable(function):
        raise TypeError(f"a clause is a function, got {safe_repr(function)}")
    kind = asynchronous(function)
    if kind:
        name = getattr(function, "__qualname__", safe_repr(function))
        raise TypeError(f"the {kind} {name} cannot be a clause: write it with def, and await with `yield Await(...)`")
    return unwrap_do(function)


def _collect(cls: type[Handler[Any]]) -> list[Clause]:
    """The clauses of a class, those of subclasses first, each name once."""
    clauses: list[Clause] = []
    seen: set[str] = set()
    for index, base in enumerate(cls.__mro__):
        for name, attribute in base.__dict__.items():
            if name in seen:
                continue
            seen.add(name)
            marked = attribute if _is_clause(attribute) else None
            if marked is None and _is_method(attribute):
                marked = _marked(cls.__mro__[index + 1 :], name)
            if marked is None:
                continue
            function = _definition(marked, attribute)
            called, generates = _check_clause(function)
            classes, form = marked.__segue_clause__
            clauses.append((classes, form, called, generates, name, not isinstance(function, staticmethod)))
    return clauses


def _is_method(attribute: object) -> bool:
    return isinstance(attribute, (FunctionType, staticmethod, DoFunction))


def _definition(marked: FunctionHandler[Any], attribute: object) -> Any:
    """What the class body has under the name of a clause: the decorated function, or one that overrides it."""
    return marked.__wrapped__ if attribute is marked else attribute


def _marked(bases: tuple[type, ...], name: str) -> FunctionHandler[Any] | None:
    """The clause that a method overrides, if it overrides one."""
    for base in bases:
        attribute = base.__dict__.get(name)
        if _is_clause(attribute):
            return attribute
        if attribute is None and name in base.__dict__:
            return None
    return None


def _hook(cls: type[Handler[Any]], name: str) -> Hook:
    """A method of the life cycle, when the class has its own."""
    base = next(base for base in cls.__mro__ if name in base.__dict__)
    method = base.__dict__[name]
    if base is Handler or method is None:
        return None
    if isinstance(method, (FunctionHandler, staticmethod, classmethod)) or not callable(method):
        raise TypeError(f"{cls.__qualname__}.{name} belongs to the life cycle of handlers: it must be a plain method")
    kind = asynchronous(method)
    if kind:
        raise TypeError(f"{cls.__qualname__}.{name} is an {kind}: write it with def, and await with `yield Await(...)`")
    return unwrap_do(method)
