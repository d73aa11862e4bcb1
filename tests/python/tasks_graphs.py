"""Random graphs of tasks, and a model of what they share that knows at each moment who may wait.

A graph is data: lists of steps for its tasks. `Play` runs one, notes each step in a trace, and keeps the model beside
it: how many permits are out, what each channel holds, which promises are complete, who waits for what.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter

from segue import (
    Acquire,
    Await,
    Cancel,
    Cancelled,
    ChannelClosedError,
    CloseChannel,
    CompletePromise,
    CreateChannel,
    CreatePromise,
    CreateSemaphore,
    DeadlockError,
    Gather,
    PromiseCompletedError,
    Race,
    Receive,
    Release,
    Send,
    Sleep,
    Spawn,
    TaskCancelledError,
    Wait,
    Yield,
    do,
    shield,
    timeout,
)

STEPS = {
    "yield": 4,
    "sleep": 3,
    "spawn": 4,
    "wait": 2,
    "gather": 1,
    "race": 1,
    "cancel": 2,
    "hold": 4,
    "send": 3,
    "receive": 3,
    "complete": 1,
    "promise": 1,
    "close": 0.2,
    "timeout": 1,
    "shield": 0.5,
    "fail": 0.5,
}
AWAITING = STEPS | {"await": 5}


class BrokenError(Exception):
    """What a step of a graph raises on purpose."""


EXPECTED = (BrokenError, TaskCancelledError, DeadlockError, ChannelClosedError, TimeoutError)


def steps_of(draw, depth, kinds):
    """The steps of one task; some hold the steps of another one, or of a part."""
    steps = []
    for _ in range(draw.randint(1, 5)):
        (kind,) = draw.choices(list(kinds), list(kinds.values()))
        if kind in {"spawn", "hold", "timeout", "shield"}:
            if depth == 0:
                kind, argument = "yield", None
            else:
                argument = draw.randrange(3), steps_of(draw, depth - 1, kinds)
        else:
            argument = draw.randrange(8)
        steps.append((kind, argument))
    return steps


def graph(seed, kinds=STEPS):
    """A graph: the steps of its first tasks, the permits of its semaphores, and the capacities of its channels."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    semaphores = [draw.randint(1, 2) for _ in range(3)]
    channels = [draw.randint(0, 2) for _ in range(3)]
    return [steps_of(draw, 3, kinds) for _ in range(draw.randint(2, 8))], semaphores, channels


class Lazily:
    """An awaitable that makes its coroutine when it is awaited: one that never is leaves none behind."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __await__(self):
        return self.function(*self.arguments).__await__()


class Play:
    """One run of a graph. What it awaits is made with `sleep`, the loop's own."""

    def __init__(self, graph, sleep=None):
        self.first, self.permits, self.capacities = graph
        self.sleep = sleep
        self.awaited = Counter()
        self.trace = []
        self.held = Counter()
        self.blocks = Counter()  # how often each block was entered less how often its `finally` ran
        self.entered = 0
        self.sent = [[] for _ in self.capacities]  # completed sends, and those that were received before that
        self.received = [[] for _ in self.capacities]
        self.tasks = []
        self.complete = set()
        self.closed = set()
        self.waiting = {}
        self.deadlocks = 0
        self.shields = 0
        self.number = itertools.count(1).__next__

    @do
    def program(self):
        """The whole graph. The root waits for all first tasks; one that hangs is cancelled, then given up."""
        self.semaphores, self.channels, self.promises = [], [], []
        for permits in self.permits:
            self.semaphores.append((yield CreateSemaphore(permits)))
        for capacity in self.capacities:
            self.channels.append((yield CreateChannel(capacity)))
        for _ in range(3):
            self.promises.append((yield CreatePromise()))
        for steps in self.first:
            self.tasks.append((yield Spawn(self.task(len(self.tasks), steps), daemon=True)))
        for task in self.tasks[:]:
            yield self.await_one(task)
        return "done"

    @do
    def await_one(self, task):
        for _ in range(2):
            try:
                yield Wait(task)
            except DeadlockError:
                self.trace.append(("root", "DeadlockError"))
                self.check()
                yield Cancel(task)
            except EXPECTED as error:
                self.trace.append(("root", type(error).__name__))
                return
            else:
                return

    @do
    def task(self, own, steps):
        """A task, or a part of one: each block that is entered is left once. `own` is its place among the tasks."""
        me = self.number()
        self.entered += 1
        self.blocks[me] += 1
        try:
            for kind, argument in steps:
                self.trace.append((me, kind))
                try:
                    yield self.step(me, own, kind, argument)
                except DeadlockError:
                    self.check()
                    raise
        except Cancelled:
            self.trace.append((me, "cancelled"))
            raise
        finally:
            self.trace.append((me, "finally"))
            self.blocks[me] -= 1

    @do
    def waits(self, me, effect, *what):
        """A wait, which the model knows of while it lasts."""
        self.waiting[me] = what
        try:
            return (yield effect)
        finally:
            del self.waiting[me]

    @do
    def step(self, me, own, kind, argument):
        match kind:
            case "yield":
                yield Yield()
            case "sleep":
                yield Sleep(argument % 4)
            case "spawn":
                priority, steps = argument
                task = yield Spawn(self.task(len(self.tasks), steps), priority=priority - 1, daemon=True)
                self.tasks.append(task)
            case "hold":
                yield self.hold(me, own, *argument)
            case "timeout":
                seconds, steps = argument
                yield timeout(seconds, self.task(own, steps))
            case "shield":
                self.shields += 1
                try:
                    yield shield(self.task(own, argument[1]))
                finally:
                    self.shields -= 1
            case "send":
                yield self.send(me, argument % 3, (me, self.number()))
            case "receive":
                channel = argument % 3
                got = yield self.waits(me, Receive(self.channels[channel]), "receive", channel)
                self.received[channel].append((me, got))
            case "complete":
                promise = argument % 3
                try:
                    yield CompletePromise(self.promises[promise], me)
                except PromiseCompletedError:
                    assert promise in self.complete
                else:
                    assert promise not in self.complete
                self.complete.add(promise)
            case "promise":
                promise = argument % 3
                yield self.waits(me, Wait(self.promises[promise]), "promise", promise)
            case "close":
                self.closed.add(argument % 3)
                yield CloseChannel(self.channels[argument % 3])
            case "fail":
                raise BrokenError(me)
            case "await":
                got = yield self.waits(me, Await(Lazily(self.awaits, me, argument)), "await")
                assert got == (me, argument), "what somebody else awaited"
            case _:
                yield self.of_tasks(me, own, kind, argument)

    async def awaits(self, me, argument):
        """What is awaited: some turns of the loop, or a moment of its time, or nothing; one of eight fails."""
        self.awaited["begun"] += 1
        try:
            for _ in range(argument % 4):
                await self.sleep(0.001 if argument == 6 else 0)
            if argument == 7:
                raise BrokenError(me)
            return me, argument
        finally:
            self.awaited["ended"] += 1

    @do
    def of_tasks(self, me, own, kind, argument):
        """Cancels any task, or waits for younger ones: those who wait for each other would hang."""
        these = self.tasks if kind == "cancel" else self.tasks[own + 1 :]
        if not these:
            return
        some = [these[(argument + n) % len(these)] for n in range(3)]
        try:
            if kind == "cancel":
                yield Cancel(some[0])
            elif kind == "wait":
                yield self.waits(me, Wait(some[0]), "task", some[0])
            else:
                effect = Gather if kind == "gather" else Race
                yield self.waits(me, effect(*some), kind, *some)
        except (BrokenError, TaskCancelledError, ChannelClosedError, TimeoutError):
            self.trace.append((me, "learned"))

    @do
    def hold(self, me, own, semaphore, steps):
        yield self.waits(me, Acquire(self.semaphores[semaphore]), "acquire", semaphore)
        self.held[semaphore] += 1
        assert self.held[semaphore] <= self.permits[semaphore], "more holders than permits"
        try:
            yield self.task(own, steps)
        finally:
            self.held[semaphore] -= 1
            yield Release(self.semaphores[semaphore])

    @do
    def send(self, me, channel, sent):
        self.sent[channel].append(sent)
        try:
            yield self.waits(me, Send(self.channels[channel], sent), "send", channel)
        except BaseException:
            self.sent[channel].remove(sent)
            raise

    def check(self):
        """When nothing can run, each wait that the model knows of is one that must last: no wake-up was lost."""
        self.deadlocks += 1
        for what, *where in self.waiting.values():
            match what:
                case "acquire":
                    assert self.held[where[0]] == self.permits[where[0]], "a permit is free"
                case "receive":
                    assert where[0] not in self.closed, "the channel is closed"
                    assert ("send", where[0]) not in self.waiting.values(), "a sender waits"
                    assert len(self.sent[where[0]]) == len(self.received[where[0]]), "a value is there"
                case "send":
                    assert where[0] not in self.closed, "the channel is closed"
                    senders = list(self.waiting.values()).count(("send", where[0]))
                    inside = len(self.sent[where[0]]) - len(self.received[where[0]]) - senders
                    assert inside == self.capacities[where[0]], "there is room"
                case "promise":
                    assert where[0] not in self.complete, "the promise is complete"
                case "task":
                    assert not where[0].done, "the task is done"
                case "gather":
                    assert not all(task.done for task in where), "all are done"
                case "await":
                    raise AssertionError("something is awaited")
                case "race":
                    assert self.shields or not any(task.done for task in where), "one is done"

    def check_end(self):
        """What must hold however it ended."""
        assert set(self.blocks.values()) <= {0}, "a finally ran twice, or never"
        assert len(self.blocks) == self.entered
        assert sorted(me for me, word in self.trace if word == "finally") == sorted(self.blocks)
        assert self.waiting == {}
        assert set(self.held.values()) <= {0}
        assert self.awaited["begun"] == self.awaited["ended"], "something is awaited still"
        assert [semaphore.permits for semaphore in self.semaphores] == self.permits, "permits are lost"
        assert all(task.done for task in self.tasks)
        for sent, received in zip(self.sent, self.received, strict=True):
            values = [value for _, value in received]
            assert len(set(values)) == len(values), "a value came twice"
            assert set(values) <= set(sent), "a value that was not sent"
            last = {}
            for receiver, (sender, number) in received:
                assert last.get((receiver, sender), 0) < number, "values came in another order"
                last[receiver, sender] = number
