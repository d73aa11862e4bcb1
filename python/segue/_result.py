"""What a run reports, as named tuples (semantics 3, 4, 5)."""

from __future__ import annotations

from segue._typing import public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple, Self

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
        _fields = __match_args__ = ()

        def __init_subclass__(cls, about: dict[str, str]) -> None:
            """Make the fields, each with its documentation."""
            cls._fields = cls.__match_args__ = tuple(about)
            for index, (name, doc) in enumerate(about.items()):
                setattr(cls, name, property(lambda self, index=index: self[index], doc=doc))

        def __new__(cls, *values: object, **named: object) -> Self:
            """Take the fields by position or keyword."""
            values += tuple(named.pop(name) for name in cls._fields[len(values) :] if name in named)
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
