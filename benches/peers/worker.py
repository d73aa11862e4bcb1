"""Runs one peer's rows, in the peers' environment: `python -m benches.peers.worker NAME < jobs.json`.

Each row is a ratio to what this process itself can do, as Segue's are: bare U, or asyncio's loop, or the peer's own
program without handlers between. So it matters little that the peers may live on another interpreter. What cannot run
is told, with the reason, and is no row.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import logging
import platform
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benches import floors
from benches.loops import LOOPS
from benches.measure import against
from benches.row import Make

EFFECTS = {"U", "depth 1"}


def floor(module: ModuleType, unit: str, program: str) -> Make:
    """What a row of this unit is compared with."""
    if unit == "U":
        return floors.bare
    return module.ROWS["lookup-0"] if unit == "depth 1" else LOOPS[program]


def reason(module: ModuleType, unit: str, program: str) -> str:
    """Why the module has no such row."""
    without: dict[str, str] = module.WITHOUT
    kinds = [program, program.partition("-")[0], "effects" if unit in EFFECTS else "tasks"]
    return next((without[kind] for kind in kinds if kind in without), "no row is written for it")


def run_row(module: ModuleType, job: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The ratio of a row, or why there is none."""
    unit, program, size = job["unit"], job["program"], job["size"]
    subject = module.ROWS.get(job["name"]) or module.ROWS.get(program)
    if subject is None:
        return {"why": reason(module, unit, program)}
    try:
        measured = against(subject, floor(module, unit, program), size, seconds)
    except Exception as error:
        return {"why": f"{type(error).__name__}: {error}"[:200]}
    return {"value": measured.value, "ns": min(measured.rounds["subject"]) * 1e9}


Run = Callable[[ModuleType, dict[str, Any], float], dict[str, Any]]
"""Measures one of the jobs that a peer was asked for."""


def run_peer(name: str, jobs: list[dict[str, Any]], seconds: float, run: Run = run_row) -> dict[str, Any]:
    """All rows of a peer by name, and which version of it on which interpreter."""
    try:
        module = importlib.import_module(f"benches.peers.{name}")
    except ImportError as error:
        return {"why": f"not installed for CPython {platform.python_version()}: {error}"}
    version = importlib.metadata.version(module.PACKAGE) if module.PACKAGE else platform.python_version()
    rows = {job["name"]: run(module, job, seconds) for job in jobs}
    return {"version": version, "python": platform.python_version(), "rows": rows}


def tell(run: Run) -> None:
    """Read what is asked, measure it, and print what it came to."""
    logging.disable()
    asked = json.load(sys.stdin)
    given = run_peer(sys.argv[1], asked["jobs"], asked["seconds"], run)
    print(json.dumps(given))


if __name__ == "__main__":
    tell(run_row)
