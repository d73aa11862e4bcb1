"""Measures the field's suite and prints the table: `make bench-suite`. The numbers are kept under `target/bench`."""

from __future__ import annotations

import argparse
import json
import sys

from benches.__main__ import FOLDER
from benches.effect_handlers_bench import report, suite
from benches.table import number


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.effect_handlers_bench", description=__doc__)
    parser.add_argument("--program", action="append", choices=suite.CASES, help="only this program (repeatable)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the versions of a program take turns")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    """Measure, print, keep."""
    asked = arguments(given)
    measured = []
    for program in asked.program or suite.CASES:
        it = suite.timed(program, asked.seconds)
        told = f"{number(it.nanoseconds('with_segue'))} ns, {number(it.ahead('machine'))} times ahead of the machine"
        print(f"{program}: {told}", file=sys.stderr, flush=True)
        measured.append(it)
    text = report.table(measured)
    print(text)
    from benches import records

    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "suite.md").write_text(text + "\n")
    kept = {"machine": records.machine(), "programs": report.data(measured)}
    (FOLDER / "suite.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
