"""Names of `typing` that cost nothing at run time: importing `typing` takes longer than importing this package.

Type checkers read the first branch. At run time a parameter is a placeholder and `Generic[T]` vanishes from the
bases of a class, so that only annotations, which nobody evaluates, mention what is not there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, Generic, Never, Protocol, TypeAlias, dataclass_transform

    from typing_extensions import ParamSpec, TypeVar

    from segue._effect import Effect
    from segue._vm import K

    P = ParamSpec("P")
    A = TypeVar("A")
    R = TypeVar("R")
    R_co = TypeVar("R_co", covariant=True)
    T = TypeVar("T")
    T_co = TypeVar("T_co", covariant=True)
    E = TypeVar("E", bound="Effect[Any]")
    E1 = TypeVar("E1", bound="Effect[Any]")
    E2 = TypeVar("E2", bound="Effect[Any]")
    E3 = TypeVar("E3", bound="Effect[Any]")
    E4 = TypeVar("E4", bound="Effect[Any]")
    E_co = TypeVar("E_co", bound="Effect[Any]", covariant=True)
    # What nobody said is not checked.
    H = TypeVar("H", bound="Effect[Any]", default=Any)
    Rest = TypeVar("Rest", bound="Effect[Any]", default=Never)

    Bare: TypeAlias = Callable[[Any, K], Any]
    """A control clause for every effect."""

    class Runnable(Protocol[R_co, E_co]):
        """A program or an effect: what evaluates to an `R` and performs `E`; other iterables have no `flat_map`."""

        def __iter__(self) -> Generator[E_co, Any, R_co]: ...
        def flat_map(self, f: Callable[[R_co], Any], /) -> Any: ...

else:

    class _Erased:
        """A base class that leaves no trace."""

        def __getitem__(self, _parameters: object, /) -> _Erased:
            return self

        def __mro_entries__(self, _bases: object, /) -> tuple[()]:
            return ()

    Generic = _Erased()
    P = A = R = T = T_co = E = E1 = E2 = E3 = E4 = H = object
    R_co = E_co = Rest = Bare = Runnable = object

    def dataclass_transform(**_settings: object) -> object:
        """Leave a metaclass as it is."""
        return lambda metaclass: metaclass


def public(exported: T) -> T:
    """Say that users import this from `segue`, whichever module defines it."""
    exported.__module__ = "segue"
    return exported


__all__ = [
    "E1",
    "E2",
    "E3",
    "E4",
    "TYPE_CHECKING",
    "A",
    "Bare",
    "E",
    "E_co",
    "Generic",
    "H",
    "P",
    "R",
    "R_co",
    "Rest",
    "Runnable",
    "T",
    "T_co",
    "dataclass_transform",
    "public",
]
