"""Memory: what `benches.resident` says, in a process of its own each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benches.row import Row

ROOT = Path(__file__).resolve().parents[2]


def resident(subject):
    """Measure what that subject says for a size."""

    def amount(size):
        command = [sys.executable, "-m", "benches.resident", subject, str(size)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{ended.stderr}")
        return float(ended.stdout)

    return amount


def held(name, what, unit, must, reach, size):
    return Row(f"memory-{name}", what, unit, must, reach, (size,), amount=resident(name))


ROWS = [
    held("nested", "a nested call, one million deep", "B", 300.0, None, 1_000_000),
    held("pending", "a pending continuation, its clause included", "B", None, None, 100_000),
    held("waiting", "a task that waits, its program included", "B", None, None, 100_000),
    held("flat", "growth over ten million tail-resumed effects", "MB", 1.0, None, 10_000_000),
]
