"""Who can run, who waits for what, and how a wait ends: with an answer, or because the task is cancelled."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import NamedTuple

from segue import Cancelled

from .handles import NOTHING, Line, Outcome, Scope, Several, Target, Task, failure


class Pause(NamedTuple):
    """No answer yet: `enter` puts the task where its answer will come, or finds that it has come."""

    enter: Callable[[], Outcome | None]


class Ready:
    """The tasks that can run: those of the highest priority first; within it in their order, or shuffled by a seed."""

    def __init__(self, seed: int | None) -> None:
        self.numbers = count(1)
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.shuffle = 0 if seed is None else 100
        self.equals = False
        self.heap: list[tuple[float, float, int, Task]] = []

    def put(self, task: Task) -> None:
        """A task can run."""
        number, priority = next(self.numbers), 0 if self.equals else task.priority
        heapq.heappush(self.heap, (-priority, number + self.random.uniform(0, self.shuffle), number, task))

    def put_first(self, task: Task) -> None:
        """A task is the next one."""
        heapq.heappush(self.heap, (-math.inf, 0, 0, task))

    def take(self) -> Task:
        """Who is next."""
        return heapq.heappop(self.heap)[-1]

    def line_up(self) -> None:
        """From now on there are no priorities: those who are here go on as they were spawned, and others after them."""
        self.equals, self.shuffle = True, 0
        ready = sorted((task.number, task) for *_, task in self.heap)
        self.heap = [(0, place, 0, task) for place, (_, task) in enumerate(ready, -len(ready))]


class Waits:
    """Hands tasks their answers."""

    def __init__(self, seed: int | None) -> None:
        self.ready = Ready(seed)
        self.outside = 0  # How many wait for external promises.
        self.unobserved: dict[Target, BaseException] = {}  # Those that failed, while nobody took note.
        self.settled = count(1)
        self.requested: deque[Task] = deque()

    def wake(self, task: Task, answer: Outcome = NOTHING, *, yielded: bool = False) -> None:
        """Hand a task its answer: whoever waited goes on by this alone."""
        task.answer, task.yielded, task.leave, task.several = answer, yielded, None, None
        self.ready.put(task)

    def give_way(self, task: Task) -> Pause:
        """A task lets the others have their turn."""
        return Pause(partial(self.wake, task, yielded=True))

    # What tasks hand over to each other: first come, first served.

    def stand(self, task: Task, line: Line, brings: object = None) -> Pause:
        """A task waits in a line."""

        def enter() -> None:
            line[task] = brings
            task.leave = partial(line.pop, task)

        return Pause(enter)

    def serve(self, line: Line, answer: Outcome = NOTHING) -> Task | None:
        """Wake the first of a line, if there is one; who that is."""
        if not line:
            return None
        task, _ = line.popitem(last=False)
        self.wake(task, answer)
        return task

    # What comes to an outcome, for all who wait.

    def join(self, several: Several) -> Pause:
        """A task waits for targets."""
        return Pause(partial(self.enter, several))

    def enter(self, several: Several) -> Outcome | None:
        """Begin to wait, unless it is decided already what that comes to."""
        task = several.task
        several.open = dict.fromkeys(target for target in several.targets if not target.outcome)
        for target in several.open:
            target.line[task] = several
            self.outside += target.external
        settled = {target for target in several.targets if target.outcome and several.decides(target.outcome)}
        if settled:
            first, *later = sorted(settled, key=lambda target: target.order)
            self.unobserved.pop(first, None)
            self.decide(several, first.outcome or NOTHING)
            for target in later:
                several.tell(target)
            if not several.open:
                return first.outcome
        task.several, task.leave = several, lambda: self.part(several, several.open)
        return None

    def part(self, several: Several, targets: Iterable[Target]) -> None:
        """A task waits for some of its targets no more."""
        for target in list(targets):
            del several.open[target], target.line[several.task]
            self.outside -= target.external

    def decide(self, several: Several, verdict: Outcome) -> None:
        """It is decided. Tasks are cancelled, and waited for until they are unwound; what else is open is left."""
        several.verdict = verdict
        self.part(several, [one for one in several.open if not (several.cancels and isinstance(one, Task))])
        for target in list(several.open):
            if isinstance(target, Task):
                self.request(target)

    def settle(self, target: Target, outcome: Outcome) -> bool:
        """A target comes to something: all who wait are told. Whether somebody takes note."""
        target.outcome, target.order = outcome, next(self.settled)
        observed = False
        while target.line:
            several = next(iter(target.line.values()))
            self.part(several, [target])
            if several.decides(outcome):
                self.decide(several, outcome)
                observed = True
            else:
                several.tell(target)
            if not several.open:
                self.wake(several.task, several.verdict or several.values())
        return observed

    # Cancellation.

    def request(self, level: Task | Scope) -> None:
        """Cancel a task or a scope. Who waits for others may hand that on: one after, and not in, the other."""
        if level.asked or level.done:
            return
        level.asked = True
        level.task.requests.add(level)
        self.requested.append(level.task)
        if len(self.requested) == 1:
            while self.requested:
                self.deliver(self.requested[0])
                self.requested.popleft()

    def deliver(self, task: Task) -> None:
        """Raise the cancellation that is due where the task waits. Else it is raised where it waits next."""
        several = task.several
        waits = task.leave is not None and not (several and several.verdict)
        level = task.due() if waits or task.yielded else None
        if level is None:
            return
        answer = failure(Cancelled(level))
        if task.yielded:
            task.answer, task.yielded = answer, False
            return
        if several:
            several.cancels = several.owns
            self.decide(several, answer)
        elif task.leave:
            task.leave()
        if not (several and several.open):
            self.wake(task, answer)

    def close(self, scope: Scope) -> None:
        """Close a scope, and those inside of it."""
        while not scope.done:
            inner = scope.task.scopes.pop()
            inner.done = True
            inner.task.requests.discard(inner)
            inner.disarm()
