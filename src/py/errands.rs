//! What a run asks of the loop that drives it (semantics 8): to await something for a task, to cancel that.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use super::found::name;
use super::names::names;
use super::world::PyWorld;
use crate::core::native;

/// The errands that were not taken yet.
#[derive(Debug, Default)]
pub struct Errands {
    posted: Vec<Errand>,
    /// The context of the code that asks.
    pub context: Option<Py<PyAny>>,
    /// Somebody else's loop drives the run.
    pub driven: bool,
    /// Whoever drives the run is not where its root runs.
    pub keeps_root: bool,
}

/// What is to be done beside the run, for a task; the root has none.
#[derive(Debug)]
pub enum Errand {
    /// To await something, in the context of the task.
    Await {
        /// What to await.
        order: Order,
        /// For whom.
        task: Option<Py<PyAny>>,
        /// Its context; the root's is that of whoever drives.
        context: Option<Py<PyAny>>,
    },
    /// To cancel what is awaited for that completer: it is completed all the same.
    Cancel {
        /// The completer.
        completer: Py<PyAny>,
        /// For whom it is awaited.
        task: Option<Py<PyAny>>,
    },
    /// To await nothing any more: the task is over.
    Over(Py<PyAny>),
}

/// Something to await, and what to complete with what comes of it.
#[derive(Debug)]
pub struct Order {
    /// What to await.
    pub awaitable: Unawaited,
    /// The completer of the promise that the task waits for.
    pub completer: Py<PyAny>,
}

impl Errands {
    /// None yet; `driven` by somebody else's loop or not.
    #[must_use]
    pub fn of(driven: bool) -> Self {
        Self { driven, ..Self::default() }
    }

    /// One more.
    pub fn post(&mut self, py: Python<'_>, errand: native::Errand<PyWorld>) {
        self.posted.push(match errand {
            native::Errand::Await { awaitable, completer, task } => {
                let context = self.context.as_ref().map(|context| context.clone_ref(py));
                Errand::Await { order: Order { awaitable: Unawaited::new(awaitable), completer }, task, context }
            }
            native::Errand::Cancel { completer, task } => Errand::Cancel { completer, task },
            native::Errand::Over(task) => Errand::Over(task),
        });
    }

    /// Whether none was posted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.posted.is_empty()
    }

    /// Those that were posted, in order.
    pub fn take(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.posted)
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for errand in &self.posted {
            match errand {
                Errand::Await { order, task, context } => {
                    order.traverse(visit)?;
                    visit.call(task)?;
                    visit.call(context)?;
                }
                Errand::Cancel { completer, task } => {
                    visit.call(completer)?;
                    visit.call(task)?;
                }
                Errand::Over(task) => visit.call(task)?,
            }
        }
        visit.call(&self.context)
    }
}

impl Order {
    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.awaitable.0)?;
        visit.call(&self.completer)
    }
}

/// What nobody awaits yet. If nobody will, a coroutine that was not begun is closed, as Python would warn of it.
#[derive(Debug)]
pub struct Unawaited(Option<Py<PyAny>>);

impl Unawaited {
    /// Nobody awaits that.
    #[must_use]
    pub const fn new(awaitable: Py<PyAny>) -> Self {
        Self(Some(awaitable))
    }

    /// Somebody does now.
    #[must_use]
    pub fn taken(mut self) -> Option<Py<PyAny>> {
        self.0.take()
    }
}

fn close(coroutine: &Bound<'_, PyAny>) -> PyResult<()> {
    let is_begun = !coroutine.is_exact_instance(names(coroutine.py())?.coroutine.bind(coroutine.py()))
        || coroutine.getattr(name!(c"cr_running"))?.is_truthy()?
        || coroutine.getattr(name!(c"cr_suspended"))?.is_truthy()?;
    if !is_begun {
        coroutine.call_method0(name!(c"close"))?;
    }
    Ok(())
}

impl Drop for Unawaited {
    fn drop(&mut self) {
        let Some(awaitable) = self.0.take() else { return };
        Python::attach(|py| {
            let awaitable = awaitable.into_bound(py);
            if let Err(error) = close(&awaitable) {
                error.write_unraisable(py, Some(&awaitable));
            }
        });
    }
}
