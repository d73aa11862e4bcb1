"""What the scheduler gives out, and what it notes there. Nothing here decides anything."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, TypeAlias

from segue import BrokenPromiseError, Effect, Handle, K, PromiseCompletedError, Resume, ResumeThrow, TaskCancelledError


class Outcome(NamedTuple):
    """What a task goes on with, or came to: a value, or an error and how far it had come."""

    value: Any = None
    error: BaseException | None = None
    trace: TracebackType | None = None

    @property
    def failed(self) -> bool:
        """Whether it is an error that somebody raised, and no cancellation."""
        cancelled = isinstance(self.error, TaskCancelledError) and self.trace is None
        return isinstance(self.error, Exception) and not cancelled

    def given_to(self, k: K) -> Any:
        """The node that continues a task with it."""
        return Resume(k, self.value) if self.error is None else ResumeThrow(k, self.error.with_traceback(self.trace))


NOTHING = Outcome()


def failure(error: object) -> Outcome:
    """The outcome that is an error."""
    if not isinstance(error, BaseException):
        raise TypeError(f"a promise fails with an exception, got {error!r}")
    return Outcome(None, error, error.__traceback__)


@dataclass(eq=False, repr=False)
class Made(Handle):
    """A handle, and the loop that its effects are for."""

    maker: object


Line: TypeAlias = OrderedDict["Task", Any]
"""Who waits for one thing, in order, and what they bring. Whoever is cancelled leaves it in O(1)."""


@dataclass(eq=False, repr=False)
class Target(Made):
    """What comes to an outcome, once."""

    outcome: Outcome | None = field(default=None, init=False)
    order: int = field(default=0, init=False)  # Which one it was, of those that came to theirs.
    line: Line = field(default_factory=Line, init=False)
    external: bool = field(default=False, kw_only=True)

    @property
    def done(self) -> bool:
        """Whether it is there."""
        return self.outcome is not None


@dataclass(eq=False, repr=False)
class Task(Target):
    """A program that runs beside others. It is the scope around all its scopes, without a deadline."""

    deadline: ClassVar[float] = math.inf

    name: str
    number: int
    priority: int = 0
    daemon: bool = False
    k: Any = None  # While it does not run.
    effect: Effect[Any] | None = None  # What it waits with.
    answer: Outcome = NOTHING  # While it can run.
    yielded: bool = False  # It can run, and loses nothing when it is cancelled before.
    leave: Callable[[], object] | None = None  # While it waits: takes it out of the lines.
    several: Several | None = None  # While it waits for targets.
    scopes: list[Scope] = field(default_factory=list["Scope"])
    asked: bool = False
    requests: set[Task | Scope] = field(default_factory=set["Task | Scope"])  # Asked for, and not raised yet.

    def __repr__(self) -> str:
        return f"<Task {self.name!r}>"

    @property
    def task(self) -> Task:
        """Itself."""
        return self

    def go_on(self) -> Any:
        """The node that continues it."""
        node = self.answer.given_to(self.k)
        self.k, self.effect, self.answer, self.yielded = None, None, NOTHING, False
        return node

    def levels(self) -> Iterator[Task | Scope]:
        """Whose cancellation no shield keeps off, innermost first."""
        for scope in reversed(self.scopes):
            yield scope
            if scope.shield:
                return
        yield self

    def due(self) -> Task | Scope | None:
        """The outermost cancellation that no shield keeps off; it counts as raised now."""
        due: Task | Scope | None = None
        for level in self.levels() if self.requests else ():
            due = level if level in self.requests else due
        self.requests -= {due}
        return due


@dataclass(eq=False, repr=False)
class Scope(Made):
    """A stretch of a task that can be cancelled alone."""

    task: Task
    deadline: float
    shield: bool
    disarm: Callable[[], object] = field(init=False)  # Takes the alarm of its deadline back.
    asked: bool = False
    done: bool = False


class Promise(Target):
    """What somebody completes."""


class Event(Target):
    """What tasks wait for until somebody sets it; it may be cleared again."""

    @property
    def is_set(self) -> bool:
        """Whether somebody set it."""
        return self.done


class Mailbox:
    """What came from other threads, each of which holds the bell while it puts something in."""

    def __init__(self) -> None:
        self.bell = threading.Condition()
        self.arrived: deque[tuple[Promise, Outcome]] = deque()
        self.closed = False


@dataclass(eq=False, repr=False)
class ExternalPromise(Made):
    """Completes a promise from outside of the run, from any thread."""

    mailbox: Mailbox
    promise: Promise
    done: bool = False

    def complete(self, value: object = None, /) -> None:
        """Complete it with a value."""
        self._post(Outcome(value))

    def fail(self, error: BaseException, /) -> None:
        """Complete it with an error."""
        self._post(failure(error))

    def _post(self, outcome: Outcome) -> None:
        with self.mailbox.bell:
            if self.done or self.mailbox.closed:
                raise PromiseCompletedError("it was completed already, or the run that waited for it is over")
            self.done = True
            self.mailbox.arrived.append((self.promise, outcome))
            self.mailbox.bell.notify()

    def __del__(self) -> None:
        with contextlib.suppress(PromiseCompletedError):
            self.fail(BrokenPromiseError("nobody holds the completer of this promise any more"))


@dataclass(eq=False, repr=False)
class Semaphore(Made):
    """Permits that several tasks may hold."""

    permits: int
    most: int
    line: Line = field(default_factory=Line)


class Lock(Semaphore):
    """One permit, which only its holder gives back."""

    holder: Task | None = None

    @property
    def locked(self) -> bool:
        """Whether a task holds it."""
        return self.holder is not None


@dataclass(eq=False, repr=False)
class Channel(Made):
    """Values on their way from task to task."""

    capacity: int
    closed: bool = False
    values: deque[Any] = field(default_factory=deque[Any])
    senders: Line = field(default_factory=Line)
    receivers: Line = field(default_factory=Line)


@dataclass(eq=False)
class Several:
    """The targets that a task waits for, those that are open, and what it comes to once that is decided."""

    task: Task
    targets: list[Target]
    race: bool  # The first one decides, and not only the first failure.
    cancels: bool = False  # What is decided cancels the others.
    owns: bool = True  # Who cancels the task cancels them too.
    open: dict[Target, None] = field(default_factory=dict[Target, None])
    verdict: Outcome | None = None

    def decides(self, outcome: Outcome) -> bool:
        """Whether nothing counts after this."""
        return self.verdict is None and (self.race or outcome.error is not None)

    def tell(self, later: Target) -> None:
        """Note a later failure at the first."""
        first, second = self.verdict, later.outcome
        if first and first.error and second and first.failed and second.failed and not self.race:
            first.error.add_note(f"{later!r} failed after it: {second.error!r}")

    def values(self) -> Outcome:
        """What all came to."""
        return Outcome([target.outcome.value for target in self.targets if target.outcome])
