"""Copies of handlers: each installation works on one (semantics 2)."""

from __future__ import annotations

from copy import copy
from copyreg import dispatch_table

_PROTOCOL = ("__reduce_ex__", "__reduce__", "__getstate__")
_OWN = ("__copy__", "__setstate__", "__getnewargs__", "__getnewargs_ex__")


def fresh(handler: object) -> object:
    """Copy a handler as `copy.copy` does.

    Where the class has no say in it, attributes are set one by one: the interpreter then keeps them in the object
    itself, where clauses read and write them in half the time that a dictionary takes which was filled at once.
    """
    cls = type(handler)
    if not _is_plain(cls):
        return copy(handler)
    attributes = getattr(handler, "__dict__", {})
    if not all(type(name) is str and _is_free(cls, name) for name in attributes):
        return copy(handler)
    new = cls.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(new, name, value)
    return new


def _is_plain(cls: type) -> bool:
    """Whether instances are copied as those of any class are, and have all they have in a dictionary."""
    return (
        cls not in dispatch_table
        and all(getattr(cls, name) is getattr(object, name) for name in _PROTOCOL)
        and not any(hasattr(cls, name) for name in _OWN)
        and not any(base.__dict__.get("__slots__") for base in cls.__mro__)
    )


def _is_free(cls: type, name: str) -> bool:
    """Whether setting that attribute of an instance runs nothing of the class."""
    first: object = next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)
    kind: type = type(first)
    return not hasattr(kind, "__set__")
