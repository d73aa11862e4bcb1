"""The peers, and Segue beside them: each module holds the rows that its library can run, as its own users write them.

`ROWS` says how each program is made, `PACKAGE` is its name on the index, and `WITHOUT` says why it has no row of a
kind: the table repeats it. A module imports its library and nothing of Segue, but for Segue's own; `worker` runs it in
the peers' own environment.
"""

OURS = "segue"
"""Segue on the peers' interpreter."""
NAMES = ("doeff", "stateless", "effectful", "effect", "aleff", "greenlet", "asyncio", "uvloop", "trio", "anyio")
"""The peers."""
ASKED = (OURS, *NAMES)
"""Whoever is measured in their environment."""
