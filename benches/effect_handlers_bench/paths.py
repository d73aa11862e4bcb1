"""Backtracking by replay: what stands in for continuations that are used more than once.

The program is run from its beginning for each way through its choices. A handler answers those that led to this way as
they were answered before, and takes the first branch of each that is new. What a way costs is its whole length, where a
continuation used again costs only what comes after the choice.
"""

from __future__ import annotations


class Path:
    """One way through a program of choices; `advance` makes it the next one.

    >>> path = Path()
    >>> ways = []
    >>> while True:
    ...     ways.append((path.choose(2), path.choose(2)))
    ...     if not path.advance():
    ...         break
    >>> ways
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """

    def __init__(self) -> None:
        """Begin with the first branch of everything."""
        self.taken: list[int] = []
        self.branches: list[int] = []
        self.at = 0

    @property
    def replaying(self) -> bool:
        """Whether the way is still the one that was gone last time."""
        return self.at < len(self.taken)

    def choose(self, branches: int) -> int:
        """Answer the next choice: one of so many, counted from 0."""
        at = self.at
        self.at = at + 1
        if at == len(self.taken):
            self.taken.append(0)
            self.branches.append(branches)
        return self.taken[at]

    def advance(self) -> bool:
        """Turn to the next way, at the last choice that has a branch left; false when all ways were gone."""
        self.at = 0
        while self.taken and self.taken[-1] + 1 == self.branches[-1]:
            self.taken.pop()
            self.branches.pop()
        if not self.taken:
            return False
        self.taken[-1] += 1
        return True
