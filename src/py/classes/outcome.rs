//! How a program ended: `Ok(value)` or `Err(error)`, for `RunResult.result` and `Try`.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::link::{Held, Link};
use super::text::{CallText, safe_repr, type_name};
use crate::py::stack::inside_value;

/// The outcome of a program that returned `value`. Compares and hashes by value, matches, pickles.
///
/// Law: semantics 5.
///
/// Args:
///     value: What the program returned.
///
/// Example:
///
/// ```python
/// >>> from segue import Ok, Pure, run
/// >>> run(Pure(1)).result == Ok(1)
/// True
///
/// ```
#[pyclass(frozen, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct Ok {
    /// What the program returned.
    #[pyo3(get)]
    pub value: Link,
}

/// The outcome of a program that failed with `error`. Compares and hashes by the error, matches, pickles.
///
/// Law: semantics 5.
///
/// Args:
///     error: What the program raised.
///
/// Raises:
///     `TypeError`: It is no exception.
///
/// Example:
///
/// ```python
/// >>> from segue import Err, Get, run
/// >>> match run(Get("n")).result:
/// ...     case Err(error):
/// ...         print(type(error).__name__)
/// UnhandledEffectError
///
/// ```
#[pyclass(frozen, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct Err {
    /// What the program raised.
    #[pyo3(get)]
    pub error: Link,
}

impl Ok {
    /// The outcome with this value.
    #[must_use]
    pub fn of(value: Py<PyAny>) -> Self {
        Self { value: value.into() }
    }
}

impl Err {
    /// The outcome with this error.
    #[must_use]
    pub fn of(error: Py<PyBaseException>) -> Self {
        Self { error: error.into_any().into() }
    }
}

#[pymethods]
impl Ok {
    #[new]
    #[pyo3(signature = (value, /))]
    fn new(value: &Bound<'_, PyAny>) -> Self {
        Self { value: value.into() }
    }

    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("value",)
    }

    /// True.
    #[staticmethod]
    fn is_ok() -> bool {
        true
    }

    /// False.
    #[staticmethod]
    fn is_err() -> bool {
        false
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        compare(slf.py(), &slf.get().value, other.cast::<Self>().ok().map(|other| &other.get().value), op)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<u64> {
        hash("Ok", slf.get().value.bind(slf.py()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        CallText::of("Ok", |call| call.part(None, self.value.bind(py)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Py<PyAny>,)) {
        (slf.get_type(), (slf.get().value.clone_ref(slf.py()),))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.value.visit(visit)
    }
}

#[pymethods]
impl Err {
    #[new]
    #[pyo3(signature = (error, /))]
    fn new(error: &Bound<'_, PyAny>) -> PyResult<Self> {
        if error.is_instance_of::<PyBaseException>() {
            return PyResult::Ok(Self { error: error.into() });
        }
        let shown = safe_repr(error);
        let class = type_name(error);
        PyResult::Err(PyTypeError::new_err(format!("Err: error must be an exception, got {shown} (of type {class})")))
    }

    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("error",)
    }

    /// False.
    #[staticmethod]
    fn is_ok() -> bool {
        false
    }

    /// True.
    #[staticmethod]
    fn is_err() -> bool {
        true
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        compare(slf.py(), &slf.get().error, other.cast::<Self>().ok().map(|other| &other.get().error), op)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<u64> {
        hash("Err", slf.get().error.bind(slf.py()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        CallText::of("Err", |call| call.part(None, self.error.bind(py)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyType>, (Py<PyAny>,)) {
        (slf.get_type(), (slf.get().error.clone_ref(slf.py()),))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.error.visit(visit)
    }
}

/// Equality by what is held; no order, and nothing to say about other classes.
fn compare(py: Python<'_>, held: &Link, other: Option<&Link>, op: CompareOp) -> PyResult<Py<PyAny>> {
    let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other, op) else {
        return PyResult::Ok(py.NotImplemented());
    };
    // As containers do: the same object is equal, whatever its `__eq__` says.
    let (held, other) = (held.bind(py), other.bind(py));
    let equal = held.is(other) || inside_value(py, || held.eq(other))?;
    PyResult::Ok((equal == matches!(op, CompareOp::Eq)).into_pyobject(py)?.to_owned().into_any().unbind())
}

fn hash(class: &str, held: &Bound<'_, PyAny>) -> PyResult<u64> {
    let mut hasher = DefaultHasher::new();
    class.hash(&mut hasher);
    inside_value(held.py(), || held.hash())?.hash(&mut hasher);
    PyResult::Ok(hasher.finish())
}

/// Adds the classes of this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Ok>()?;
    module.add_class::<Err>()
}
