//! What a user gave where a program was asked for, and what they most likely meant.
//!
//! One text for every place that asks: yields, roots, arguments of nodes and results of functions (semantics 1). A
//! coroutine is closed, so that no "was never awaited" follows the error.

use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyFunction, PyType};

use super::continuation::is_k;
use super::do_function::DoFunction;
use super::effect::EffectBase;
use super::handler::is_handler;
use super::nodes::DoExpr;
use super::text::{named, safe_repr, type_name};
use crate::py::found::Found;

const CO_GENERATOR: u32 = 0x20;
const CO_COROUTINE: u32 = 0x80;
const CO_ASYNC_GENERATOR: u32 = 0x200;

/// The `TypeError` for `value`, which is not what was `wanted`.
///
/// `wanted` begins the message: "Map: p must be a program or an effect".
#[must_use]
pub fn mistake(py: Python<'_>, value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    let (got, advice) = diagnose(py, value);
    PyTypeError::new_err(format!("{wanted}, got {got}: {advice}"))
}

/// What `value` is, and what to do about it.
fn diagnose(py: Python<'_>, value: &Bound<'_, PyAny>) -> (String, String) {
    if let Ok(class) = value.cast::<PyType>() {
        return diagnose_class(class);
    }
    if let Ok(function) = value.cast::<DoFunction>() {
        let name = named(function.get().function.bind(py));
        return (format!("the @do function {name} itself"), format!("call it, {name}(...)"));
    }
    if let Some(told) = diagnose_suspended(py, value) {
        return told;
    }
    if let Ok(function) = value.cast::<PyFunction>() {
        return diagnose_function(function.as_any());
    }
    let shown = safe_repr(value);
    if is_k(value) {
        return ("a continuation".to_owned(), "use it in a node, as in Resume(k, value)".to_owned());
    }
    if is_handler(value) {
        return (format!("the handler {shown}"), "call it with the program that it is to handle, h(p)".to_owned());
    }
    if value.is_instance_of::<PyBaseException>() {
        return (format!("the exception {shown}"), "raise it".to_owned());
    }
    if value.is_none() {
        return ("None".to_owned(), "use Pure(None), or return".to_owned());
    }
    if defines(value, "__await__") {
        return (format!("the awaitable {shown}"), "use Await(...)".to_owned());
    }
    if value.is_callable() {
        return (format!("the callable {shown}"), "call it".to_owned());
    }
    (format!("{shown} (a value of type {})", type_name(value)), "use Pure(value), or return the value".to_owned())
}

fn diagnose_class(class: &Bound<'_, PyType>) -> (String, String) {
    let name = named(class.as_any());
    let descends = |from: PyResult<bool>| from.unwrap_or(false);
    if descends(class.is_subclass_of::<EffectBase>()) {
        return (format!("the effect class {name} itself"), format!("make an instance, {name}(...)"));
    }
    if descends(class.is_subclass_of::<DoExpr>()) {
        return (format!("the node class {name} itself"), format!("make an instance, {name}(...)"));
    }
    if descends(class.is_subclass_of::<PyBaseException>()) {
        return (format!("the exception class {name}"), "raise it".to_owned());
    }
    (format!("the class {name}"), "use Pure(value) for a plain value, or return it".to_owned())
}

/// Generators, coroutines and asynchronous generators: by exact type, so that no user code decides.
fn diagnose_suspended(py: Python<'_>, value: &Bound<'_, PyAny>) -> Option<(String, String)> {
    static GENERATOR: Found = Found::not_yet();
    static COROUTINE: Found = Found::not_yet();
    static ASYNC_GENERATOR: Found = Found::not_yet();
    let class = value.get_type();
    let is = |cell: &Found, name: &str| cell.import(py, "types", name).is_ok_and(|wanted| class.is(wanted));
    if is(&GENERATOR, "GeneratorType") {
        let name = named(value);
        return Some((format!("a bare generator of {name}"), format!("decorate {name} with @do")));
    }
    if is(&COROUTINE, "CoroutineType") {
        let name = named(value);
        close(py, value);
        return Some((format!("a coroutine of {name}"), format!("use Await({name}(...))")));
    }
    if is(&ASYNC_GENERATOR, "AsyncGeneratorType") {
        let name = named(value);
        return Some((
            format!("an async generator of {name}"),
            "write it as a @do function that uses Await(...) for what it awaits".to_owned(),
        ));
    }
    None
}

fn diagnose_function(function: &Bound<'_, PyAny>) -> (String, String) {
    let name = named(function);
    let flags = function.getattr("__code__").and_then(|code| code.getattr("co_flags")?.extract::<u32>()).unwrap_or(0);
    if flags & CO_COROUTINE != 0 {
        (format!("the async function {name} itself"), format!("use Await({name}(...))"))
    } else if flags & CO_ASYNC_GENERATOR != 0 {
        let advice = "write it as a @do function that uses Await(...) for what it awaits";
        (format!("the async generator function {name} itself"), advice.to_owned())
    } else if flags & CO_GENERATOR != 0 {
        (format!("the generator function {name} itself"), format!("decorate {name} with @do and call it, {name}(...)"))
    } else {
        (format!("the function {name} itself"), format!("call it, {name}(...)"))
    }
}

/// Whether the real type of `value` defines `name`.
fn defines(value: &Bound<'_, PyAny>, name: &str) -> bool {
    value.get_type().hasattr(name).unwrap_or(false)
}

/// Closes a coroutine that nobody will await; what its clean-up raises goes to the unraisable hook.
pub fn close(py: Python<'_>, coroutine: &Bound<'_, PyAny>) {
    if let Err(error) = coroutine.call_method0("close") {
        error.write_unraisable(py, Some(coroutine));
    }
}
