"""`repr` for messages: bounded however big and deep the value is."""

from __future__ import annotations

import reprlib
from typing import Final

_OWN: Final = {"builtins", "collections", "array"}
"""The modules whose classes the standard library knows how to cut."""


class BoundedRepr(reprlib.Repr):
    """The standard library's, which goes by the name of a class alone: a user's own `set` is none to it.

    Example:
        >>> BoundedRepr().repr(list(range(10)))
        '[0, 1, 2, 3, 4, 5, ...]'
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
        if type.__getattribute__(type(x), "__module__") in _OWN:
            return super().repr1(x, level)
        return self.repr_instance(x, level)
