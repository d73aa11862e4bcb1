"""The peers: each module holds the rows that its library can run, as the library's own users write them.

`ROWS` says how each program is made, `PACKAGE` is its name on the index, and `WITHOUT` says why it has no row of a
kind: the table repeats it. A module imports its library and nothing of Segue; `worker` runs it in the peers' own
environment.
"""

NAMES = ("doeff", "stateless", "effectful", "effect", "aleff", "greenlet", "asyncio", "uvloop", "trio", "anyio")
