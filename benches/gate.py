"""The gate: instructions of the most important paths, which repeat exactly, against the limits in `gate.toml`.

A limit that is passed ends `make bench-gate` with an error. Where valgrind is not installed nothing is counted, and the
gate says so.
"""

from __future__ import annotations

import os
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benches.counting import SUBJECTS
from benches.floors import COMPILED
from benches.row import UnavailableError
from benches.rows.instructions import counted
from benches.table import VERDICTS, lines, number

LIMITS = Path(__file__).with_name("gate.toml")
SIZE = 2_000
"""How many operations are counted."""
HEAD = ("path", "instructions of U", "limit", "kept")


def limits() -> dict[str, float]:
    """Read the limit of each path."""
    return {path: float(limit) for path, limit in tomllib.loads(LIMITS.read_text())["limits"].items()}


def table(measured: dict[str, float], limit: dict[str, float]) -> str:
    """Show what was counted beside its limit."""
    body = [(path, number(it), number(limit[path]), VERDICTS[it <= limit[path]]) for path, it in measured.items()]
    return lines(HEAD, body)


def main() -> int:
    """Count, print, and say whether a limit was passed."""
    if not COMPILED:
        print("The floor is not built: make bench-gate builds it.", file=sys.stderr)
        return 1
    limit = limits()
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # Instructions do not mind what else runs.
            measured = dict(zip(SUBJECTS, pool.map(lambda path: counted(path)(SIZE), SUBJECTS), strict=True))
    except UnavailableError as error:
        print(f"Nothing was counted: {error} (Debian: apt install valgrind).")
        return 0
    print(table(measured, limit))
    return 1 if any(it > limit[path] for path, it in measured.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
