//! Argument checks of the node constructors: each takes what the user gave and where, and gives what the node holds.

use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyMapping, PyTuple, PyType};

use super::super::continuation::is_k;
use super::super::effect::EffectBase;
use super::super::link::Link;
use super::super::mistake::{close, mistake};
use super::super::text::{safe_repr, type_name};
use super::handlers::{handler_list, items, nest, resolve};
use super::is_program;
use crate::py::names::names;

/// The node and the parameter that an argument was given for.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) &'static str, pub(super) &'static str);

impl At {
    fn wants(self, what: &str) -> String {
        // `use` is a word of Rust's, and written raw there.
        let param = self.1.trim_start_matches("r#");
        format!("{}: {param} must be {what}", self.0)
    }

    fn rejects(self, what: &str, value: &Bound<'_, PyAny>) -> PyErr {
        let shown = format!("{} (of type {})", safe_repr(value), type_name(value));
        if names(value.py()).is_ok_and(|names| value.get_type().is(&names.coroutine)) {
            close(value.py(), value);
        }
        PyTypeError::new_err(format!("{}, got {shown}", self.wants(what)))
    }
}

/// Any value is right.
#[expect(clippy::unnecessary_wraps, reason = "one shape for every check, so that one macro can call them")]
pub(super) fn any(value: &Bound<'_, PyAny>, _at: At) -> PyResult<Link> {
    Ok(value.into())
}

pub(super) fn program(value: &Bound<'_, PyAny>, at: At) -> PyResult<Link> {
    if is_program(value) {
        return Ok(value.into());
    }
    Err(mistake(value.py(), value, &at.wants("a program or an effect")))
}

pub(super) fn effect(value: &Bound<'_, PyAny>, at: At) -> PyResult<Link> {
    if value.is_instance_of::<EffectBase>() {
        return Ok(value.into());
    }
    if is_program(value) {
        return Err(at.rejects("an effect", value));
    }
    Err(mistake(value.py(), value, &at.wants("an effect")))
}

pub(super) fn callable(value: &Bound<'_, PyAny>, at: At) -> PyResult<Link> {
    if value.is_callable() {
        return Ok(value.into());
    }
    Err(at.rejects("callable", value))
}

pub(super) fn continuation(value: &Bound<'_, PyAny>, at: At) -> PyResult<Link> {
    if is_k(value) {
        return Ok(value.into());
    }
    Err(at.rejects("a continuation", value))
}

pub(super) fn optional_continuation(value: Option<&Bound<'_, PyAny>>, at: At) -> PyResult<Option<Link>> {
    value.map(|value| continuation(value, at)).transpose()
}

/// An exception, or an exception class, which is instantiated as `raise` does.
pub(super) fn exception(value: &Bound<'_, PyAny>, at: At) -> PyResult<Py<PyBaseException>> {
    if let Ok(error) = value.cast::<PyBaseException>() {
        return Ok(error.clone().unbind());
    }
    if let Ok(class) = value.cast::<PyType>()
        && class.is_subclass_of::<PyBaseException>()?
    {
        let made = class.call0()?;
        return match made.cast_into::<PyBaseException>() {
            Ok(error) => Ok(error.unbind()),
            Err(other) => Err(at.rejects("an exception class that makes exceptions", &other.into_inner())),
        };
    }
    Err(at.rejects("an exception or an exception class", value))
}

/// The handler that the machine installs for what the user gave.
pub(super) fn handler(value: &Bound<'_, PyAny>, _at: At) -> PyResult<Link> {
    resolve(value).map(Link::from)
}

/// The effect classes that pass a wall.
pub(super) fn effect_classes(value: &Bound<'_, PyAny>, at: At) -> PyResult<Py<PyTuple>> {
    let wanted = "an iterable of effect classes";
    if value.is_instance_of::<PyType>() {
        return Err(at.rejects(&format!("{wanted}, as in [Ping]"), value));
    }
    let items = items(value)?.ok_or_else(|| at.rejects(wanted, value))?;
    let mut classes = Vec::new();
    for item in items {
        let item = item?;
        let is_effect = item.cast::<PyType>().is_ok_and(|class| class.is_subclass_of::<EffectBase>().unwrap_or(false));
        if !is_effect {
            return Err(at.rejects(wanted, &item));
        }
        classes.push(item);
    }
    Ok(PyTuple::new(value.py(), classes)?.unbind())
}

/// A copy of a mapping.
pub(super) fn mapping(value: &Bound<'_, PyAny>, at: At) -> PyResult<Link<PyDict>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.copy()?.into());
    }
    let mapping = value.cast::<PyMapping>().map_err(|_| at.rejects("a mapping", value))?;
    let copy = PyDict::new(value.py());
    copy.update(mapping)?;
    Ok(copy.into())
}

/// The program inside the handlers, the first outermost.
pub(super) fn nested(body: &Bound<'_, PyAny>, handlers: &Bound<'_, PyAny>, at: At) -> PyResult<Link> {
    let body = program(body, At(at.0, "p"))?;
    let py = handlers.py();
    nest(py, body.clone_ref(py), &handler_list(py, handlers)?).map(Link::from)
}
