"""Segue in the peers' environment: beside it they differ by what they are, and not by their interpreter."""

from benches.rows import effects, tasks

PACKAGE = None
WITHOUT: dict[str, str] = {}
ROWS = {row.name: row.subject for row in (*effects.ROWS, *tasks.ROWS) if row.program} | {"lookup-0": effects.below(0)}
"""By the names of the rows: two of them may be one program to the peers, as calls are, and two to Segue."""
