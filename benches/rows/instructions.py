"""Instructions: what `valgrind --tool=callgrind` counts repeats exactly, whatever else runs on the machine.

A process counts its start-up too, so each subject is run at two sizes, and what the larger one counts more is what the
operations take.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benches.row import Row, UnavailableError

ROOT = Path(__file__).resolve().parents[2]
COLLECTED = re.compile(r"Collected : (\d+)")


def counting(name, which, size, under=()):
    """Run that round in a process of its own, under a tool."""
    command = [*under, sys.executable, "-m", "benches.counting", name, which, str(size)]
    seeded = os.environ | {"PYTHONHASHSEED": "0"}
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=seeded)


def count(name, which, size):
    """How many instructions a process takes for that round."""
    if not shutil.which("valgrind"):
        raise UnavailableError("valgrind is not installed")
    counting(name, which, 1)  # What is imported for the first time is compiled, and that is not to be counted.
    ended = counting(name, which, size, ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"))
    (collected,) = COLLECTED.findall(ended.stderr)
    return int(collected)


def more(name, which, size):
    """How many instructions `size` operations take."""
    return count(name, which, 2 * size) - count(name, which, size)


def counted(name):
    """Measure the instructions of an operation, in those of the floor."""
    return lambda size: more(name, "subject", size) / more(name, "floor", size)


def instructions(name, what, must):
    return Row(f"instructions-{name}", what, "instr. of U", must, None, (2_000,), amount=counted(name))


ROWS = [
    instructions("get", "instructions of Get, one effect object reused", 1.8),
    instructions("generator-clause", "instructions of a generator clause, resume in tail position", 9.0),
]
