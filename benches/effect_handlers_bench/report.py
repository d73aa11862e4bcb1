"""What the suite came to: a table for people, and the same as data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from benches.effect_handlers_bench.suite import CASES, VERSIONS, Timed
from benches.row import met
from benches.table import VERDICTS, lines, number

WANTED = 3.0
"""How many times ahead of the generic machine Segue is to be where a continuation is used once at most."""
HEAD = ("program", "continuations", "n", "segue", "machine", "by hand", "plain", "ahead of machine", f"{WANTED:g}x")
ABSENT = "OCaml 5 has no column: `ocamlfind ocamlopt` is not installed here."
UNUSED = "OCaml 5 has no column: `ocamlfind ocamlopt` is installed, but no programs for it are kept here."


def judged(program: str) -> bool:
    """Whether the target is for this program: not where continuations are used more than once, or not at all."""
    return CASES[program]["continuations"] in {"used once", "dropped"}


def verdict(it: Timed) -> bool | None:
    """Whether Segue is as far ahead of the machine as it is to be; `None` where nothing is asked for."""
    return met(WANTED, it.ahead("machine")) if judged(it.program) else None


def cells(it: Timed) -> tuple[str, ...]:
    """One line."""
    case = CASES[it.program]
    return (
        it.program,
        case["continuations"],
        str(case["timed"]["arg"]),
        *(number(it.nanoseconds(version)) for version in VERSIONS),
        f"{number(it.ahead('machine'))}x",
        VERDICTS[verdict(it)],
    )


def ocaml() -> str:
    """Why there is no column for OCaml 5."""
    find = shutil.which("ocamlfind")
    if find is None or subprocess.run([find, "ocamlopt", "-version"], capture_output=True, check=False).returncode:
        return ABSENT
    return UNUSED


def table(measured: Sequence[Timed]) -> str:
    """All lines: nanoseconds of an operation, and how far ahead Segue is."""
    return "\n\n".join([lines(HEAD, [cells(it) for it in measured]), ocaml()])


def data(measured: Sequence[Timed]) -> list[dict[str, Any]]:
    """The same, each with its rounds."""
    return [
        {
            "program": it.program,
            **CASES[it.program],
            "nanoseconds": {version: it.nanoseconds(version) for version in VERSIONS},
            "ahead": {version: it.ahead(version) for version in VERSIONS[1:]},
            "met": verdict(it),
            "rounds": it.rounds,
        }
        for it in measured
    ]
