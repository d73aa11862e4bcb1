"""`repr` for messages: bounded however big and deep the value is."""

from __future__ import annotations

import reprlib
from typing import Final

_OWN: Final = {"collections", "array"}
"""Modules whose classes the standard library knows how to cut, beside the built-in ones."""
_CUT: Final[tuple[type[object], ...]] = (str, bytes, bytearray, list, tuple, dict, set, frozenset, int)
"""The built-in classes that are cut before they are shown, and so are their heirs that look the same."""


class BoundedRepr(reprlib.Repr):
    """The standard library's, but by what a class is and not by its name; and bytes are cut before they are shown.

    Example:
        >>> BoundedRepr().repr(list(range(10)))
        '[0, 1, 2, 3, 4, 5, ...]'
        >>> len(BoundedRepr().repr(bytes(1_000_000)))
        403
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxstring = 100
        self.maxlong = 60
        self.maxother = 400

    def repr1(self, x: object, level: int) -> str:
        """Show one value.

        Args:
            x: The value.
            level: How many levels deep it may still go.

        Returns:
            Its text.
        """
        kind: type[object] = type(x)
        for base in _CUT:
            # The text is that of the built-in class: it may be cut like one.
            if base in kind.__mro__ and kind.__repr__ is base.__repr__:
                return str(getattr(self, f"repr_{base.__name__}")(x, level))
        if type.__getattribute__(kind, "__module__") in _OWN:
            return super().repr1(x, level)
        return self.repr_instance(x, level)

    def repr_str(self, x: str, level: int) -> str:
        """Show the two ends of a text."""
        size, kept = str.__len__(x), self.maxstring
        if size > 2 * kept:
            x = str.__getitem__(x, slice(kept)) + str.__getitem__(x, slice(size - kept, None))
        return super().repr_str(x, level)

    def repr_bytes(self, x: bytes, _level: int) -> str:
        """Show the beginning of some bytes."""
        return self._beginning(bytes(memoryview(x)[: self.maxother]), len(memoryview(x)))

    def repr_bytearray(self, x: bytearray, _level: int) -> str:
        """Show the beginning of some bytes."""
        return self._beginning(bytearray(memoryview(x)[: self.maxother]), len(memoryview(x)))

    def _beginning(self, shown: bytes | bytearray, size: int) -> str:
        text = repr(shown)
        return text if size <= len(shown) and len(text) <= self.maxother else text[: self.maxother] + "..."
