//! What clauses do with continuations, and what they may ask about the place where they stand.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::super::link::{Held, Link};
use super::{DoExpr, Node, NodeKind, check};

node! {
    /// Continues `k` here with `value`; evaluates to what the whole resumed body comes to.
    ///
    /// `ResumeContinuation` is another name of it.
    // Freed nodes are used again: clauses make one for every effect that they answer.
    #[pyo3(freelist = 256)]
    Resume(k, value) shows ["k", "value"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What the perform evaluates to.
        value: Link = any(value),
    }
}

node! {
    /// Continues `k` here by raising `exc` at the perform; evaluates to what the whole resumed body comes to.
    ResumeThrow(k, exc) shows ["k", "error"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What is raised; a class has been instantiated.
        error: Py<PyBaseException> = exception(exc),
    }
}

node! {
    /// Ends the clause, then continues `k` in its place with `value`.
    Transfer(k, value) shows ["k", "value"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What the perform evaluates to.
        value: Link = any(value),
    }
}

node! {
    /// Ends the clause, then continues `k` in its place by raising `exc` at the perform.
    TransferThrow(k, exc) shows ["k", "error"] {
        /// What is continued.
        k: Link = continuation(k),
        /// What is raised; a class has been instantiated.
        error: Py<PyBaseException> = exception(exc),
    }
}

node! {
    /// Unwinds `k` here: its `finally` and `with` blocks run, their effects handled. Evaluates to `None`.
    Discontinue(k) shows ["k"] {
        /// What is unwound.
        k: Link = continuation(k),
    }
}

node! {
    /// Performs the clause's own effect outward; the answer comes back to the clause, which still owns its `k`.
    Delegate() shows [] {}
}

node! {
    /// Ends the clause and hands its effect, with its `k`, to the next handler outward.
    Pass() shows [] {}
}

node! {
    /// Evaluates to the clause's own continuation.
    GetContinuation() shows [] {}
}

node! {
    /// Evaluates to the handlers in scope, innermost first; with `k`, to those inside `k`.
    GetHandlers(k = None) shows ["k"] {
        /// The continuation that is asked about, or nothing for the place of the yield.
        k: Option<Link> = optional_continuation(k),
    }
}

node! {
    /// Evaluates to a snapshot of the programs, clauses and handlers from here outward.
    GetExecutionContext() shows [] {}
}

node! {
    /// Evaluates to what the awaitable that `action()` makes comes to. For drivers that can await.
    PythonAsyncSyntaxEscape(action) shows ["action"] {
        /// What makes the awaitable.
        action: Link = callable(action),
    }
}
