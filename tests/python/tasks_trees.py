"""Random trees of tasks whose outcome depends on no order: a task waits for its own children only, and cancels nobody.

So whoever runs one, in whatever order, with awaits side by side or one at a time, must come to the same. A tree is
data: a list of steps, some of which hold the steps of a child or of a part. In a tree that is not crowded no task
waits for another one's permit: there the times are the same too.
"""

from __future__ import annotations

import random
from collections import Counter

from segue import (
    Await,
    CreateChannel,
    CreateSemaphore,
    Gather,
    Now,
    Pure,
    Receive,
    Send,
    Sleep,
    Spawn,
    Try,
    Wait,
    Yield,
    do,
    shield,
    timeout,
    using,
)
from tasks_graphs import BrokenError

SMALL = {"yield": 3, "sleep": 3, "await": 5}
LARGE = SMALL | {"spawn": 5, "wait": 3, "gather": 2, "limit": 1, "shield": 1, "pipe": 1, "fail": 0.5}
PERMITS = 1


def steps_of(draw, depth, kinds):
    steps = []
    for _ in range(draw.randint(1 + depth, 5 + depth)):
        (kind,) = draw.choices(list(kinds), list(kinds.values()))
        match kind:
            case "spawn":
                argument = steps_of(draw, depth - 1, kinds) if depth else []
            case "limit" | "shield":
                argument = steps_of(draw, 0, SMALL)
            case "hold":
                argument = draw.randrange(2), steps_of(draw, 0, SMALL)
            case _:
                argument = draw.randrange(8)
        steps.append((kind, argument))
    return steps


def tree(seed):
    """A tree; each second one is crowded."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return steps_of(draw, 3, LARGE if seed % 2 else LARGE | {"hold": 4})


class Climb:
    """One run of a tree; what it awaits is made with `sleep`, the loop's own."""

    def __init__(self, steps, sleep):
        self.steps, self.sleep = steps, sleep
        self.crowded = "hold" in str(steps)
        self.entered, self.left, self.awaited = Counter(), Counter(), Counter()
        self.kinds = Counter()
        self.holders = [0, 0]

    @do
    def program(self):
        """What the root comes to: for each task the values that it saw, and its error."""
        self.semaphores = [(yield CreateSemaphore(PERMITS)), (yield CreateSemaphore(PERMITS))]
        outcome = yield Try(self.task("root", self.steps))
        return shown(outcome)

    @do
    def task(self, path, steps):
        children, seen = [], []
        self.entered[path] += 1
        try:
            for kind, argument in steps:
                self.kinds[kind] += 1
                value = yield self.step(path, children, kind, argument)
                seen.append((kind, value, None if self.crowded else (yield Now())))
        finally:
            for child in children:
                outcome = yield Try(Wait(child))
                seen.append(shown(outcome))
            yield Yield()
            self.left[path, repr(seen)] += 1
        return seen

    @do
    def step(self, path, children, kind, argument):
        match kind:
            case "yield":
                return (yield Yield())
            case "sleep":
                return (yield Sleep(argument % 4))
            case "await":
                return (yield Await(self.awaits(argument)))
            case "spawn":
                child = yield Spawn(self.task(f"{path}.{len(children)}", argument))
                children.append(child)
                return child.name.startswith("task-")
            case "wait":
                return shown((yield Try(Wait(children[argument % len(children)])))) if children else None
            case "gather":
                return shown((yield Try(Gather(*children, cancel_siblings=False))))
            case "limit":
                return (yield timeout(10_000, self.task(f"{path}/limit", argument)))
            case "shield":
                return (yield shield(self.task(f"{path}/shield", argument)))
            case "hold":
                semaphore, steps = argument
                return (yield using(self.semaphores[semaphore], self.holds(path, semaphore, steps)))
            case "pipe":
                channel = yield CreateChannel(argument % 3)
                yield Spawn(self.sends(channel, argument), daemon=True)
                return (yield self.receives(channel, argument))
            case "fail":
                raise BrokenError(path)

    @do
    def holds(self, path, semaphore, steps):
        self.holders[semaphore] += 1
        assert self.holders[semaphore] <= PERMITS
        try:
            return (yield self.task(f"{path}/hold", steps))
        finally:
            self.holders[semaphore] -= 1

    @do
    def sends(self, channel, count):
        for number in range(count):
            yield Send(channel, (yield Await(self.awaits(number % 6))))
        return (yield Pure(count))

    @do
    def receives(self, channel, count):
        got = []
        while len(got) < count:
            value = yield Receive(channel)
            got.append(value)
        return got

    async def awaits(self, argument):
        self.awaited["begun"] += 1
        try:
            for _ in range(argument % 4):
                await self.sleep(0.001 if argument == 6 else 0)
            if argument == 7:
                raise BrokenError("awaited")
            return argument
        finally:
            self.awaited["ended"] += 1


def shown(outcome):
    """An outcome as data; which of several errors came first may depend on the order, its type does not."""
    return outcome.value if outcome.is_ok() else type(outcome.error).__name__
