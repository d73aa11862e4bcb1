"""asyncio in the peers' environment: the measure of all tasks rows, so it shows what two environments differ by."""

from benches.loops import LOOPS

PACKAGE = None
WITHOUT = {"effects": "it has no effects"}
ROWS = LOOPS
