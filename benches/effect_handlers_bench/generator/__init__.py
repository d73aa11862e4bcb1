"""A walk that its consumer draws from: the nodes of a complete tree of height n in order, added up outside.

The clause does not resume: it gives the value and the rest of the walk, and the consumer goes on with the rest.
"""

from __future__ import annotations

from typing import NamedTuple


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
