//! The bridge between a run and its loop, in Python, and what it was told (semantics 8).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::drive::Drive;
use crate::py::classes::vm::Driven;
use crate::py::found::{Name, name};

/// Who sees to what a run needs of its loop.
pub struct Bridge {
    python: Py<PyAny>,
    /// For how many turns of its own the run goes on between two of the loop.
    pub turns: u64,
}

impl Bridge {
    /// That one.
    pub const fn new(python: Py<PyAny>, turns: u64) -> Self {
        Self { python, turns }
    }

    /// For one more who awaits.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { python: self.python.clone_ref(py), ..*self }
    }

    /// Starts a task of the loop that awaits the drive, in that context.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn attend(&self, py: Python<'_>, drive: &Py<Drive>, context: Option<&Py<PyAny>>) -> PyResult<()> {
        self.python.call_method1(py, name!(c"attend"), (drive, context)).map(drop)
    }

    /// Has the run go on in a turn of the loop to come.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn go_on(&self, py: Python<'_>) -> PyResult<()> {
        self.python.call_method0(py, name!(c"go_on")).map(drop)
    }

    /// Tells it by that method of its why the run gave way, where it does not know already.
    ///
    /// # Errors
    /// What the loop and the bridge raise.
    pub fn tell(&self, py: Python<'_>, told: &Told, method: &'static Name, driven: Driven) -> PyResult<()> {
        if told.knows(&driven) {
            return Ok(());
        }
        let news = told.news(py, driven)?;
        self.python.call_method1(py, method, (news,)).map(drop)
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.python)
    }
}

/// What the bridge of a run was told last.
#[derive(Default)]
pub struct Told(Mutex<Known>);

/// What it knows of how long nobody can go on.
#[derive(Clone, Copy, Default)]
enum Known {
    #[default]
    Nothing,
    /// Until something arrives.
    Rest,
    /// Until then, when it comes by itself, or until something arrives. That may be earlier than is needed: whenever it comes, it
    /// is told anew.
    Until(Instant),
}

/// One and the same moment is told with differences, but with none as large as this.
const SLACK: Duration = Duration::from_micros(20);

impl Told {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, driven: &Driven) -> bool {
        match (driven, *self.known()) {
            (Driven::Idle(None), Known::Rest) => true,
            (Driven::Idle(Some(at_most)), Known::Until(comes)) if !at_most.is_zero() => {
                comes.saturating_duration_since(Instant::now()) <= *at_most + SLACK
            }
            _ => false,
        }
    }

    /// Why a run gave way, as its bridge is told, which sees to it: `("busy",)`, `("idle", seconds or None)`,
    /// `("async", action)` or `("ended",)`.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn news<'py>(&self, py: Python<'py>, driven: Driven) -> PyResult<Bound<'py, PyTuple>> {
        let known = match driven {
            Driven::Idle(None) => Known::Rest,
            Driven::Idle(Some(at_most)) if !at_most.is_zero() => {
                Instant::now().checked_add(at_most).map_or(Known::Rest, Known::Until)
            }
            _ => Known::Nothing,
        };
        let news = match driven {
            Driven::Busy => PyTuple::new(py, ["busy"]),
            Driven::Idle(at_most) => ("idle", at_most.map(|at_most| at_most.as_secs_f64())).into_pyobject(py),
            Driven::Async(action) => ("async", action).into_pyobject(py),
            Driven::Ended => PyTuple::new(py, ["ended"]),
        }?;
        *self.known() = known;
        Ok(news)
    }

    /// It does not see to what it was told last.
    pub fn forget(&self) {
        *self.known() = Known::Nothing;
    }
}
