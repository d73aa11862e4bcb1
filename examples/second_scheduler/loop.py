"""The loop: it runs one task after the other, until all came to their ends."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
from typing import Any, TypeAlias

import segue
from segue import Cancelled, Effect, K, TaskCancelledError

from .clock import Clock
from .handles import NOTHING, Mailbox, Outcome, Task, failure
from .waits import Pause, Waits

Steps: TypeAlias = Generator[Any, Any, Any]
HEED = 0.1
"""How long a wait lasts before the machine may raise a Ctrl-C, in seconds: it never does in the middle of a clause."""


class Switch(BaseException):
    """Raised by a clause whose task waits: control goes back to the loop that resumed it."""


class Loop:
    """Runs tasks, of which the handled program is the first.

    Args:
        clock: When alarms ring.
        waits: Who can run.
        mailbox: What comes from outside.
    """

    def __init__(self, clock: Clock, waits: Waits, mailbox: Mailbox) -> None:
        self.clock = clock
        self.waits = waits
        self.mailbox = mailbox
        self.root = self.running = Task(self, "root", 0)
        self.tasks = {self.root: None}  # Those that live, in the order of their spawns.
        self.spawned = 0
        self.driving = self.returned = False
        self.ending: Outcome | None = None  # What the root, or who broke all off, came to.
        self.told: set[Task] = set()  # Those that are to end first.
        self.reports: list[BaseException] = []

    def drive(self) -> Steps:
        """Run tasks until none is left; what the block comes to."""
        self.driving = True
        try:
            while self.tasks:
                yield from self.turn()
        finally:
            self.mailbox.closed = True
        for missed in (*self.reports, *self.waits.unobserved.values()):
            yield segue.Seal([], forgetful(lost(missed)))
        ending = self.ending or NOTHING
        if ending.error:
            raise ending.error.with_traceback(ending.trace)
        return ending.value

    def turn(self) -> Steps:
        """Run a task until it waits or is over; or wait, when none can run."""
        task = self.next()
        try:
            value = yield task.go_on() if task else self.idle()
        except Switch:
            return
        except GeneratorExit:  # The run is closed without effects.
            raise
        except BaseException as error:  # noqa: BLE001 - it is the task's
            outcome = failure(error)
        else:
            outcome = Outcome(value)
        if task:
            self.ended(task, outcome)
        elif outcome.error:
            self.interrupt(outcome)

    def next(self) -> Task | None:
        """Who runs now."""
        while self.mailbox.arrived:
            self.waits.settle(*self.mailbox.arrived.popleft())
        self.clock.ring()
        if not self.waits.ready.heap and self.ending and not self.told:
            self.tell_all()
        if not self.waits.ready.heap:
            return None
        self.running = self.waits.ready.take()
        return self.running

    def idle(self) -> Any:
        """Nobody can run: wait for somebody outside, or for time to pass. Ctrl-C is raised where this is yielded."""
        alarm, outside = self.clock.next_alarm(), self.waits.outside
        if alarm == math.inf and not outside:
            waiting = [
                segue.TaskInfo(task.name, "waiting", repr(task.effect)) for task in self.tasks if not task.daemon
            ]
            self.interrupt(failure(segue.DeadlockError(waiting)))
        elif self.clock.virtual and not outside:
            self.clock.jump()
        else:
            left = math.inf if self.clock.virtual else (alarm - self.clock.now()) / 1e9
            with self.mailbox.bell:
                self.mailbox.bell.wait_for(lambda: self.mailbox.arrived, min(left, HEED))
        return segue.Pure(None)

    def interrupt(self, outcome: Outcome) -> None:
        """Raise an error where the root waits, or, when that is over, who was spawned first."""
        task = next(iter(self.tasks))
        if task.leave:
            task.leave()
        self.waits.wake(task, outcome)

    def pause(self, effect: Effect[Any], k: K, pause: Pause) -> Steps:
        """The running task waits. When it is cancelled, or has its answer after all, it is the next one."""
        task = self.running
        level = task.due()
        answer = pause.enter() if level is None else failure(Cancelled(level))
        task.k, task.effect = k.keep(), effect
        if answer is not None:
            task.answer = answer
            self.waits.ready.put_first(task)
        if self.driving:
            raise Switch
        return (yield from self.drive())

    def add(self, spawn: segue.Spawn[Any], k: K) -> Task:
        """Make a task, which goes on from `k` when it is its turn."""
        self.spawned += 1
        name = f"task-{self.spawned}" if spawn.name is None else spawn.name
        task = Task(self, name, self.spawned, spawn.priority, spawn.daemon, k)
        self.tasks[task] = None
        self.waits.wake(task, Outcome(task), yielded=True)
        return task

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A task came to its end; that of the root, and an error that is no `Exception`, is the end of all."""
        del self.tasks[task]
        self.told.discard(task)
        if task.scopes:
            self.waits.close(task.scopes[0])
        if isinstance(outcome.error, Cancelled):
            outcome = failure(TaskCancelledError(f"the task {task.name!r} was cancelled"))
        observed = self.waits.settle(task, outcome)
        if (task is self.root and not self.ending) or not isinstance(outcome.error, (Exception, type(None))):
            self.end(outcome)
        elif outcome.error and outcome.failed and not observed:
            self.waits.unobserved[task] = outcome.error

    def end(self, outcome: Outcome) -> None:
        """All of it comes to this, when the others are unwound; who still runs when the root returns is reported."""
        if self.ending and isinstance(self.ending.error, Exception):
            self.reports.append(self.ending.error)
        self.ending = outcome
        for task in self.tasks if self.returned and not outcome.error else ():
            if not (task.daemon or task.asked):
                self.reports.append(segue.UnfinishedTaskError(f"the task {task.name!r} ran when the program ended"))
        self.tell_all()

    def tell_all(self) -> None:
        """Cancel all who live. They go on in the order of their spawns; who is spawned by them is told after them."""
        self.told = set(self.tasks)
        for task in self.tasks:
            self.waits.request(task)
        self.waits.ready.line_up()


# How an error that nobody waits for becomes one of the `unobserved` of the run: a kept continuation is dropped, and
# fails while it is unwound.


class Forget(Effect[None]):
    """Let go of the rest."""


@segue.handles(Forget)
def forgetful(_effect: Forget, k: K) -> None:
    """Keep the rest, and drop it at once."""
    k.keep()


@segue.do
def lost(error: BaseException) -> Steps:
    """Fail while it is unwound."""
    with contextlib.suppress(segue.Discontinued):
        yield Forget()
    raise error
