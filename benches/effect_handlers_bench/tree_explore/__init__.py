"""Choosing with a memory: every way down a complete tree of height n; the best result seeds the next of ten rounds.

The suite resumes each `Choose` twice. One ordinary variable, the cell, is *not* set back between the two.
By replay here, in all but the plain version: see `paths.py`. The cell stands still while a path is replayed, as what
happened on it has happened already.
"""

from __future__ import annotations

from typing import NamedTuple

from benches.effect_handlers_bench.paths import Path

ROUNDS = 10


class Node(NamedTuple):
    """A node's value is its height."""

    left: Node | None
    value: int
    right: Node | None


def tree(height):
    """A complete tree; both sides of a node are the same object."""
    node = None
    for value in range(1, height + 1):
        node = Node(node, value, node)
    return node


def operator(x, y):
    """What folds two numbers into one."""
    return abs(x - 503 * y + 37) % 1009


class Cell:
    """The variable, and the path that it stands still on."""

    def __init__(self, value):
        self.value = value
        self.path = Path()

    def fold(self, value):
        """Fold a node's value in, the first time it is come by."""
        if not self.path.replaying:
            self.value = operator(self.value, value)
