"""Measures the field's suite and prints the table: `make bench-suite`; with the peers, `make bench-suite-peers`.

The numbers are kept under `target/bench`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any

from benches.__main__ import FOLDER
from benches.effect_handlers_bench import ocaml, peers, report, suite
from benches.table import number


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.effect_handlers_bench", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--program", action="append", choices=suite.CASES, help="only this program (repeatable)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the versions of a program take turns")
    parser.add_argument("--peers", metavar="PYTHON", help="ask the peers of this interpreter's environment too")
    return parser.parse_args(given)


def measure(program: str, seconds: float, compiler: ocaml.Compiler | None) -> suite.Timed:
    """Time a program's versions, and its program in OCaml, and say how far ahead Segue is."""
    it = suite.timed(program, seconds)
    if compiler:
        it = replace(it, ocaml=ocaml.timed(compiler, program, seconds / len(suite.VERSIONS)))
    told = f"{number(it.nanoseconds('with_segue'))} ns, {number(it.ahead('machine'))} times ahead of the machine"
    print(f"{program}: {told}", file=sys.stderr, flush=True)
    return it


def ask(python: str, programs: list[str], seconds: float) -> dict[str, Any]:
    """What each peer says."""
    said = {}
    for peer in peers.PEERS:
        print(f"asking {peer}", file=sys.stderr, flush=True)
        said[peer] = peers.ask(python, peer, programs, seconds)
    return said


def main(given: list[str] | None = None) -> None:
    """Measure, print, keep."""
    asked = arguments(given)
    programs = asked.program or list(suite.CASES)
    compiler = ocaml.find()
    measured = [measure(program, asked.seconds, compiler) for program in programs]
    said = ask(asked.peers, programs, asked.seconds) if asked.peers else {}
    shown = [report.table(measured, compiler.version if compiler else None)]
    if said:
        shown.append(report.theirs(measured, said))
    text = "\n\n".join(shown)
    print(text)
    from benches import records

    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "suite.md").write_text(text + "\n")
    kept = {"machine": records.machine(), "programs": report.data(measured), "peers": said}
    (FOLDER / "suite.json").write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
