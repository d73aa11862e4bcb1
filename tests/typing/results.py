"""Results of runs, limits, and the machine one step at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, assert_type

from segue import (
    Err,
    Key,
    Limits,
    Ok,
    Pure,
    PythonAsyncSyntaxEscape,
    PyVM,
    RunResult,
    TraceEntry,
    Unobserved,
    Usage,
    run,
)

result = run(Pure(1), limits=Limits(steps=10, seconds=0.5), trace=True)
assert_type(result, RunResult[int])
assert_type(result.value, int)
assert_type(result.error, BaseException)
assert_type(result.log, tuple[Any, ...])
assert_type(result.raw_store, dict[Any, Any])
assert_type(result.trace, tuple[TraceEntry, ...])
assert_type(result.unobserved, tuple[Unobserved, ...])
assert_type(result.usage, Usage)
assert_type(result.usage.steps, int)
assert_type(result.display(), str)

match result.result:
    case Ok(value):
        assert_type(value, int)
    case Err(error):
        assert_type(error, BaseException)

Err(3)  # type: ignore[type-var]
Limits(10)  # type: ignore[call-arg]
Limits(steps="10")  # type: ignore[arg-type]
result.value = 2  # type: ignore[misc]


def step(vm: PyVM) -> object:
    event = vm.step_once()
    if event[0] == "call_async":
        assert_type(event[1], Callable[[], Awaitable[Any]])
    elif event[0] == "error":
        assert_type(event[1], BaseException)
    return event


async def fetch() -> bytes:
    return b""


assert_type(run(PythonAsyncSyntaxEscape(fetch)).value, bytes)
PythonAsyncSyntaxEscape(fetch())  # type: ignore[arg-type]

# A key is a string.
assert_type(Key[int]("n").upper(), str)
