"""Ending early: the product of 1000 down to 0, where the 0 ends it from within a thousand calls; n times.

The clause never resumes. The handler is installed anew each time.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager

NUMBERS = range(1000, -1, -1)
ROOM = 3_000


@contextmanager
def room() -> Generator[None]:
    """Let functions be nested as deep as this program nests them: a thousand calls are too many at first."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, ROOM))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
