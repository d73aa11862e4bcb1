"""What the suite came to: a table for people, and the same as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benches.effect_handlers_bench.suite import CASES, VERSIONS, Timed
from benches.row import met
from benches.table import VERDICTS, beside, lines, number

WANTED = 3.0
"""How many times ahead of the generic machine Segue is to be where a continuation is used once at most."""
ABSENT = "OCaml 5 has no column: no `ocamlopt` of version 5 or newer is installed here."
RATIOS = "Beside the peers: an operation in operations of the machine, each on its own interpreter. Less is better."


def judged(program: str) -> bool:
    """Whether the target is for this program: not where continuations are used more than once, or not at all."""
    return CASES[program]["continuations"] in {"used once", "dropped"}


def verdict(it: Timed) -> bool | None:
    """Whether Segue is as far ahead of the machine as it is to be; `None` where nothing is asked for."""
    return met(WANTED, it.ahead("machine")) if judged(it.program) else None


def head(ocaml: str | None) -> tuple[str, ...]:
    """The first line: `ocaml` is the compiler's version, if there is one."""
    native = (f"ocaml {ocaml}",) if ocaml else ()
    versions = ("segue", "machine", "by hand", "plain", *native)
    return ("program", "continuations", "n", *versions, "ahead of machine", f"{WANTED:g}x")


def cells(it: Timed, ocaml: str | None) -> tuple[str, ...]:
    """One line."""
    case = CASES[it.program]
    native = (number(it.ocaml) or "-",) if ocaml else ()
    return (
        it.program,
        case["continuations"],
        str(case["timed"]["arg"]),
        *(number(it.nanoseconds(version)) for version in VERSIONS),
        *native,
        f"{number(it.ahead('machine'))}x",
        VERDICTS[verdict(it)],
    )


def table(measured: Sequence[Timed], ocaml: str | None = None) -> str:
    """All lines: nanoseconds of an operation, and how far ahead Segue is."""
    shown = lines(head(ocaml), [cells(it, ocaml) for it in measured])
    return shown if ocaml else f"{shown}\n\n{ABSENT}"


def theirs(measured: Sequence[Timed], said: dict[str, Any]) -> str:
    """The peers beside Segue, as ratios to the machine; then why a peer has no number."""
    first = {it.program: (it.program, number(1 / it.ahead("machine"))) for it in measured}
    return f"{RATIOS}\n\n{beside(('program', 'segue'), first, said)}"


def data(measured: Sequence[Timed]) -> list[dict[str, Any]]:
    """The same, each with its rounds."""
    return [
        {
            "program": it.program,
            **CASES[it.program],
            "nanoseconds": {version: it.nanoseconds(version) for version in VERSIONS},
            "ocaml": it.ocaml,
            "ahead": {version: it.ahead(version) for version in VERSIONS[1:]},
            "met": verdict(it),
            "rounds": it.rounds,
        }
        for it in measured
    ]
