"""What it takes to have Segue: the time of `import segue`, which pyperf measures, and the size of the wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benches.row import Row

WHEELS = Path(__file__).resolve().parents[2] / "target" / "bench" / "wheels"


def fastest(source, processes):
    """Milliseconds of the fastest of so many interpreters that run this, as `pyperf command` sees them."""
    import pyperf

    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "command.json"
        options = ["--processes", str(processes), "--values", "3", "--warmups", "1", "--quiet", "--output", str(output)]
        command = [sys.executable, "-m", "pyperf", "command", *options, "--", sys.executable, "-c", source]
        subprocess.run(command, check=True, capture_output=True)
        return min(pyperf.Benchmark.load(str(output)).get_values()) * 1e3


def imported(processes):
    return max(0.0, fastest("import segue", processes) - fastest("pass", processes))


def wheel(_):
    """Megabytes of the wheel that this environment was given."""
    (found,) = WHEELS.glob("segue-*.whl")
    return found.stat().st_size / 1e6


ROWS = [
    Row("import", "`import segue`, over a bare interpreter", "ms", 10.0, 4.0, (20,), amount=imported),
    Row("wheel", "the wheel", "MB", 1.5, 0.8, (1,), amount=wheel),
]
