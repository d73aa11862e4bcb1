"""What a run reports, as named tuples (semantics 3, 4, 5)."""

from __future__ import annotations

from segue._typing import public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, NamedTuple, Self

    from segue._vm import Task

    class TraceEntry(NamedTuple):
        step: int
        event: Literal["enter", "exit"]
        mode: Literal["Deliver", "Throw", "HandleYield", "Return"]
        pending: str | None
        dispatch_depth: int
        result: str | None

    class ContextLine(NamedTuple):
        kind: Literal["program", "clause", "handler"]
        name: str
        file: str | None
        line: int | None

    class Unobserved(NamedTuple):
        error: BaseException
        origin: object

    class TaskInfo(NamedTuple):
        name: str
        state: Literal["running", "ready", "waiting", "done", "failed", "cancelled"]
        what: str
        at: ContextLine | None = None
        spawned_at: ContextLine | None = None
        stalled: float | None = None
        task: Task[Any] | None = None
        scheduler: int | None = None

    class TaskSwitch(NamedTuple):
        left: TaskInfo | None
        entered: TaskInfo | None

    class Usage(NamedTuple):
        steps: int
        depth: int
        segments: int
        tasks: int
        promises: int
        seconds: float

else:

    class _Record(tuple):
        """A named tuple: its standard factory alone takes longer to import than the rest of this package."""

        __slots__ = ()
        _fields = __match_args__ = _defaults = ()

        def __init_subclass__(cls, about: dict[str, str]) -> None:
            """Make the fields, each with its documentation."""
            cls._fields = cls.__match_args__ = tuple(about)
            for index, (name, doc) in enumerate(about.items()):
                setattr(cls, name, property(lambda self, index=index: self[index], doc=doc))

        def __new__(cls, *values: object, **named: object) -> Self:
            """Take the fields by position or keyword."""
            absent = dict(zip(cls._fields[::-1], cls._defaults[::-1], strict=False))
            for name in cls._fields[len(values) :]:
                if name in named:
                    values += (named.pop(name),)
                elif name in absent:
                    values += (absent[name],)
            if named or len(values) != len(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            parts = (f"{name}={value!r}" for name, value in self._asdict().items())
            return f"{type(self).__name__}({', '.join(parts)})"

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **named: object) -> _Record:
            return type(self)(**{**self._asdict(), **named})

    _TRACEENTRY = {
        "step": "The number of the step.",
        "event": '"enter" before the step, "exit" after it.',
        "mode": 'What the segment is about to do: "Deliver", "Throw", "HandleYield" or "Return".',
        "pending": "What the step is about, on entering it.",
        "dispatch_depth": "How many clauses stand between here and the root.",
        "result": "What the step came to, on leaving it.",
    }

    @public
    class TraceEntry(_Record, about=_TRACEENTRY):
        """One entry of `RunResult.trace`, for a run with `trace=True`: a named tuple.

        Example:
            >>> from segue import Get, run, state
            >>> run(Get("n"), handlers=[state({"n": 1})], trace=True).trace[0].event
            'enter'
        """

        __slots__ = ()

    _CONTEXTLINE = {
        "kind": '"program", "clause" or "handler".',
        "name": "What it is called.",
        "file": "Where it is written, if that is known.",
        "line": "The line it is at, if that is known.",
    }

    @public
    class ContextLine(_Record, about=_CONTEXTLINE):
        """One line of what `GetExecutionContext()` evaluates to: a named tuple.

        Example:
            >>> from segue import GetExecutionContext, do, run
            >>> @do
            ... def here():
            ...     return (yield GetExecutionContext())
            >>> run(here()).value[0].name
            'here'
        """

        __slots__ = ()

    _UNOBSERVED = {
        "error": "The exception.",
        "origin": "Where what raised it was captured or spawned.",
    }

    @public
    class Unobserved(_Record, about=_UNOBSERVED):
        """An error that nothing in the program could see: a named tuple in `RunResult.unobserved`.

        Example:
            >>> from segue import Unobserved
            >>> Unobserved(ValueError("late"), None).error
            ValueError('late')
        """

        __slots__ = ()

    _TASKINFO = {
        "name": "What its spawner called it.",
        "state": '"running", "ready", "waiting", "done", "failed" or "cancelled".',
        "what": "What it waits with; how it came to be ready; what it failed with.",
        "at": "Where it is suspended, or runs, if it has begun.",
        "spawned_at": "Where it was spawned; the root was not.",
        "stalled": "For how many seconds it has waited for something from outside of the run; else `None`.",
        "task": "The task.",
        "scheduler": "Which scheduler it belongs to: a number of its own in this process.",
    }

    @public
    class TaskInfo(_Record, about=_TASKINFO):
        """How a task stands: a named tuple, which `str` shows as one line.

        `all_tasks()` gives those of this process, `PyVM.tasks()` those of one VM, `DeadlockError.waiting` those that
        nobody can wake.

        Example:
            >>> from segue import CreatePromise, Wait, run, scheduler
            >>> error = run(CreatePromise().flat_map(Wait), handlers=[scheduler]).error
            >>> str(error.waiting[0])
            'root: waiting, Wait(target=<Promise pending>)'
        """

        __slots__ = ()
        _defaults = (None, None, None, None, None)

        def __str__(self) -> str:
            """One line: who, how, where."""
            name, state, what, at, spawned_at, stalled, *_ = self
            shown = f"{name}: {state}"
            if what:
                shown += f", {what}"
            if at is not None:
                shown += f", in {at.name} at {at.file}:{at.line}"
            if stalled is not None:
                shown += f", for {stalled:.1f} s"
            if spawned_at is not None:
                shown += f", spawned by {spawned_at.name} at {spawned_at.file}:{spawned_at.line}"
            return shown

    _TASKSWITCH = {
        "left": "Who ran before, and how it stands now; nobody did at the beginning and after a wait of all.",
        "entered": "Who runs now; nobody does when all wait, or when it is over.",
    }

    @public
    class TaskSwitch(_Record, about=_TASKSWITCH):
        """A change of the running task, as `PyVM.switched()` gives it: a named tuple.

        Example:
            >>> from segue import PyVM, Sleep, VirtualClock, scheduler
            >>> vm = PyVM()
            >>> vm.start_program(Sleep(1), [scheduler(clock=VirtualClock())])
            >>> event = vm.step_once()
            >>> vm.switched().entered.name
            'root'
        """

        __slots__ = ()

    _USAGE = {
        "steps": "Performs, clauses' answers and programs entered.",
        "depth": "The most calls inside each other.",
        "segments": "The most segments alive at once.",
        "tasks": "The most tasks alive at once.",
        "promises": "The promises made.",
        "seconds": "Wall time.",
    }

    @public
    class Usage(_Record, about=_USAGE):
        """What a run used, under the names of `Limits`: a named tuple.

        Example:
            >>> from segue import Pure, run
            >>> run(Pure(1)).usage.tasks
            0
        """

        __slots__ = ()
