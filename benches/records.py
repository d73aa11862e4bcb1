"""What is kept of a run: the numbers in JSON, the rounds in a file of pyperf's, for its `compare_to` and `stats`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyperf

from benches.row import Measured, Row, met

PLACES = {"hostname", "name", "python_config_args", "python_executable"}
"""What names a machine, or a place on it."""


def machine() -> dict[str, Any]:
    """What pyperf knows about the machine and the interpreter, without names and places."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "metadata.json"
        command = [sys.executable, "-m", "pyperf", "collect_metadata", "--output", str(output)]
        subprocess.run(command, check=True, capture_output=True)
        known: dict[str, Any] = pyperf.Benchmark.load(str(output)).get_metadata()
    return {name: value for name, value in known.items() if name not in PLACES}


def line(row: Row, measured: Measured, peers: Mapping[str, float]) -> dict[str, Any]:
    """A row as data."""
    return {
        "name": row.name,
        "what": row.what,
        "unit": row.unit,
        "sizes": row.sizes,
        "must": row.must,
        "reach": row.reach,
        "measured": measured.value,
        "must_met": met(measured.value, row.must),
        "reach_met": met(measured.value, row.reach),
        "nanoseconds": {name: min(times) * 1e9 for name, times in measured.rounds.items()},
        "peers": peers,
    }


def keep_rounds(path: Path, measured: Mapping[Row, Measured], about: dict[str, Any]) -> None:
    """Write each subject's rounds as a benchmark of pyperf."""
    path.unlink(missing_ok=True)
    kept = []
    for row, it in measured.items():
        for name, times in it.rounds.items():
            metadata = {**about, "name": f"{row.name}/{name}", "unit": "second"}
            kept.append(pyperf.Benchmark([pyperf.Run(times, metadata=metadata, collect_metadata=False)]))
    if kept:
        pyperf.BenchmarkSuite(kept).dump(str(path))


def keep(folder: Path, measured: Mapping[Row, Measured], peers: Mapping[str, Mapping[str, float]]) -> None:
    """Write `bench.json` and `rounds.json`."""
    about = machine()
    rows = [line(row, it, peers.get(row.name, {})) for row, it in measured.items()]
    (folder / "bench.json").write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")
    plain = {name: value for name, value in about.items() if isinstance(value, (int, float, str))}
    keep_rounds(folder / "rounds.json", measured, plain)
