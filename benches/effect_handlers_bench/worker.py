"""Runs one peer's programs, in the peers' environment.

It is `python -m benches.effect_handlers_bench.worker NAME < jobs.json`. A program takes turns with the same program on
the generic machine in this process, and what is told is the ratio: it matters little which interpreter both are on.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from benches.effect_handlers_bench.suite import round_of
from benches.measure import take_turns
from benches.peers.worker import tell
from benches.row import WrongAnswerError, nanoseconds


def run_program(module: ModuleType, job: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The ratio of a program to the machine's, or why there is none, or what was wrong."""
    program, version, size = job["name"], job["version"], job["size"]
    try:
        nanoseconds(round_of(program, version, "test"))
        works = {name: round_of(program, name, size) for name in (version, "machine")}
        rounds = take_turns(works, seconds)
    except WrongAnswerError as error:
        return {"wrong": str(error)}
    except Exception as error:
        return {"why": f"{type(error).__name__}: {error}"[:200]}
    fastest = {name: min(times) for name, times in rounds.items()}
    return {"value": fastest[version] / fastest["machine"], "ns": fastest[version] * 1e9}


if __name__ == "__main__":
    tell(run_program)
