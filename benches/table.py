"""The table: each row with its targets, what was measured, a verdict, and the best of the peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benches.row import Measured, Row, met

VERDICTS = {True: "yes", False: "**no**", None: ""}
HEAD = ("row", "what", "unit", "must", "reach", "measured", "must met", "reach met", "best peer")


def number(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ahead(row: Row, value: float) -> str:
    """What was measured; beside asyncio also how far ahead that is."""
    shown = number(value)
    return f"{shown} ({number(1 / value)}x ahead)" if row.unit == "asyncio" and value < 1 else shown


def cells(row: Row, value: float, peers: dict[str, float]) -> tuple[str, ...]:
    """One line."""
    best = min(peers, key=lambda name: peers[name]) if peers else ""
    return (
        row.name,
        row.what,
        row.unit,
        number(row.must),
        number(row.reach),
        ahead(row, value),
        VERDICTS[met(value, row.must)],
        VERDICTS[met(value, row.reach)],
        f"{best} {number(peers[best])}" if best else "",
    )


def lines(head: tuple[str, ...], body: list[tuple[str, ...]]) -> str:
    """A table in Markdown, its columns in line."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = tuple("-" * width for width in widths)
    shown = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in (head, rule, *body)]
    return "\n".join(shown)


def ours(measured: dict[Row, Measured], peers: dict[str, dict[str, float]]) -> str:
    """Segue's table. `peers` holds, by row, the ratios of those that have the row."""
    return lines(HEAD, [cells(row, it.value, peers.get(row.name, {})) for row, it in measured.items()])


def beside(head: tuple[str, ...], first: Mapping[str, tuple[str, ...]], said: dict[str, Any]) -> str:
    """All peers beside the first cells of each line; then why a peer has no number, each reason once."""
    body: list[tuple[str, ...]] = []
    reasons: dict[tuple[str, str], list[str]] = {}
    for asked, ours in first.items():
        line = list(ours)
        for name, it in said.items():
            found = it.get("rows", {}).get(asked, it)
            line.append(number(found["value"]) if "value" in found else "-")
            if "why" in found:
                reasons.setdefault((name, found["why"]), []).append(asked)
        body.append(tuple(line))
    why = [f"- {name}: {', '.join(asked)}: {reason}." for (name, reason), asked in sorted(reasons.items())]
    names = tuple(f"{name} {it.get('version', '')}".strip() for name, it in said.items())
    return "\n".join([lines((*head, *names), body), "", "No number:", "", *why])


def theirs(measured: dict[Row, Measured], said: dict[str, Any]) -> str:
    """All peers beside Segue, row by row."""
    first = {row.name: (row.name, row.unit, number(it.value)) for row, it in measured.items() if row.program}
    return beside(("row", "unit", "segue"), first, said)
