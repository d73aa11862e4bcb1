//! Which task runs, and how a step of a VM changed that.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use super::Machine;
use crate::core::native::Stance;
use crate::py::tasks;

/// Who ran after the last step, and after the one before.
#[derive(Debug, Default)]
pub struct Switches {
    now: Option<Py<PyAny>>,
    before: Option<Py<PyAny>>,
}

impl Switches {
    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.now)?;
        visit.call(&self.before)
    }
}

impl Machine {
    /// A step was made: who runs now?
    pub fn note_switch(&mut self, py: Python<'_>) {
        let now = self.running_task(py);
        self.switches.before = std::mem::replace(&mut self.switches.now, now);
    }

    /// The task that runs, as a `TaskInfo`.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn running<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let now = self.running_task(py);
        self.info_of(py, now)
    }

    /// How the last step changed who runs, as a `TaskSwitch`.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn switched<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let shared = |task: &Option<Py<PyAny>>| task.as_ref().map(|task| task.clone_ref(py));
        let (before, now) = (shared(&self.switches.before), shared(&self.switches.now));
        if before.as_ref().map(Py::as_ptr) == now.as_ref().map(Py::as_ptr) {
            return Ok(None);
        }
        let (left, entered) = (self.info_of(py, before)?, self.info_of(py, now)?);
        tasks::switch(py, left, entered).map(Some)
    }

    fn info_of<'py>(&mut self, py: Python<'py>, task: Option<Py<PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(task) = task else { return Ok(None) };
        let standing = self.standings(py).into_iter().find(|one| one.task.is(&task));
        // One that failed has finished, whether somebody took note or not.
        match standing.filter(|one| !matches!(one.stance, Stance::Failed)) {
            Some(standing) => tasks::info(py, standing).map(Some),
            None => tasks::finished(task.bind(py)).map(Some),
        }
    }
}
