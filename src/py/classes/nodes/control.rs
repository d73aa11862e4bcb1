//! What clauses do with continuations, and what they may ask about the place where they stand.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::super::fleeting::Fleeting;
use super::super::link::{Held, Link};
use super::super::spare::Spare;
use super::{DoExpr, Node, NodeKind, check};

node! {
    /// Continues `k` here with `value`; evaluates to what the whole resumed body comes to.
    ///
    /// `return Resume(k, value)` in a clause continues `k` in the clause's place, in constant memory. Another name of
    /// this node is `ResumeContinuation`. Law: semantics 2.
    ///
    /// Args:
    ///     k: The continuation; using it takes it.
    ///     value: What the perform evaluates to.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation.
    ///     `ContinuationError`: At the yield, when `k` was used already.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, Resume, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def twice(effect, k):
    /// ...     body = yield Resume(k, 21)
    /// ...     return body * 2
    /// >>> run(Ping(), handlers=[twice]).value
    /// 42
    ///
    /// ```
    Resume(k, value) shows ["k", "value"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What the perform evaluates to.
        value: Link = any(value),
    }
}

impl Fleeting for Resume {
    type Front = DoExpr;
    type Back = Self;

    fn spare() -> &'static Spare {
        static SPARE: Spare = Spare::new();
        &SPARE
    }

    fn let_go(py: Python<'_>, _: DoExpr, node: Self) {
        node.k.let_go(py);
        node.value.let_go(py);
    }
}

node! {
    /// Continues `k` here by raising `exc` at the perform; evaluates to what the whole resumed body comes to.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     k: The continuation; using it takes it.
    ///     exc: An exception, or an exception class, which is instantiated at once.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation, or `exc` no exception; `k` stays unused.
    ///     `ContinuationError`: At the yield, when `k` was used already.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, ResumeThrow, Try, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def refuses(effect, k):
    /// ...     return ResumeThrow(k, ValueError("no"))
    /// >>> run(Try(Ping()), handlers=[refuses]).value
    /// Err(ValueError('no'))
    ///
    /// ```
    ResumeThrow(k, exc) shows ["k", "error"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What is raised; a class has been instantiated.
        error: Py<PyBaseException> = exception(exc),
    }
}

node! {
    /// Ends the clause, then continues `k` in its place with `value`. The yield never comes back.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     k: The continuation; using it takes it.
    ///     value: What the perform evaluates to.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation.
    ///     `ContinuationError`: At the yield, when `k` was used already, or outside a clause.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, Transfer, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def answering(effect, k):
    /// ...     yield Transfer(k, 42)
    /// ...     print("never reached")
    /// >>> run(Ping(), handlers=[answering]).value
    /// 42
    ///
    /// ```
    Transfer(k, value) shows ["k", "value"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What the perform evaluates to.
        value: Link = any(value),
    }
}

node! {
    /// Ends the clause, then continues `k` in its place by raising `exc` at the perform. The yield never comes back.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     k: The continuation; using it takes it.
    ///     exc: An exception, or an exception class, which is instantiated at once.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation, or `exc` no exception; `k` stays unused.
    ///     `ContinuationError`: At the yield, when `k` was used already, or outside a clause.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, TransferThrow, Try, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def refuses(effect, k):
    /// ...     yield TransferThrow(k, ValueError("no"))
    /// >>> run(Try(Ping()), handlers=[refuses]).value
    /// Err(ValueError('no'))
    ///
    /// ```
    TransferThrow(k, exc) shows ["k", "error"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What is raised; a class has been instantiated.
        error: Py<PyBaseException> = exception(exc),
    }
}

node! {
    /// Unwinds `k` here: its `finally` and `with` blocks run, their effects handled. Evaluates to `None`.
    ///
    /// Law: semantics 3.
    ///
    /// Args:
    ///     k: The continuation; using it takes it.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation.
    ///     `ContinuationError`: At the yield, when `k` was used already.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Discontinue, Effect, do, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> @do
    /// ... def careful():
    /// ...     try:
    /// ...         yield Ping()
    /// ...     finally:
    /// ...         print("cleaned")
    /// >>> def stops(effect, k):
    /// ...     yield Discontinue(k)
    /// ...     return "stopped"
    /// >>> run(careful(), handlers=[stops]).value
    /// cleaned
    /// 'stopped'
    ///
    /// ```
    Discontinue(k) shows ["k"] {
        /// What is unwound.
        k: Link = continuation(k),
    }
}

node! {
    /// Performs the clause's own effect outward; the answer comes back to the clause, which still owns its `k`.
    ///
    /// Law: semantics 2.
    ///
    /// Raises:
    ///     `ContinuationError`: At the yield, outside a clause.
    ///     `UnhandledEffectError`: At the yield, when no handler outside accepts the effect.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Delegate, Effect, Resume, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def answering(effect, k):
    /// ...     return Resume(k, 21)
    /// >>> def doubling(effect, k):
    /// ...     answer = yield Delegate()
    /// ...     return Resume(k, answer * 2)
    /// >>> run(Ping(), handlers=[answering, doubling]).value
    /// 42
    ///
    /// ```
    Delegate() shows [] {}
}

node! {
    /// Ends the clause and hands its effect, with its `k`, to the next handler outward.
    ///
    /// Law: semantics 2.
    ///
    /// Raises:
    ///     `ContinuationError`: At the yield, outside a clause, or when `k` was used or kept.
    ///     `UnhandledEffectError`: At the perform, when no handler outside accepts the effect.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, Pass, Resume, run
    /// >>> class Ping(Effect[int]):
    /// ...     n: int
    /// >>> def answering(effect, k):
    /// ...     return Resume(k, effect.n)
    /// >>> def picky(effect, k):
    /// ...     return Pass() if effect.n > 1 else Resume(k, "one")
    /// >>> [run(Ping(n), handlers=[answering, picky]).value for n in (1, 2)]
    /// ['one', 2]
    ///
    /// ```
    Pass() shows [] {}
}

node! {
    /// Evaluates to the clause's own continuation, of the nearest clause.
    ///
    /// Law: semantics 2.
    ///
    /// Raises:
    ///     `ContinuationError`: At the yield, outside a clause.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, GetContinuation, Resume, run
    /// >>> class Ping(Effect[int]): ...
    /// >>> def answering(effect, k):
    /// ...     same = (yield GetContinuation()) is k
    /// ...     return Resume(k, same)
    /// >>> run(Ping(), handlers=[answering]).value
    /// True
    ///
    /// ```
    GetContinuation() shows [] {}
}

node! {
    /// Evaluates to the handlers in scope, the user's own objects, innermost first; with `k`, to those inside `k`.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     k: A continuation, or nothing for the place of the yield.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import GetHandlers, run, state, writer
    /// >>> list(run(GetHandlers(), handlers=[state, writer]).value)
    /// [writer, state]
    ///
    /// ```
    GetHandlers(k = None) shows ["k"] {
        /// The continuation that is asked about, or nothing for the place of the yield.
        k: Option<Link> = optional_continuation(k),
    }
}

node! {
    /// Evaluates to a snapshot of the programs, clauses and handlers from here outward, as `ContextLine`s.
    ///
    /// Law: semantics 2.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import GetExecutionContext, do, run
    /// >>> @do
    /// ... def here():
    /// ...     return (yield GetExecutionContext())
    /// >>> run(here()).value[0].name
    /// 'here'
    ///
    /// ```
    GetExecutionContext() shows [] {}
}

node! {
    /// Evaluates to what the awaitable that `action()` makes comes to. For drivers that can await: `async_run`, `PyVM`.
    ///
    /// Law: semantics 5.
    ///
    /// Args:
    ///     action: From nothing to an awaitable.
    ///
    /// Raises:
    ///     `TypeError`: `action` is not callable; or, at the yield, the driver cannot await.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> import asyncio
    /// >>> from segue import PythonAsyncSyntaxEscape, async_run
    /// >>> async def fetch():
    /// ...     return "data"
    /// >>> asyncio.run(async_run(PythonAsyncSyntaxEscape(fetch))).value
    /// 'data'
    ///
    /// ```
    PythonAsyncSyntaxEscape(action) shows ["action"] {
        /// What makes the awaitable.
        action: Link = callable(action),
    }
}
