//! What the built-in handlers work on: mappings that know whether a look-up may run user code, and thunks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyInt, PyString};
use pyo3::{PyTraverseError, PyVisit};

use super::nodes::Lazy;

/// A dictionary of one installation.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct Mapping {
    /// The entries.
    pub entries: Py<PyDict>,
    exact: AtomicBool,
}

/// Whether hashing and comparing the key runs no user code.
#[must_use]
#[inline]
pub fn is_exact(key: &Bound<'_, PyAny>) -> bool {
    key.is_exact_instance_of::<PyString>() || key.is_exact_instance_of::<PyInt>()
}

impl Mapping {
    /// A mapping of these entries, which nobody else changes.
    #[must_use]
    pub fn of(entries: Bound<'_, PyDict>) -> Self {
        let exact = entries.iter().all(|(key, _)| is_exact(&key));
        Self { entries: entries.unbind(), exact: AtomicBool::new(exact) }
    }

    /// Whether a look-up of the key runs no user code.
    #[inline]
    pub fn serves(&self, key: &Bound<'_, PyAny>) -> bool {
        is_exact(key) && self.exact.load(Ordering::Relaxed)
    }

    /// A key that is not exact gets in: from now on look-ups may run user code.
    pub fn admit(&self, key: &Bound<'_, PyAny>) {
        if !is_exact(key) {
            self.exact.store(false, Ordering::Relaxed);
        }
    }

    /// A mapping of its own with the same entries.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn copied(&self, py: Python<'_>) -> PyResult<Self> {
        let entries = self.entries.bind(py).copy()?.unbind();
        Ok(Self { entries, exact: AtomicBool::new(self.exact.load(Ordering::Relaxed)) })
    }
}

#[pymethods]
impl Mapping {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.entries)
    }
}

/// How far a thunk is.
#[derive(Debug)]
pub enum Progress {
    /// Its program did not run yet, or failed.
    Fresh,
    /// Its program is running.
    Running,
    /// What its program came to.
    Done(Py<PyAny>),
}

/// A lazy value of one installation.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct ThunkCell {
    /// The lazy value.
    pub lazy: Py<Lazy>,
    progress: Mutex<Progress>,
}

impl ThunkCell {
    /// A thunk that did not run yet.
    #[must_use]
    pub const fn of(lazy: Py<Lazy>) -> Self {
        Self { lazy, progress: Mutex::new(Progress::Fresh) }
    }

    /// How far it is.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl ThunkCell {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.lazy)?;
        if let Ok(progress) = self.progress.try_lock()
            && let Progress::Done(value) = &*progress
        {
            visit.call(value)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let before = std::mem::replace(&mut *self.progress(), Progress::Fresh);
        drop(before);
    }
}

/// A copy of the entries in which each lazy value is a thunk of its own.
///
/// # Errors
/// When memory runs out.
pub fn with_thunks<'py>(entries: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let py = entries.py();
    let copy = entries.copy()?;
    // To store a key may run its `__eq__`, which may change either dictionary.
    for entry in copy.items() {
        let (key, value) = entry.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>()?;
        if let Ok(lazy) = value.cast_exact::<Lazy>() {
            copy.set_item(key, Py::new(py, ThunkCell::of(lazy.clone().unbind()))?)?;
        }
    }
    Ok(copy)
}
