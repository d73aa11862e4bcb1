"""Segue in the peers' environment: beside it they differ by what they are, and not by their interpreter."""

from benches.rows import effects, tasks

PACKAGE = None
WITHOUT: dict[str, str] = {}
ROWS = {row.program: row.subject for row in (*effects.ROWS, *tasks.ROWS) if row.program} | {
    "lookup-0": effects.below(0)
}
