"""Algebraic effects for Python at the speed of CPython.

A program says *what* it needs by yielding effects; handlers say *how*. Programs are values: calling a `@do` function
runs nothing, `run` does.

Example:
    >>> from segue import Effect, answers, do, run
    >>> class Greet(Effect[str]):
    ...     name: str
    >>> @do
    ... def program():
    ...     greeting = yield Greet("world")
    ...     return greeting.upper()
    >>> @answers(Greet)
    ... def polite(effect):
    ...     return f"hello {effect.name}"
    >>> run(program(), handlers=[polite]).value
    'HELLO WORLD'
"""

from segue import _interpreter

if not _interpreter.is_main():
    raise ImportError(_interpreter.REFUSAL, name="segue")

from segue._async import async_run
from segue._builtin import (
    Ask,
    Get,
    Key,
    Modify,
    NativeHandler,
    Put,
    ReaderAsk,
    StateGet,
    StateModify,
    Tell,
    bracket,
    default_handlers,
    lazy,
    reader,
    state,
    writer,
)
from segue._do import do
from segue._effect import Effect
from segue._errors import (
    ContinuationError,
    CycleError,
    Discontinued,
    InternalError,
    LimitExceeded,
    MissingKeyError,
    RunClosedError,
    SegueError,
    TaskEndedError,
    UnhandledEffectError,
    VMStateError,
)
from segue._handler import FunctionHandler, Handler, HandlerStack, answers, handles
from segue._result import ContextLine, TraceEntry, Unobserved, Usage
from segue._vm import (
    Call,
    CreateContinuation,
    Delegate,
    Discontinue,
    DoExpr,
    Err,
    FlatMap,
    GetContinuation,
    GetExecutionContext,
    GetHandlers,
    Inherit,
    K,
    Limits,
    Listen,
    Local,
    Map,
    Ok,
    Pass,
    Perform,
    Pure,
    PythonAsyncSyntaxEscape,
    PyVM,
    Resume,
    ResumeContinuation,
    ResumeThrow,
    RunResult,
    Seal,
    Transfer,
    TransferThrow,
    Try,
    WithHandler,
    WithIntercept,
    run,
)
from segue._vm import DoExpr as Program

__all__ = [
    "Ask",
    "Call",
    "ContextLine",
    "ContinuationError",
    "CreateContinuation",
    "CycleError",
    "Delegate",
    "Discontinue",
    "Discontinued",
    "DoExpr",
    "Effect",
    "Err",
    "FlatMap",
    "FunctionHandler",
    "Get",
    "GetContinuation",
    "GetExecutionContext",
    "GetHandlers",
    "Handler",
    "HandlerStack",
    "Inherit",
    "InternalError",
    "K",
    "Key",
    "LimitExceeded",
    "Limits",
    "Listen",
    "Local",
    "Map",
    "MissingKeyError",
    "Modify",
    "NativeHandler",
    "Ok",
    "Pass",
    "Perform",
    "Program",
    "Pure",
    "Put",
    "PyVM",
    "PythonAsyncSyntaxEscape",
    "ReaderAsk",
    "Resume",
    "ResumeContinuation",
    "ResumeThrow",
    "RunClosedError",
    "RunResult",
    "Seal",
    "SegueError",
    "StateGet",
    "StateModify",
    "TaskEndedError",
    "Tell",
    "TraceEntry",
    "Transfer",
    "TransferThrow",
    "Try",
    "UnhandledEffectError",
    "Unobserved",
    "Usage",
    "VMStateError",
    "WithHandler",
    "WithIntercept",
    "answers",
    "async_run",
    "bracket",
    "default_handlers",
    "do",
    "handles",
    "lazy",
    "reader",
    "run",
    "state",
    "writer",
]
