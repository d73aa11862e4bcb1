//! What `@do` makes: a function whose calls are programs (semantics 1).

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyTuple};
use pyo3::{PyTraverseError, PyVisit, intern};

use super::link::{Held, Link};
use super::nodes::Call;
use super::text::{named, safe_repr};
use crate::py::names::Found;

/// A `@do` function: calling it runs nothing and gives a program.
///
/// It binds like a function when it stands in a class, and carries the name and the documentation of the function that
/// it was made from (`__wrapped__`).
#[pyclass(frozen, dict, weakref, module = "segue._vm")]
#[derive(Debug)]
pub struct DoFunction {
    /// What evaluating a call calls.
    pub function: Link,
    /// It makes a generator, which is the program's body.
    pub is_generator: bool,
}

#[pymethods]
impl DoFunction {
    #[new]
    #[pyo3(signature = (function, is_generator, /))]
    fn new(function: &Bound<'_, PyAny>, is_generator: bool) -> PyResult<Self> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!("do needs a function, got {}", safe_repr(function))));
        }
        Ok(Self { function: function.into(), is_generator })
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        Call::of_do(self.function.clone_ref(args.py()), args, kwargs, self.is_generator)
    }

    fn __get__(
        slf: &Bound<'_, Self>,
        instance: Option<&Bound<'_, PyAny>>,
        _owner: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        static METHOD: Found = Found::not_yet();
        match instance {
            None => Ok(slf.clone().into_any().unbind()),
            Some(instance) => Ok(METHOD.import(slf.py(), "types", "MethodType")?.call1((slf, instance))?.unbind()),
        }
    }

    /// The function that it was made from.
    #[getter]
    fn function(&self, py: Python<'_>) -> Py<PyAny> {
        self.function.clone_ref(py)
    }

    /// Whether the function makes a generator.
    #[getter]
    fn is_generator(&self) -> bool {
        self.is_generator
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<@do function {}>", named(slf.get().function.bind(slf.py())))
    }

    /// By name, as functions are pickled and copied.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.as_any().getattr(intern!(slf.py(), "__qualname__"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.function.visit(visit)
    }
}

/// Adds the class of this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<DoFunction>()
}
