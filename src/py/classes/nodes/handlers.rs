//! From what a user gives as handlers to what the machine installs.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes, PyDict, PyFrozenSet, PyIterator, PyList, PySet, PyString, PyTuple};

use super::super::handler::is_handler;
use super::super::text::{safe_repr, type_name};
use super::{WithHandler, build, is_program};
use crate::py::found::Found;

/// The handler object for what the user gave: itself, or the control clause for every effect that a bare callable is.
pub(super) fn resolve(handler: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    static AS_HANDLER: Found = Found::not_yet();
    if is_handler(handler) {
        return Ok(handler.clone().unbind());
    }
    Ok(AS_HANDLER.import(handler.py(), "segue._handler", "as_handler")?.call1((handler,))?.unbind())
}

/// The handlers of a `run`, outermost first: each as the user gave it, and as the machine installs it.
///
/// Takes one handler, one bare callable, or a sequence of such (`h1 | h2` is one).
///
/// # Errors
/// `TypeError` that names the item which is no handler.
pub fn handler_list(py: Python<'_>, handlers: &Bound<'_, PyAny>) -> PyResult<Vec<(Py<PyAny>, Py<PyAny>)>> {
    let is_sequence = handlers.is_instance_of::<PyTuple>() || handlers.is_instance_of::<PyList>();
    if !is_sequence && (is_handler(handlers) || handlers.is_callable() || is_program(handlers)) {
        return Ok(vec![(handlers.clone().unbind(), resolve(handlers)?)]);
    }
    let unordered = handlers.is_instance_of::<PySet>()
        || handlers.is_instance_of::<PyFrozenSet>()
        || handlers.is_instance_of::<PyDict>()
        || handlers.is_instance_of::<PyString>()
        || handlers.is_instance_of::<PyBytes>();
    let items = if unordered { None } else { items(handlers)? };
    let Some(items) = items else {
        return Err(PyTypeError::new_err(format!(
            "handlers must be a handler or a sequence of handlers, got {} (of type {})",
            safe_repr(handlers),
            type_name(handlers)
        )));
    };
    let mut found = Vec::new();
    for (index, item) in items.enumerate() {
        let item = item?;
        let resolved = resolve(&item).map_err(|error| at_item(py, error, index))?;
        found.push((item.unbind(), resolved));
    }
    Ok(found)
}

/// The items of what can be iterated; an error of the user's own `__iter__` stays what it is.
pub(super) fn items<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyIterator>>> {
    match value.try_iter() {
        Ok(items) => Ok(Some(items)),
        Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says which item of the sequence an error is about.
fn at_item(py: Python<'_>, error: PyErr, index: usize) -> PyErr {
    if error.get_type(py).is(py.get_type::<PyTypeError>()) {
        // The note only adds to the message: without it the error is as right.
        let _ = error.add_note(py, format!("this is item {index} of the handlers"));
    }
    error
}

/// `program` inside the handlers, the first outermost.
///
/// # Errors
/// When memory is exhausted.
pub fn nest(py: Python<'_>, program: Py<PyAny>, handlers: &[(Py<PyAny>, Py<PyAny>)]) -> PyResult<Py<PyAny>> {
    handlers.iter().rev().try_fold(program, |program, (handler, resolved)| {
        let node = WithHandler {
            handler: handler.clone_ref(py).into(),
            program: program.into(),
            resolved: resolved.clone_ref(py).into(),
        };
        build(py, node)
    })
}
