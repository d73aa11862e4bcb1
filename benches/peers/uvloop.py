"""uvloop: asyncio's programs on a loop in C."""

from __future__ import annotations

import uvloop

from benches.loops import ANSWERS, on

PACKAGE = "uvloop"
WITHOUT = {"effects": "it has no effects"}
ROWS = {program: on(uvloop.run, program) for program in ANSWERS}
