//! Programs that evaluate another one inside something: a handler, an interceptor, a wall, a resource.

use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::super::link::{Held, Link};
use super::{DoExpr, Node, NodeKind, check};

node! {
    /// Evaluates `p` with `handler` around it, and to what the handler makes of its result.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     handler: A handler, or a bare callable: a control clause for every effect.
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: `handler` is no handler, or `p` is neither.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Get, WithHandler, run, state
    /// >>> run(WithHandler(state({"n": 1}), Get("n"))).value
    /// 1
    ///
    /// ```
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
    /// Evaluates `p`; each effect performed meanwhile is first given to `f`, and what it returns is evaluated instead.
    ///
    /// `f` is skipped by what its own program performs, so that it may perform the effect again. Law: semantics 2.
    ///
    /// Args:
    ///     f: From the effect to the program or effect that answers it.
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: `f` is not callable, or `p` is neither.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Tell, WithIntercept, run, writer
    /// >>> loud = WithIntercept(lambda effect: Tell(effect.x.upper()), Tell("hi"))
    /// >>> list(run(loud, handlers=[writer]).log)
    /// ['HI']
    ///
    /// ```
    WithIntercept(f, p) shows ["function", "program"] {
        /// What each effect is given to.
        function: Link = callable(f),
        /// What is intercepted.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` inside a wall: only effects of exactly the classes in `allow` reach the handlers outside.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     allow: Effect classes; subclasses do not count.
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: `allow` holds something else, or `p` is neither.
    ///     `UnhandledEffectError`: At a perform inside, when the effect may not pass.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Get, Seal, Tell, run, state
    /// >>> run(Seal([Tell], Get("n")), handlers=[state({"n": 1})]).is_err()
    /// True
    ///
    /// ```
    Seal(allow, p) shows ["allow", "program"] {
        /// The classes that pass.
        allow: Py<PyTuple> = effect_classes(allow),
        /// What is sealed.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates to `Ok(result of p)`, or to `Err(error)` when `p` fails with an `Exception`.
    ///
    /// Law: semantics 6.
    ///
    /// Args:
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: It is neither.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Pure, Try, run
    /// >>> run(Try(Pure("one").map(lambda text: {}[text]))).value
    /// Err(KeyError('one'))
    ///
    /// ```
    Try(p) shows ["program"] {
        /// What is tried.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` with some values of the reader's environment replaced.
    ///
    /// Law: semantics 6.
    ///
    /// Args:
    ///     overrides: The replaced values, by key; the mapping is copied.
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: `overrides` is no mapping, or `p` is neither.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Ask, Local, reader, run
    /// >>> run(Local({"who": "you"}, Ask("who")), handlers=[reader({"who": "me"})]).value
    /// 'you'
    ///
    /// ```
    Local(overrides, p) shows ["overrides", "program"] {
        /// The replaced values; nobody else holds this dictionary but who reads the attribute.
        overrides: Link<PyDict> = mapping(overrides),
        /// What sees them.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `p` to `(result, entries)`: what was told meanwhile, which goes outward as well.
    ///
    /// Law: semantics 6.
    ///
    /// Args:
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: It is neither.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Listen, Tell, run, writer
    /// >>> result, entries = run(Listen(Tell("hi")), handlers=[writer]).value
    /// >>> list(entries)
    /// ['hi']
    ///
    /// ```
    Listen(p) shows ["program"] {
        /// What is listened to.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates `acquire` to a resource, then `use(resource)`, and after it, however it ends, `release(resource)`.
    ///
    /// Law: semantics 6.
    ///
    /// Args:
    ///     acquire: A program or an effect.
    ///     use: From the resource to the program or effect that uses it.
    ///     release: From the resource to the program or effect that gives it back.
    ///
    /// Raises:
    ///     `TypeError`: `acquire` is neither, or one of the others is not callable.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Pure, Tell, bracket, run, writer
    /// >>> program = bracket(Pure("file"), lambda f: Tell("read " + f), lambda f: Tell("close " + f))
    /// >>> list(run(program, handlers=[writer]).log)
    /// ['read file', 'close file']
    ///
    /// ```
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
    ///
    /// This is what a scheduler spawns with. Forked handlers only answer: they have no `result`, `error` or `exit`.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     k: The continuation whose scope is inherited; it is not used by this.
    ///     p: A program or an effect.
    ///
    /// Raises:
    ///     `TypeError`: `k` is no continuation, or `p` is neither.
    ///     `ContinuationError`: At the yield, when `k` was used already.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Effect, Inherit, Resume, Get, handles, run, state
    /// >>> class Spawn(Effect[int]): ...
    /// >>> @handles(Spawn)
    /// ... def spawning(effect, k):
    /// ...     child = yield Inherit(k, Get("n"))
    /// ...     return Resume(k, child)
    /// >>> run(Spawn(), handlers=[spawning, state({"n": 1})]).value
    /// 1
    ///
    /// ```
    Inherit(k, p) shows ["k", "program"] {
        /// The continuation whose scope is inherited.
        k: Link = continuation(k),
        /// What runs inside it.
        program: Link = program(p),
    }
}

node! {
    /// Evaluates to a kept continuation that has not started: resumed with `None`, it evaluates `p` inside `handlers`.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     p: A program or an effect.
    ///     handlers: One handler or a sequence of handlers, the last innermost.
    ///
    /// Raises:
    ///     `TypeError`: `p` is neither, or one of the handlers is none.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import CreateContinuation, Get, Resume, do, run, state
    /// >>> @do
    /// ... def program():
    /// ...     k = yield CreateContinuation(Get("n"), [state({"n": 1})])
    /// ...     return (yield Resume(k, None))
    /// >>> run(program()).value
    /// 1
    ///
    /// ```
    CreateContinuation(p, handlers) shows ["program"] {
        /// `p` inside its handlers, the first outermost.
        program: Link = nested(p, handlers),
    }
}
