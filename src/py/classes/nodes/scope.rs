//! Programs that evaluate another one inside something: a handler, an interceptor, a wall, a resource.

use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::super::link::{Held, Link};
use super::{DoExpr, Node, NodeKind, check};

node! {
    /// Evaluates `p` with `handler` around it, and to what the handler makes of its result.
    WithHandler(handler, p) shows ["handler", "program"] {
        /// The object that the user gave.
        handler: Link = any(handler),
        /// What is handled.
        program: Link = program(p),
        /// The handler object that the machine installs.
        resolved: Link = handler(handler),
    }
}

node! {
    /// Evaluates `p`; each effect performed meanwhile is first given to `f`, whose program answers it.
    WithIntercept(f, p) shows ["function", "program"] {
        /// What each effect is given to.
        function: Link = callable(f),
        /// What is intercepted.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` inside a wall: only effects of exactly the classes in `allow` reach the handlers outside.
    Seal(allow, p) shows ["allow", "program"] {
        /// The classes that pass.
        allow: Py<PyTuple> = effect_classes(allow),
        /// What is sealed.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates to `Ok(result of p)`, or to `Err(error)` when `p` fails with an `Exception`.
    Try(p) shows ["program"] {
        /// What is tried.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` with some values of the reader's environment replaced.
    Local(overrides, p) shows ["overrides", "program"] {
        /// The replaced values; nobody else holds this dictionary but who reads the attribute.
        overrides: Py<PyDict> = mapping(overrides),
        /// What sees them.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` to `(result, entries)`: what was told meanwhile, which goes outward as well.
    Listen(p) shows ["program"] {
        /// What is listened to.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `acquire` to a resource r, then `use(r)`, and after it, however it ends, `release(r)`.
    Bracket(acquire, r#use, release) shows ["acquire", "use", "release"] {
        /// The program that gets the resource.
        acquire: Link = program(acquire),
        /// From the resource to the program that uses it.
        r#use: Link = callable(r#use),
        /// From the resource to the program that gives it back.
        release: Link = callable(release),
    }
}

node! {
    /// Evaluates `p` inside forks of the handlers, interceptors and walls that `k` contains.
    Inherit(k, p) shows ["k", "program"] {
        /// The continuation whose scope is inherited.
        k: Link = continuation(k),
        /// What runs inside it.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates to a kept continuation that has not started: resumed with `None`, it evaluates `p` inside `handlers`.
    CreateContinuation(p, handlers) shows ["program"] {
        /// `p` inside its handlers, the first outermost.
        program: Link = nested(p, handlers),
    }
}
