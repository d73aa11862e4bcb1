//! What a run asks of the loop that drives it (semantics 8): to await something for a task, to cancel that.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit};

use super::found::name;
use super::names::names;
use super::world::PyWorld;
use crate::core::native::Errand;

/// The errands that were not taken yet.
#[derive(Debug, Default)]
pub struct Errands {
    posted: Vec<Py<PyAny>>,
    /// The context of the code that asks.
    pub context: Option<Py<PyAny>>,
    /// Somebody else's loop drives the run.
    pub driven: bool,
    /// Whoever drives the run is not where its root runs.
    pub keeps_root: bool,
}

impl Errands {
    /// None yet; `driven` by somebody else's loop or not.
    #[must_use]
    pub fn of(driven: bool) -> Self {
        Self { driven, ..Self::default() }
    }

    /// One more.
    pub fn post(&mut self, py: Python<'_>, errand: Errand<PyWorld>) {
        let context = self.context.as_ref().map(|context| context.clone_ref(py));
        let told = match errand {
            Errand::Await { awaitable, completer, task } => {
                ("await", completer, awaitable, task, context).into_py_any(py)
            }
            Errand::Cancel(completer) => ("cancel", completer).into_py_any(py),
            Errand::Over(task) => ("over", task).into_py_any(py),
        };
        // Without memory for a tuple the task is told by its completer, which dies here: its promise breaks.
        self.posted.extend(told);
    }

    /// Whether none was posted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.posted.is_empty()
    }

    /// Those that were posted, in order.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn take<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, std::mem::take(&mut self.posted))
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for errand in &self.posted {
            visit.call(errand)?;
        }
        visit.call(&self.context)
    }
}

/// What nobody will await: a coroutine that was not begun is closed, as Python would warn of it.
#[derive(Debug)]
pub struct Unawaited(pub Py<PyAny>);

impl Unawaited {
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let coroutine = self.0.bind(py);
        let is_begun = !coroutine.is_exact_instance(names(py)?.coroutine.bind(py))
            || coroutine.getattr(name!(c"cr_running"))?.is_truthy()?
            || coroutine.getattr(name!(c"cr_suspended"))?.is_truthy()?;
        if !is_begun {
            coroutine.call_method0(name!(c"close"))?;
        }
        Ok(())
    }
}

impl Drop for Unawaited {
    fn drop(&mut self) {
        Python::attach(|py| {
            if let Err(error) = self.close(py) {
                error.write_unraisable(py, Some(self.0.bind(py)));
            }
        });
    }
}
