"""`Effect`: a class statement with annotated fields declares an effect (semantics 2).

The metaclass writes down the fields with their defaults, and makes one descriptor a field; the values stand
in the effect itself, see `segue._vm.EffectBase`. A call by position never enters Python.
"""

from __future__ import annotations

import sys
from keyword import iskeyword

from segue._typing import T_co, dataclass_transform, public
from segue._vm import DoExpr, EffectBase, effect_field, finish_effect, prepare_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from types import ModuleType
    from typing import Any, ClassVar, Self

    from segue._typing import E2, A, Runnable


class _Required:
    """Stands for the default of a field that has none."""

    def __repr__(self) -> str:
        return "<required>"


_REQUIRED = _Required()


@dataclass_transform(frozen_default=True)
class EffectMeta(type):
    """Makes effect classes: frozen, without instance dictionary, with one descriptor a field."""

    __segue_defaults__: dict[str, object]
    """The fields in order, each with its default or the mark that it has none."""
    __segue_fields__: tuple[str, ...]
    """The names of the fields, in order."""
    __segue_rest__: tuple[object, ...]
    """The defaults of the fields that have one: the last ones."""
    __segue_hidden__: tuple[str, ...]
    """The names of those whose values are not shown."""
    __segue_binder__: list[Callable[..., tuple[object, ...]]]
    """What `__segue_bind__` made, if it was asked for."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        hidden: str | Iterable[str] = (),
        **settings: Any,
    ) -> EffectMeta:
        """Make the class and write its fields down.

        Raises:
            TypeError: A field clashes with a method of effects, has a mutable default, or has no default after
                one that has; the class asks for slots of its own; or `hidden` names what is no field.
        """
        own = {field: namespace.pop(field, _REQUIRED) for field in _declared(namespace)}
        for field, default in own.items():
            _check_field(name, field, default)
        if namespace.get("__slots__"):
            raise TypeError(f"{name}: effects have no __slots__ of their own; annotate fields instead")
        namespace["__slots__"] = ()
        cls = super().__new__(mcs, name, bases, namespace, **settings)
        if EffectBase in bases:
            return cls
        fields = _inherited(cls, namespace) | own
        _check_order(name, fields)
        _check_places(cls, tuple(fields))
        cls.__segue_defaults__ = fields
        cls.__segue_fields__ = tuple(fields)
        cls.__segue_rest__ = tuple(default for default in fields.values() if default is not _REQUIRED)
        cls.__segue_hidden__ = _hidden(cls, hidden)
        cls.__segue_binder__ = []
        if "__match_args__" not in namespace:
            setattr(cls, "__match_args__", cls.__segue_fields__)  # noqa: B010 - type checkers derive it from the fields
        for index, (field, default) in enumerate(fields.items()):
            given = () if default is _REQUIRED else (default,)
            setattr(cls, field, effect_field(cls, field, index, *given))
        prepare_effect(cls)
        return cls

    def __init__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        /,
        *,
        hidden: str | Iterable[str] = (),  # noqa: ARG002 - `__new__` wrote it down
        **settings: Any,
    ) -> None:
        super().__init__(name, bases, namespace, **settings)

    @property
    def __segue_bind__(cls) -> Callable[..., tuple[object, ...]]:
        """From arguments as a call has them to the values of the fields: compiled at first need."""
        if not cls.__segue_binder__:
            cls.__segue_binder__.append(_binder(cls, cls.__segue_defaults__))
        return cls.__segue_binder__[0]

    @property
    def __signature__(cls) -> object:
        """What `inspect.signature` says about a call of the class."""
        import inspect  # noqa: PLC0415 - only tools ask, and it is slow to import

        return inspect.signature(getattr(cls, "__segue_bind__", lambda *_fields: ()))


def _declared(namespace: Mapping[str, Any]) -> list[str]:
    """The names that the class body annotates, in order, without class variables."""
    annotations: Mapping[str, object] | None = namespace.get("__annotations__")
    if annotations is None and sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - only there, and only for classes with evaluated annotations

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            annotations = annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return [name for name, annotation in (annotations or {}).items() if not _is_class_variable(annotation)]


def _is_class_variable(annotation: object) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].strip().rpartition(".")[2] == "ClassVar"
    typing = _loaded("typing")
    if typing is None:
        return False
    return annotation is typing.ClassVar or getattr(annotation, "__origin__", None) is typing.ClassVar


def _loaded(module: str) -> ModuleType | None:
    """A module of the standard library, if the program uses it at all."""
    return sys.modules.get(module)


_TAKEN = frozenset({"__debug__", "__signature__"})
"""What the language and the metaclass do not let a class set."""


def _check_field(name: str, field: str, default: object) -> None:
    if not field.isidentifier() or iskeyword(field) or field in _TAKEN or field.startswith("__segue_"):
        raise TypeError(f"{name}: {field!r} is no name for a field")
    if hasattr(EffectBase, field) or field == "__iter__":
        raise TypeError(f"{name}: a field cannot be called {field}: effects have a method of that name")
    if type(default).__hash__ is None:
        raise TypeError(
            f"{name}: the default of {field} is a mutable {type(default).__name__}, which all effects would share; "
            "use an immutable value such as a tuple"
        )
    dataclasses = _loaded("dataclasses")
    if dataclasses is not None and isinstance(default, dataclasses.Field):
        raise TypeError(f"{name}: {field} is a dataclasses.field(); give its default itself")


def _check_order(name: str, fields: Mapping[str, object]) -> None:
    optional = ""
    for field, default in fields.items():
        if default is not _REQUIRED:
            optional = field
        elif optional:
            raise TypeError(f"{name}: field {field} without a default follows field {optional}, which has one")


def _check_places(cls: type, fields: tuple[str, ...]) -> None:
    """A built-in handler reads the fields of its effects by their places, which are the first."""
    for base in cls.__mro__[1:]:
        first: tuple[str, ...] = getattr(base, "__segue_fields__", ())
        if "__segue_native__" in base.__dict__ and fields[: len(first)] != first:
            raise TypeError(f"{cls.__name__}: name {base.__name__} as the last base, so that its fields come first")


def _inherited(cls: type, namespace: Mapping[str, Any]) -> dict[str, object]:
    """The fields of the bases, the most basic first, as dataclasses order them."""
    fields: dict[str, object] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get("__segue_defaults__", {})
    for field in fields:
        if field in namespace:
            raise TypeError(f"{cls.__name__}: {field} hides a field; annotate it to give it another default")
    return fields


def _hidden(cls: EffectMeta, own: str | Iterable[str]) -> tuple[str, ...]:
    """The hidden fields of the class, those of its bases included."""
    hidden = {own} if isinstance(own, str) else set(own)
    unknown = sorted(hidden.difference(cls.__segue_fields__), key=str)
    if unknown:
        raise TypeError(f"{cls.__name__}: hidden={unknown[0]!r} is no field of it")
    for base in cls.__mro__[1:]:
        hidden.update(base.__dict__.get("__segue_hidden__", ()))
    return tuple(field for field in cls.__segue_fields__ if field in hidden)


def _binder(cls: type, fields: Mapping[str, object]) -> Callable[..., tuple[object, ...]]:
    """Compile a function of the fields, so that keywords, defaults and errors are those of any function."""
    defaults = {f"_default_{field}": default for field, default in fields.items() if default is not _REQUIRED}
    parameters = ", ".join(
        field if default is _REQUIRED else f"{field}=_default_{field}" for field, default in fields.items()
    )
    values = "".join(f"{field}, " for field in fields)
    # Only names that `_check_field` took get here.
    bind: Callable[..., tuple[object, ...]] = eval(f"lambda {parameters}: ({values})", defaults)  # noqa: S307
    bind.__name__ = cls.__name__
    bind.__qualname__ = cls.__qualname__
    bind.__module__ = cls.__module__
    return bind


@public
class Effect(EffectBase[T_co], metaclass=EffectMeta):
    """What a program asks for: data that says what, while handlers say how.

    Subclass it with annotated fields; `Effect[R]` says that performing it evaluates to an `R`. Instances are frozen,
    compare and hash by class and fields, match by position, copy and pickle. Fields may have defaults, and are
    inherited. A class statement with `hidden="password"`, or with several names, keeps the values of those fields
    out of the representation, and so out of error messages and traces.

    Args:
        *fields: The values of the fields, by position or keyword.

    Raises:
        TypeError: The arguments do not fit the fields.
        AttributeError: A field is assigned to.

    Example:
        >>> from segue import Effect
        >>> class Fetch(Effect[bytes]):
        ...     url: str
        ...     retries: int = 0
        >>> Fetch("a", retries=2)
        Fetch(url='a', retries=2)
        >>> Fetch("a") == Fetch(url="a", retries=0)
        True
        >>> class Login(Effect[bool], hidden="password"):
        ...     user: str
        ...     password: str
        >>> Login("ada", "swordfish")
        Login(user='ada', password=…)
    """

    if TYPE_CHECKING:
        __segue_handler__: ClassVar[object]
        __segue_native__: ClassVar[bool]

        def map(self, f: Callable[[T_co], A]) -> DoExpr[A, Self]: ...
        def flat_map(self, f: Callable[[T_co], Runnable[A, E2]]) -> DoExpr[A, Self | E2]: ...

    def __iter__(self) -> Generator[Self, Any, T_co]:
        """Perform it: `yield from effect` means `yield effect`, and carries the type of the answer.

        Returns:
            A generator that yields the effect and returns the answer.

        Example:
            >>> from segue import Get
            >>> next(iter(Get("n")))
            Get(key='n')
        """
        answer: T_co = yield self
        return answer


def answered_by(handler: object, *effects: type[Effect[Any]]) -> None:
    """Finish classes of the library: this is the handler that the error about an unhandled one recommends.

    Args:
        handler: What it names.
        *effects: The classes. What one of them says already stays; nobody changes them from now on.
    """
    for effect in effects:
        if "__segue_handler__" not in vars(effect):
            effect.__segue_handler__ = handler
        finish_effect(effect)


def _evaluate(self: DoExpr[Any, Any]) -> Generator[Any, Any, Any]:
    """Evaluate it: `yield from program` means `yield program`, and carries the type of the result."""
    return (yield self)


# A generator function is the fastest thing to delegate to; the extension has none to offer.
setattr(DoExpr, "__iter__", _evaluate)  # noqa: B010 - to type checkers it is the stub's method
