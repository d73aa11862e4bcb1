//! A bare generator as the root of a run. It runs once, whoever comes: a run that sent into the generator of another one
//! would give it a wrong answer.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator};
use pyo3::{PyTraverseError, PyVisit};

use super::text::safe_repr;
use crate::py::found::name;

/// The addresses of the generators that runs hold and did not start yet.
static CLAIMED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

fn claimed() -> MutexGuard<'static, BTreeSet<usize>> {
    CLAIMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A generator that was given to `run` itself.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct RootGenerator {
    /// The generator.
    pub generator: Py<PyIterator>,
}

#[pymethods]
impl RootGenerator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.generator)
    }
}

impl RootGenerator {
    /// Takes a generator for a run.
    ///
    /// # Errors
    /// `TypeError` when it has started, or another run has it; `ValueError` when it is at work.
    pub fn claim(generator: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = generator.py();
        let iterator = generator.try_iter()?.unbind();
        if generator.getattr(name!(c"gi_running"))?.is_truthy()? {
            return Err(at_work());
        }
        if !claimed().insert(generator.as_ptr() as usize) {
            return Err(used(generator, "another run has taken"));
        }
        // A run gives its claim back when the generator has started, so whoever gets one sees whether it has.
        let root = Self { generator: iterator };
        root.check(py)?;
        Ok(root)
    }

    /// Checks that nobody has run the generator, not even in part: what it yielded then would be lost.
    ///
    /// # Errors
    /// `TypeError` when somebody has; `ValueError` when it is at work.
    pub fn check(&self, py: Python<'_>) -> PyResult<()> {
        let generator = self.generator.bind(py).as_any();
        if generator.getattr(name!(c"gi_running"))?.is_truthy()? {
            return Err(at_work());
        }
        if generator.getattr(name!(c"gi_frame"))?.is_none() {
            return Err(used(generator, "has run already"));
        }
        if generator.getattr(name!(c"gi_suspended"))?.is_truthy()? {
            return Err(used(generator, "has started already"));
        }
        Ok(())
    }
}

impl Drop for RootGenerator {
    fn drop(&mut self) {
        claimed().remove(&(self.generator.as_ptr() as usize));
    }
}

/// What Python says itself.
fn at_work() -> PyErr {
    PyValueError::new_err("generator already executing")
}

fn used(generator: &Bound<'_, PyAny>, how: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "run() takes a program, an effect, or once a generator, got {}, which {how}: decorate its function with @do to \
         run it many times",
        safe_repr(generator)
    ))
}
