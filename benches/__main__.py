"""Measures the rows and prints the table: `make bench`; with the peers, `make bench-peers`.

Everything is kept under `target/bench`: the table, the numbers, the rounds, the chart, and what the peers said.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benches import table
from benches.floors import COMPILED
from benches.measure import measure
from benches.peers import field
from benches.peers.worker import run_peer
from benches.row import Measured, Row, UnavailableError
from benches.rows import BY_NAME, ROWS

FOLDER = Path(__file__).resolve().parents[1] / "target" / "bench"
IN_PROCESS = "machine"
"""The peer that needs nothing, and runs in this process."""


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--row", action="append", metavar="NAME", choices=BY_NAME, help="only this row (repeatable)")
    parser.add_argument("--list", action="store_true", help="name the rows, and measure nothing")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, a tenth of the time: a first look")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long the subjects of a row take turns")
    parser.add_argument("--peers", metavar="PYTHON", help="ask the peers of this interpreter's environment too")
    parser.add_argument("--chart", type=Path, default=FOLDER / "chart.svg", help="where the chart goes")
    return parser.parse_args(given)


def sizes(row: Row, *, quick: bool) -> tuple[int, ...]:
    """The sizes to measure at. The amounts of a quick look are whole: one of them is one run."""
    return tuple(max(10, size // 10) for size in row.sizes) if quick and row.amount is None else row.sizes


def of_segue(rows: list[Row], seconds: float, *, quick: bool) -> dict[Row, Measured]:
    """Measure the rows, and say each as it comes."""
    measured = {}
    for row in rows:
        try:
            measured[row] = measure(row, sizes(row, quick=quick), seconds)
        except UnavailableError as error:
            told = f"not measured: {error}"
        else:
            told = f"{table.number(measured[row].value)} {row.unit}"
        print(f"{row.name}: {told}", file=sys.stderr, flush=True)
    return measured


def of_peers(python: str | None, rows: list[Row], seconds: float) -> dict[str, Any]:
    """What the peers say now, or what they said when they were asked last."""
    said = FOLDER / "peers.json"
    if python:
        said.write_text(json.dumps(field.ask_all(python, rows, seconds), indent=1) + "\n")
    known: dict[str, Any] = json.loads(said.read_text()) if said.exists() else {}
    return {IN_PROCESS: run_peer(IN_PROCESS, field.jobs(rows), seconds), **known}


def main() -> None:
    """Measure, print, keep."""
    asked = arguments()
    if asked.list:
        print("\n".join(f"{row.name:30} {row.what}" for row in ROWS))
        return
    from benches import chart, records

    if not COMPILED:
        sys.exit("The floor is not built: `make bench` does it.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = [BY_NAME[name] for name in asked.row] if asked.row else ROWS
    seconds = asked.seconds / 10 if asked.quick else asked.seconds
    measured = of_segue(rows, seconds, quick=asked.quick)
    rows = list(measured)
    said = of_peers(asked.peers, rows, seconds)
    peers = {row.name: field.ratios(said, row.name) for row in rows}
    shown = [table.ours(measured, peers)]
    if asked.peers:
        shown.append(table.theirs(measured, said))
    text = "\n\n".join(shown)
    print(text)
    (FOLDER / "table.md").write_text(text + "\n")
    records.keep(FOLDER, measured, peers)
    about = records.machine()
    chart.draw(
        asked.chart, measured, peers, f"CPython {about.get('python_version', '')}, {about.get('cpu_model_name', '')}"
    )


if __name__ == "__main__":
    main()
