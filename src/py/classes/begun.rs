//! An await that has begun, and waits (semantics 8).

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyModule};
use pyo3::{PyTraverseError, PyVisit};

use crate::py::errands::Unawaited;
use crate::py::found::Found;

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

/// An awaitable that was made, and not begun. Calling it gives it, as an action does; if nobody does, it is closed.
#[pyclass(frozen, module = "segue._vm")]
pub struct Made {
    awaitable: Py<PyAny>,
    is_called: AtomicBool,
}

impl Made {
    /// That one.
    pub const fn new(awaitable: Py<PyAny>) -> Self {
        Self { awaitable, is_called: AtomicBool::new(false) }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !*self.is_called.get_mut() {
            Python::attach(|py| drop(Unawaited::new(self.awaitable.clone_ref(py))));
        }
    }
}

#[pymethods]
impl Made {
    fn __call__(&self, py: Python<'_>) -> Py<PyAny> {
        self.is_called.store(true, Ordering::Relaxed);
        self.awaitable.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.awaitable)
    }
}

/// Makes the classes.
pub fn register(module: &Bound<'_, PyModule>) {
    // Nobody names these: they are made now, for later there may be no memory to make them.
    let _ = (module.py().get_type::<Begun>(), module.py().get_type::<Made>());
}
