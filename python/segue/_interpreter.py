"""Which interpreter this is: the machine is at home in the main one (semantics 5).

What the extension remembers, it remembers for the whole process, and those are objects of one interpreter. CPython
keeps an extension like that out of isolated subinterpreters; the others must be told.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

REFUSAL: Final = (
    "segue works in the main interpreter of a process only, and this is a subinterpreter: run programs in threads of "
    "the main one, or in processes of their own (under mod_wsgi: WSGIApplicationGroup %{GLOBAL})"
)
"""What an import says elsewhere."""


def is_main_thread() -> bool:
    """Whether the thread that asks is the main one, as `threading` says.

    Returns:
        What it says now: in the child of a fork the thread that forked is the main one.

    Example:
        >>> from segue._interpreter import is_main_thread
        >>> is_main_thread()
        True
    """
    import threading  # noqa: PLC0415 - it is slow to import, and most programs have it by their first run

    return threading.main_thread().ident == threading.get_ident()


def nothing() -> None:
    """Do nothing: to call it is a moment between two lines of Python, where other threads and signals have a turn.

    Example:
        >>> from segue._interpreter import nothing
        >>> nothing()
    """


def is_main() -> bool:
    """Whether this is the main interpreter of its process.

    Returns:
        True also where the interpreter cannot tell.

    Example:
        >>> from segue._interpreter import is_main
        >>> is_main()
        True
    """
    if sys.version_info >= (3, 12):
        import _thread  # noqa: PLC0415 - only there it can tell

        main: bool = _thread._is_main_interpreter()  # noqa: SLF001
        return main
    try:
        interpreters = __import__("_xxsubinterpreters")
    except ImportError:
        return True
    same: bool = interpreters.get_current() == interpreters.get_main()
    return same
