"""The scheduler: a clause for each of the effects of tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import segue
from segue import Effect, K, Resume, answers, handles

from .clauses import Clauses, clause
from .clock import Clock
from .handles import (
    NOTHING,
    Channel,
    Event,
    ExternalPromise,
    Lock,
    Made,
    Mailbox,
    Outcome,
    Promise,
    Scope,
    Semaphore,
    Several,
    Target,
    Task,
    failure,
)
from .loop import Loop, Steps, Switch
from .waits import Pause, Waits


class Scheduler(Clauses):
    """Answers all effects of tasks.

    Args:
        seed: Shuffles the order of the tasks that can run; `None` is first come, first served.
        clock: A `VirtualClock`; `None` is the wall's.
    """

    def __init__(self, *, seed: int | None = None, clock: segue.VirtualClock | None = None) -> None:
        self.seed = seed
        self.virtual = clock

    def enter(self) -> None:
        """Begin, with the handled program as the only task."""
        self.clock = Clock(self.virtual)
        self.waits = Waits(self.seed)
        self.mailbox = Mailbox()
        self.loop = Loop(self.clock, self.waits, self.mailbox)
        self.arriving = False

    def result(self, value: object) -> object:
        """The program returned."""
        self.loop.returned = True
        return value

    def exit(self) -> Steps:
        """The program was left. When it never waited, its tasks have no loop yet."""
        if not self.loop.driving:
            self.loop.ended(self.loop.root, NOTHING)
            yield from self.loop.drive()

    # Tasks.

    @handles(segue.Spawn)
    def spawn(self, effect: segue.Spawn[Any], k: K) -> Steps:
        """Make a task of the program, inside forks of the handlers that the spawner is in."""
        if self.arriving:
            self.child = k.keep()
            raise Switch
        if not isinstance(effect.program, (segue.Program, Effect)):
            raise TypeError(f"Spawn takes a program, got {effect.program!r}")

        def arrive(_: None) -> segue.Spawn[Any]:
            self.arriving = True
            return effect

        try:
            yield segue.Inherit(k, segue.Pure(None).flat_map(arrive).flat_map(lambda _: effect.program))
        except Switch:
            pass
        finally:
            self.arriving = False
        return Resume(k, self.loop.add(effect, self.child))

    @answers(segue.CurrentTask)
    def current(self, _effect: segue.CurrentTask) -> Task:
        """Say who runs."""
        return self.loop.running

    @clause(segue.Yield)
    def give_way(self, _effect: segue.Yield) -> object:
        """Let the others have their turn."""
        return self.waits.give_way(self.loop.running)

    @clause(segue.Cancel, segue.CancelScope)
    def cancel(self, effect: Any) -> object:
        """Cancel a task, or a scope of one."""
        one = isinstance(effect, segue.Cancel)
        self.waits.request(self.mine(effect.task, Task) if one else self.mine(effect.scope, Scope))
        return None

    @answers(segue.OpenScope)
    def open_scope(self, effect: segue.OpenScope) -> Scope:
        """Open a scope of the running task."""
        deadline = math.inf if effect.seconds is None else self.clock.after(effect.seconds)
        scope = Scope(self.loop, self.loop.running, deadline, effect.shield)
        scope.disarm = self.clock.alarm(deadline, partial(self.waits.request, scope))
        scope.task.scopes.append(scope)
        return scope

    @clause(segue.CloseScope)
    def close_scope(self, effect: segue.CloseScope) -> object:
        """Close a scope; whether it was cancelled, or its time over."""
        scope = self.mine(effect.scope, Scope)
        self.waits.close(scope)
        return scope.asked or scope.deadline <= self.clock.now()

    # Time.

    @clause(segue.Sleep)
    def sleep(self, effect: segue.Sleep) -> object:
        """Wait for a time; when that has come already, give way."""
        task, when = self.loop.running, self.clock.after(effect.seconds)
        if when <= self.clock.now():
            return self.waits.give_way(task)

        def enter() -> None:
            task.leave = self.clock.alarm(when, partial(self.waits.wake, task))

        return Pause(enter)

    @answers(segue.Now, segue.Deadline)
    def tell_time(self, effect: Effect[Any]) -> float:
        """Say what the clock shows, or when the next scope is cancelled that no shield keeps off."""
        if isinstance(effect, segue.Now):
            return self.clock.shows(self.clock.now())
        return self.clock.shows(min(level.deadline for level in self.loop.running.levels()))

    # Waiting for what comes to an outcome.

    @clause(segue.Wait)
    def wait(self, effect: segue.Wait[Any]) -> object:
        """Wait for a task, a promise or an event."""
        [target] = targets = self.targets([effect.target], Event)
        self.waits.unobserved.pop(target, None)
        return target.outcome or self.waits.join(Several(self.loop.running, targets, race=True, owns=False))

    @clause(segue.Gather)
    def gather(self, effect: segue.Gather) -> object:
        """Wait for all, or the first failure."""
        several = Several(self.loop.running, self.targets(effect.targets), race=False, cancels=effect.cancel_siblings)
        done = all(target.outcome and not target.outcome.error for target in several.targets)
        return several.values() if done else self.waits.join(several)

    @clause(segue.Race)
    def race(self, effect: segue.Race) -> object:
        """Wait for the first."""
        if not effect.targets:
            raise ValueError("a Race has at least one target: nothing can be the first of none")
        targets = self.targets(effect.targets)
        return self.waits.join(Several(self.loop.running, targets, race=True, cancels=True))

    def targets(self, handles: Iterable[object], *more: type) -> list[Target]:
        """What is behind the handles: a completer stands for its promise."""
        found = [self.mine(handle, Task, Promise, ExternalPromise, *more) for handle in handles]
        return [handle.promise if isinstance(handle, ExternalPromise) else handle for handle in found]

    # What tasks meet at.

    @answers(
        *(segue.CreatePromise, segue.CreateExternalPromise, segue.CreateEvent),
        *(segue.CreateSemaphore, segue.CreateLock, segue.CreateChannel),
    )
    def make(self, effect: Effect[Any]) -> Made:
        """Make it."""
        match effect:
            case segue.CreateSemaphore(permits):
                return Semaphore(self.loop, whole(permits), permits)
            case segue.CreateLock():
                return Lock(self.loop, 1, 1)
            case segue.CreateEvent():
                return Event(self.loop)
            case segue.CreateChannel(capacity):
                return Channel(self.loop, whole(capacity))
            case segue.CreateExternalPromise():
                return ExternalPromise(self.loop, self.mailbox, Promise(self.loop, external=True))
            case _:
                return Promise(self.loop)

    @clause(segue.CompletePromise, segue.FailPromise)
    def complete(self, effect: Any) -> object:
        """Complete a promise that is not completed from outside."""
        promise = self.mine(effect.promise, Promise)
        if promise.external:
            raise TypeError("a promise from outside is completed by its completer")
        outcome = failure(effect.error) if isinstance(effect, segue.FailPromise) else Outcome(effect.value)
        if promise.done:
            raise segue.PromiseCompletedError("a promise is completed once")
        self.waits.settle(promise, outcome)
        return None

    @clause(segue.SetEvent, segue.ClearEvent)
    def set_event(self, effect: segue.SetEvent | segue.ClearEvent) -> object:
        """Set an event, so that all who wait for it go on; or clear it."""
        event = self.mine(effect.event, Event)
        event.outcome = None
        if isinstance(effect, segue.SetEvent):
            self.waits.settle(event, NOTHING)
        return None

    @clause(segue.Acquire)
    def acquire(self, effect: segue.Acquire) -> object:
        """Take a permit, or wait for one."""
        lock = self.mine(effect.lock, Semaphore)
        if isinstance(lock, Lock) and lock.holder is self.loop.running:
            raise segue.LockError("this task holds the lock already")
        if not lock.permits:
            return self.waits.stand(self.loop.running, lock.line)
        lock.permits -= 1
        lock.holder = self.loop.running
        return None

    @clause(segue.Release)
    def release(self, effect: segue.Release) -> object:
        """Give a permit to who waits longest, or back."""
        lock = self.mine(effect.lock, Semaphore)
        if lock.permits == lock.most or (isinstance(lock, Lock) and lock.holder is not self.loop.running):
            raise segue.LockError("this task does not hold it, or all permits are there already")
        lock.holder = self.waits.serve(lock.line)
        lock.permits += lock.holder is None
        return None

    @clause(segue.Send)
    def send(self, effect: segue.Send) -> object:
        """Hand a value to a receiver, put it into the channel, or wait for room."""
        channel = self.mine(effect.channel, Channel)
        if channel.closed:
            raise segue.ChannelClosedError("the channel is closed")
        if self.waits.serve(channel.receivers, Outcome(effect.value)):
            return None
        if len(channel.values) >= channel.capacity:
            return self.waits.stand(self.loop.running, channel.senders, effect.value)
        channel.values.append(effect.value)
        return None

    @clause(segue.Receive)
    def receive(self, effect: segue.Receive) -> object:
        """Take the oldest value, which makes room for the sender that waits longest; or wait for one."""
        channel = self.mine(effect.channel, Channel)
        if channel.senders:
            channel.values.append(next(iter(channel.senders.values())))
            self.waits.serve(channel.senders)
        if channel.values:
            return Outcome(channel.values.popleft())
        if channel.closed:
            raise segue.ChannelClosedError("the channel is closed, and nothing is left in it")
        return self.waits.stand(self.loop.running, channel.receivers)

    @clause(segue.CloseChannel)
    def close_channel(self, effect: segue.CloseChannel) -> object:
        """Close a channel: who waits there waits in vain."""
        channel = self.mine(effect.channel, Channel)
        channel.closed = True
        for line in (channel.senders, channel.receivers):
            while self.waits.serve(line, failure(segue.ChannelClosedError("the channel is closed"))):
                pass
        return None


def whole(number: object) -> int:
    """The number, if it is one that can be counted to."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"a whole number from 0 is asked for, got {number!r}")
    return number
