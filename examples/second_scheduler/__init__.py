"""A second scheduler: tasks, locks, channels and time, in plain Python and with public names only.

    python -m examples.second_scheduler

`Scheduler` answers every effect that the built-in `scheduler` answers, and is a handler like any other: what runs under
one runs under the other. So tasks are nothing that only the machine can have. A task is a kept continuation, and one
loop resumes one after the other:

1. The clause for an effect gives the answer, and the task goes on at once; or a `Pause`, which says how it is to wait.
2. Then the continuation is kept, and a `Switch` that is raised from the clause ends the `Resume` in `Loop.drive`. (The
   first clause that pauses finds no loop, and becomes it.)
3. Somebody else hands the task its answer: `Waits.wake` puts it among those that can run, and the loop takes it there.

A child is made at `Spawn`, inside forks of the spawner's handlers, but must not run yet. So it performs the `Spawn`
once more before its program: there it is kept, and is a task like any other, which has its answer already.

What only the machine can do is missing: interrupting a task that does not wait (`slice`), counting tasks and promises
for `limits`, context variables for each task, and the places in messages, where a task waits and was spawned.

The modules, each of which uses only those above it:

- `handles`: what the scheduler gives out, and what it notes there.
- `clock`: time, and alarms.
- `waits`: who can run, who waits for what, and how a wait ends.
- `loop`: runs one task after the other, until all came to their ends.
- `clauses`: how a clause answers, or has its task wait.
- `scheduler`: the clauses.
"""

from .scheduler import Scheduler

__all__ = ["Scheduler"]
