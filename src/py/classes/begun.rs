//! An await that has begun, and waits (semantics 8).

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyModule};
use pyo3::{PyTraverseError, PyVisit};

use crate::py::names::Found;

/// The rest of an await: what `__await__` gave, and what it suspended with. Calling it gives itself, as an action does.
#[pyclass(frozen, module = "segue._vm")]
pub struct Begun {
    /// What `__await__` gave.
    pub iterator: Py<PyIterator>,
    /// What it suspended with.
    pub first: Py<PyAny>,
}

#[pymethods]
impl Begun {
    fn __call__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        static GOES_ON: Found = Found::not_yet();
        GOES_ON.import(py, "segue._begun", "goes_on")?.call1((&self.iterator, &self.first))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.iterator)?;
        visit.call(&self.first)
    }
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Begun>()
}
