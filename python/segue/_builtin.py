"""The built-in effects and their handlers: state, reader, writer (semantics 6)."""

from __future__ import annotations

from sys import intern

from segue._effect import Effect, answered_by
from segue._handler import Handler
from segue._typing import Generic, H, R, T, public
from segue._vm import Bracket, DoExpr, EffectBase, HandlerTable, Lazy, WithHandler, safe_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Mapping
    from typing import Any, Never, Self, overload

    from segue._typing import E1, E2, E3, A, Rest, Runnable


@public
class Key(str, Generic[T]):
    """A typed name for a value of the state or of the environment.

    To type checkers `Key[int]("n")` says that the value is an `int`, so that `yield from Get(KEY)` is one. At run time
    a key *is* its name: `Key("n")` gives the plain string, and `Get(KEY)` and `Get("n")` are the same.

    Args:
        name: The name.

    Raises:
        TypeError: The name is no string.

    Example:
        >>> from segue import Get, Key
        >>> N: Key[int] = Key("n")
        >>> Get(N) == Get("n")
        True
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self, name: str, /) -> None: ...

    else:
        __class_getitem__ = classmethod(type(list[int]))

        def __new__(cls, name: str, /) -> str:
            """Give the name itself, so that stores find it the fast way."""
            if not isinstance(name, str):
                raise TypeError(f"Key: the name must be a str, got {safe_repr(name)}")
            return intern(str(name))


@public
class StateGet(Effect["Any"]):
    """The base of every `Get[T]`, by which a handler's type names them all.

    Example:
        >>> from segue import Get, StateGet
        >>> isinstance(Get("n"), StateGet)
        True
    """


@public
class StateModify(Effect["Any"]):
    """The base of every `Modify[T]`, by which a handler's type names them all.

    Example:
        >>> from segue import Modify, StateModify
        >>> isinstance(Modify("n", abs), StateModify)
        True
    """


@public
class Get(StateGet, Generic[T]):
    """Evaluates to the value of `key` in the state.

    Args:
        key: Any hashable; a `Key[T]` says the value's type.

    Raises:
        MissingKeyError: At the perform, when the state has no such key.

    Example:
        >>> from segue import Get, run, state
        >>> run(Get("n"), handlers=[state({"n": 1})]).value
        1
    """

    key: Any

    if TYPE_CHECKING:

        @overload
        def __init__(self, key: Key[T]) -> None: ...
        @overload
        def __init__(self: Get[Any], key: Hashable) -> None: ...
        def __init__(self, key: Any) -> None: ...
        def __iter__(self) -> Generator[Self, Any, T]: ...


@public
class Put(Effect[None]):
    """Sets `key` to `value` in the state. Evaluates to `None`.

    Args:
        key: Any hashable; a `Key[T]` says the value's type.
        value: The new value.

    Example:
        >>> from segue import Put, run, state
        >>> run(Put("n", 2), handlers=[state]).raw_store
        {'n': 2}
    """

    key: Any
    value: Any

    if TYPE_CHECKING:

        @overload
        def __init__(self, key: Key[T], value: T) -> None: ...
        @overload
        def __init__(self, key: Hashable, value: object) -> None: ...
        def __init__(self, key: Any, value: Any) -> None: ...


@public
class Modify(StateModify, Generic[T]):
    """Sets `key` to `f(value)` in the state. Evaluates to the old value.

    Args:
        key: Any hashable; a `Key[T]` says the value's type.
        f: From the old value to the new one.

    Raises:
        TypeError: `f` is not callable.
        MissingKeyError: At the perform, when the state has no such key.

    Example:
        >>> from segue import Modify, run, state
        >>> run(Modify("n", lambda n: n + 1), handlers=[state({"n": 1})]).value
        1
    """

    key: Any
    f: Callable[[Any], Any]

    if TYPE_CHECKING:

        @overload
        def __init__(self, key: Key[T], f: Callable[[T], T]) -> None: ...
        @overload
        def __init__(self: Modify[Any], key: Hashable, f: Callable[[Any], Any]) -> None: ...
        def __init__(self, key: Any, f: Callable[[Any], Any]) -> None: ...
        def __iter__(self) -> Generator[Self, Any, T]: ...

    else:

        def __new__(cls, *args: Any, **kwargs: Any) -> Modify[Any]:
            """Check the function."""
            effect = Effect.__new__(cls, *args, **kwargs)
            if not callable(effect.f):
                raise TypeError(f"Modify: f must be callable, got {safe_repr(effect.f)}")
            return effect


@public
class ReaderAsk(Effect["Any"]):
    """The base of every `Ask[T]`, by which a handler's type names them all.

    Example:
        >>> from segue import Ask, ReaderAsk
        >>> isinstance(Ask("n"), ReaderAsk)
        True
    """


@public
class Ask(ReaderAsk, Generic[T]):
    """Evaluates to the value of `key` in the environment. A `lazy` value is computed at its first `Ask`.

    Args:
        key: Any hashable; a `Key[T]` says the value's type.

    Raises:
        MissingKeyError: At the perform, when the environment has no such key.
        CycleError: At the perform, when the lazy value of `key` asks for itself.

    Example:
        >>> from segue import Ask, reader, run
        >>> run(Ask("who"), handlers=[reader({"who": "me"})]).value
        'me'
    """

    key: Any

    if TYPE_CHECKING:

        @overload
        def __init__(self, key: Key[T]) -> None: ...
        @overload
        def __init__(self: Ask[Any], key: Hashable) -> None: ...
        def __init__(self, key: Any) -> None: ...
        def __iter__(self) -> Generator[Self, Any, T]: ...


@public
class Tell(Effect[None]):
    """Adds an entry to the log. Evaluates to `None`.

    Args:
        x: Any value.

    Example:
        >>> from segue import Tell, run, writer
        >>> list(run(Tell("hi"), handlers=[writer]).log)
        ['hi']
    """

    x: Any


def native_table(kind: str, effects: tuple[type[Effect[Any]], ...]) -> HandlerTable:
    """Say which effects a handler of the machine answers.

    Args:
        kind: The handler's name.
        effects: Its effects, in the order of its clauses.

    Returns:
        The table of the handler's clauses.

    Example:
        >>> from segue._builtin import Tell, native_table
        >>> type(native_table("writer", (Tell,))).__name__
        'HandlerTable'
    """
    clauses = [((effect,), "native", None, False, effect.__name__, False) for effect in effects]
    for effect in effects:
        if "__segue_native__" not in vars(effect):
            effect.__segue_native__ = True
    return HandlerTable(clauses, native=kind)


_TABLES = {
    "state": native_table("state", (Get, Put, Modify)),
    "reader": native_table("reader", (Ask,)),
    "writer": native_table("writer", (Tell,)),
}


@public
class NativeHandler(Handler[H]):
    """A handler that is part of the machine: `state`, `reader` and `writer` are such objects.

    It stands in a list of handlers as it is, or called with settings. Each installation has a state of its own.

    Attributes:
        kind: Which one it is: "state", "reader" or "writer".
        settings: What it starts from, or None when the run says so.

    Example:
        >>> from segue import state
        >>> state({"n": 1})
        state({'n': 1})
    """

    kind: str
    settings: dict[Any, Any] | None

    def __init__(self, kind: str, settings: Mapping[Any, Any] | None = None, /) -> None:
        self.kind = self.__name__ = self.__qualname__ = kind
        self.settings = None if settings is None else dict(settings)
        self.__segue_table__ = _TABLES[kind]

    if TYPE_CHECKING:

        @overload
        def __call__(self, program: Runnable[R, H], /) -> DoExpr[R, Never]: ...
        @overload
        def __call__(self, program: Runnable[R, H | Rest], /) -> DoExpr[R, Rest]: ...
        @overload
        def __call__(self, settings: Mapping[Any, Any] = ..., /) -> NativeHandler[H]: ...

    def __call__(self, given: Any = None, /) -> Any:
        """Configure the handler, or handle a program.

        Args:
            given: The mapping to start from (nothing means an empty one), which is copied; or a program.

        Returns:
            A configured handler; or the program whose effects this handler sees first.

        Raises:
            TypeError: It is neither a mapping nor a program, or this handler has no settings.
        """
        if issubclass(type(given), (DoExpr, EffectBase)):
            return WithHandler(self, given)
        if self.kind == "writer":
            if given is None:
                return NativeHandler(self.kind)
            raise TypeError(f"writer has no settings; call it with a program, got {safe_repr(given)}")
        if given is None:
            given = {}
        if not _is_mapping(given):
            raise TypeError(f"{self.kind} is called with a mapping or with a program, got {safe_repr(given)}")
        return NativeHandler(self.kind, given)

    def __repr__(self) -> str:
        return self.kind if self.settings is None else f"{self.kind}({safe_repr(self.settings)})"


def _is_mapping(value: object) -> bool:
    return hasattr(type(value), "keys") and hasattr(type(value), "__getitem__")


state: NativeHandler[StateGet | Put | StateModify] = NativeHandler("state")
reader: NativeHandler[ReaderAsk] = NativeHandler("reader")
writer: NativeHandler[Tell] = NativeHandler("writer")
answered_by(state, StateGet, Get, Put, StateModify, Modify)
answered_by(reader, ReaderAsk, Ask)
answered_by(writer, Tell)


@public
def lazy(program: Runnable[R, Any], /) -> Lazy[R]:
    """Make a value of the environment that is computed when it is first asked for.

    It is evaluated under its `reader` and the handlers outside it, once for each installation; a failure is raised at
    the `Ask` and not kept (law: semantics 6).

    Args:
        program: A program or an effect.

    Returns:
        The value to put into the environment.

    Raises:
        TypeError: It is neither a program nor an effect.

    Example:
        >>> from segue import Ask, Pure, lazy, reader, run
        >>> run(Ask("n"), handlers=[reader({"n": lazy(Pure(3))})]).value
        3
    """
    return Lazy(program)


@public
def bracket(
    acquire: Runnable[A, E1], use: Callable[[A], Runnable[R, E2]], release: Callable[[A], Runnable[Any, E3]]
) -> DoExpr[R, E1 | E2 | E3]:
    """Use a resource and give it back, however its use ends.

    `release` runs after a value, an error, an unwinding and a cancellation, and what it performs is handled. An error
    of `release` replaces the outcome of `use`, with that as its context.

    Args:
        acquire: The program or effect whose result is the resource.
        use: From the resource to the program that uses it, whose result is the result of all.
        release: From the resource to the program that gives it back.

    Returns:
        The program that does this.

    Raises:
        TypeError: An argument is neither a program (`acquire`) nor callable (the others).

    Example:
        >>> from segue import Pure, Tell, bracket, run, writer
        >>> program = bracket(Pure("file"), lambda f: Tell("read " + f), lambda f: Tell("close " + f))
        >>> list(run(program, handlers=[writer]).log)
        ['read file', 'close file']
    """
    return Bracket(acquire, use, release)
