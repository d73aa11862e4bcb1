"""How a clause of the scheduler answers, or has its task wait."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from segue import Effect, Handle, Handler, K, Pass, Resume, handles

from .handles import Made, Outcome
from .loop import Loop, Steps
from .waits import Pause

Method: TypeAlias = Callable[[Any, Any], object]


class ElsewhereError(Exception):
    """Another scheduler made the handle, and is to have the effect."""


class Clauses(Handler[Any]):
    """A handler with a loop."""

    loop: Loop

    def mine(self, handle: object, *kinds: type) -> Any:
        """The handle, if it is of one of these kinds; an effect on that of another scheduler is for that one."""
        if isinstance(handle, Handle) and not (isinstance(handle, Made) and handle.maker is self.loop):
            raise ElsewhereError
        if not isinstance(handle, kinds):
            raise TypeError(f"a {' or '.join(kind.__name__ for kind in kinds)} is asked for, got {handle!r}")
        return handle


def clause(*effects: type[Effect[Any]]) -> Callable[[Method], Handler[Any]]:
    """A control clause, of a method that gives the answer, as a value or an `Outcome`, or a `Pause`."""

    def decorate(method: Method) -> Handler[Any]:
        @wraps(method)
        def answered(self: Clauses, effect: Effect[Any], k: K) -> Steps:
            try:
                answer = method(self, effect)
            except ElsewhereError:
                return Pass()
            if isinstance(answer, Pause):
                return (yield from self.loop.pause(effect, k, answer))
            return answer.given_to(k) if isinstance(answer, Outcome) else Resume(k, answer)

        made: Handler[Any] = handles(*effects)(answered)
        return made

    return decorate
