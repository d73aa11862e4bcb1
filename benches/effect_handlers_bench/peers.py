"""The peers: what each of them cannot express and why, at which inputs it is timed, and what its worker says.

Their programs are the modules `with_<peer>` of the folders; nothing here needs their libraries.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benches.peers import OURS, field
from benches.row import WrongAnswerError

PEERS = (OURS, "doeff", "stateless", "effectful", "effect", "aleff", "greenlet")
SLOW = {"effectful", "effect", "aleff"}
"""Those that get the smallest inputs: an effect of theirs costs microseconds, and aleff's nest."""
DIRECT = "in direct style a call is Python's own, and there is no effect in it"
NO_CONTINUATION = "a handler never gets a continuation"
WITHOUT: dict[str, dict[str, str]] = {
    OURS: {},
    "doeff": {},
    "stateless": {"generator": NO_CONTINUATION, "resume_nontail": NO_CONTINUATION},
    "effectful": {
        "fibonacci_recursive": DIRECT,
        "generator": NO_CONTINUATION,
        "resume_nontail": NO_CONTINUATION,
    },
    "effect": {
        "resume_nontail": "a performer ends before the program goes on",
        "handler_sieve": "dispatchers are not nested",
    },
    "aleff": {
        "fibonacci_recursive": DIRECT,
        "generator": "a continuation that outlives its clause loses the frames of nested calls",
    },
    "greenlet": {"fibonacci_recursive": DIRECT},
}
"""By peer: the programs that it does not have, each with the reason."""
WORKER = "benches.effect_handlers_bench.worker"


def size(peer: str) -> str:
    """Which inputs of the cases a peer is timed with."""
    return "slow" if peer in SLOW else "peers"


def jobs(peer: str, programs: Iterable[str]) -> list[dict[str, str]]:
    """What a peer's worker is asked for: the programs that the peer has."""
    return [
        {"name": program, "version": f"with_{peer}", "size": size(peer)}
        for program in programs
        if program not in WITHOUT[peer]
    ]


def ask(python: str, peer: str, programs: Iterable[str], seconds: float) -> dict[str, Any]:
    """What a peer's worker says, and why the peer has no program; a wrong output is an error."""
    programs = list(programs)
    said = field.ask(python, peer, jobs(peer, programs), seconds, WORKER)
    if "rows" not in said:
        return said
    for program, row in said["rows"].items():
        if "wrong" in row:
            raise WrongAnswerError(f"{program} with {peer}: {row['wrong']}")
    reasons = {program: {"why": why} for program, why in WITHOUT[peer].items() if program in programs}
    return said | {"rows": said["rows"] | reasons}
