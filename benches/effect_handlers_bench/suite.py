"""The programs of the suite with their inputs, and each version of each as a round that can be timed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benches.measure import take_turns
from benches.row import Work

CASES: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text())
"""By program: how it uses continuations, and its inputs and outputs by size. `test` and `bench` are the suite's own,
`timed` is what is timed here, `peers` and `slow` are what the peers are timed with."""
VERSIONS = ("with_segue", "machine", "by_hand", "plain")


def main_of(program: str, version: str) -> Callable[[int], int]:
    """The function that is the program, in that version."""
    main: Callable[[int], int] = import_module(f"{__package__}.{program}.{version}").main
    return main


def round_of(program: str, version: str, size: str = "timed") -> Work:
    """One run of that version at a size of the cases. It must come to the listed output."""
    main, case = main_of(program, version), CASES[program][size]
    argument = case["arg"]
    return Work(lambda: str(main(argument)), case["out"], case.get("operations", 1))


@dataclass(frozen=True)
class Timed:
    """What a program came to: by version, the seconds of an operation, round by round; in OCaml, its nanoseconds."""

    program: str
    rounds: dict[str, list[float]]
    ocaml: float | None = None

    def nanoseconds(self, version: str) -> float:
        """Of an operation, in the fastest round."""
        return min(self.rounds[version]) * 1e9

    def ahead(self, version: str) -> float:
        """How many times as long as Segue this version takes."""
        return self.nanoseconds(version) / self.nanoseconds("with_segue")


def timed(program: str, seconds: float, size: str = "timed") -> Timed:
    """Let the versions of a program take turns for so long."""
    return Timed(program, take_turns({version: round_of(program, version, size) for version in VERSIONS}, seconds))
