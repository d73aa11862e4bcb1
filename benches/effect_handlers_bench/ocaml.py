"""OCaml 5 beside Python: the programs that use a continuation once at most, natively compiled, where it is installed.

A program is `program.ml` in its folder; `timed.ml` gives it its input and times its rounds from within.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.effect_handlers_bench.suite import CASES
from benches.row import WrongAnswerError

HERE = Path(__file__).parent
COMPILERS = (("ocamlfind", "ocamlopt"), ("ocamlopt",))
OLDEST = 5
"""The first version with effects."""


@dataclass(frozen=True)
class Compiler:
    """A native compiler that knows effects."""

    command: tuple[str, ...]
    version: str


def find() -> Compiler | None:
    """The first compiler on the path that is new enough."""
    for command in COMPILERS:
        if shutil.which(command[0]) is None:
            continue
        asked = subprocess.run([*command, "-version"], capture_output=True, text=True, check=False)
        version = asked.stdout.strip()
        if asked.returncode == 0 and int(version.partition(".")[0]) >= OLDEST:
            return Compiler(command, version)
    return None


def source(program: str) -> Path:
    """Where the program in OCaml is, if it is there."""
    return HERE / program / "program.ml"


def compiled(compiler: Compiler, program: str, folder: Path) -> Path:
    """The program as something to run."""
    for file in (HERE / "timed.ml", source(program)):
        shutil.copy(file, folder)
    command = [*compiler.command, "-O3", "-o", "program", "timed.ml", "program.ml"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "program"


def timed(compiler: Compiler, program: str, seconds: float, size: str = "timed") -> float | None:
    """Nanoseconds of an operation, in the fastest round; `None` where the program is not there in OCaml."""
    if not source(program).exists():
        return None
    case = CASES[program][size]
    with TemporaryDirectory() as folder:
        command = [str(compiled(compiler, program, Path(folder))), str(case["arg"]), str(seconds)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    came_to, nanoseconds = ran.stdout.split()
    if came_to != case["out"]:
        raise WrongAnswerError(f"{program} in OCaml: came to {came_to!r}, not {case['out']!r}")
    return float(nanoseconds) / float(case.get("operations", 1))
