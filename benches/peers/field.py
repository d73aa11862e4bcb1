"""The field: asks a worker for each peer, one after the other, and keeps what they say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benches.peers import ASKED, OURS
from benches.row import Row

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 900
"""How long a peer may take for all its rows."""


def jobs(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What the peers are asked for: the rows whose program they can be given."""
    return [
        {"name": row.name, "unit": row.unit, "program": row.program, "size": row.sizes[0]}
        for row in rows
        if row.program
    ]


def ask(
    python: str, name: str, asked: list[dict[str, Any]], seconds: float, worker: str = "benches.peers.worker"
) -> dict[str, Any]:
    """What a peer's worker says, or why it says nothing."""
    command = [python, "-m", worker, name]
    question = json.dumps({"jobs": asked, "seconds": seconds})
    try:
        ended = subprocess.run(
            command, input=question, capture_output=True, text=True, check=False, cwd=ROOT, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"why": f"not done after {SECONDS} s"}
    if ended.returncode:
        last = ended.stderr.strip().splitlines()[-1:] or ["nothing said"]
        return {"why": f"its process ended with {ended.returncode}: {last[0][:200]}"}
    said: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return said


def ask_all(python: str, rows: Iterable[Row], seconds: float) -> dict[str, Any]:
    """What each peer says."""
    asked = jobs(rows)
    return {name: ask(python, name, asked, seconds) for name in ASKED}


def ratios(peers: dict[str, Any], row: str) -> dict[str, float]:
    """By peer: the ratio of that row, of those that have one. Segue is none of them."""
    found = {name: said.get("rows", {}).get(row, {}).get("value") for name, said in peers.items()}
    return {name: value for name, value in found.items() if value is not None and name != OURS}
