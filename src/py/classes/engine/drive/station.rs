//! Where one task of the loop awaits for one task of the program: what differs between the loops, in Python.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use crate::py::found::{Found, name};

/// What the loop's adapter made for one task of the loop. What it does not need is `None` or empty there.
pub struct Station {
    adapter: Py<PyAny>,
    /// Gives how often the task was asked to be cancelled.
    count: Option<Py<PyAny>>,
    /// Gives what is to be awaited in place of an awaitable.
    wrap: Option<Py<PyAny>>,
    /// Calls for what comes before code of other tasks runs.
    enter: Vec<Py<PyAny>>,
    /// And after it ran.
    leave: Vec<Py<PyAny>>,
}

impl Station {
    /// With what the adapter has.
    ///
    /// # Errors
    /// It lacks something.
    pub fn new(adapter: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            count: adapter.getattr(name!(c"count"))?.extract()?,
            wrap: adapter.getattr(name!(c"wrap"))?.extract()?,
            enter: adapter.getattr(name!(c"enter"))?.extract()?,
            leave: adapter.getattr(name!(c"leave"))?.extract()?,
            adapter: adapter.clone().unbind(),
        })
    }

    /// How often the task was asked to be cancelled before something is awaited.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn count(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.count.as_ref().map(|count| count.call0(py)).transpose()
    }

    /// What is to be awaited.
    ///
    /// # Errors
    /// What the adapter raises.
    pub fn wrapped<'py>(&self, awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match &self.wrap {
            Some(wrap) => wrap.bind(awaitable.py()).call1((awaitable,)),
            None => Ok(awaitable),
        }
    }

    /// Cancels what is awaited.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.adapter.call_method0(py, name!(c"cancel")).map(drop)
    }

    /// What was awaited has ended, by that error or well. Whether it was the request to cancel it that ended it.
    ///
    /// # Errors
    /// What the adapter raises.
    pub fn ended(
        &self,
        py: Python<'_>,
        (before, asked): (Option<&Py<PyAny>>, bool),
        error: Option<&Bound<'_, PyBaseException>>,
    ) -> PyResult<bool> {
        if !asked && (error.is_none() || self.wrap.is_none()) {
            return Ok(false);
        }
        self.adapter.call_method1(py, name!(c"ended"), (before, asked, error))?.extract(py)
    }

    /// To await until somebody calls [`Station::rouse`].
    ///
    /// # Errors
    /// What the loop raises.
    pub fn rest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.adapter.bind(py).call_method0(name!(c"rest"))
    }

    /// Ends the rest.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn rouse(&self, py: Python<'_>) -> PyResult<()> {
        self.adapter.call_method0(py, name!(c"rouse")).map(drop)
    }

    /// To await for one turn of the loop.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn pause<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.adapter.bind(py).call_method0(name!(c"pause"))
    }

    /// Runs code of other tasks than that for which is awaited here.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn among_others<T>(&self, py: Python<'_>, run: impl FnOnce() -> T) -> PyResult<T> {
        let call_all = |calls: &[Py<PyAny>]| calls.iter().try_for_each(|call| call.call0(py).map(drop));
        call_all(&self.enter)?;
        let ran = run();
        call_all(&self.leave)?;
        Ok(ran)
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.adapter)?;
        visit.call(&self.count)?;
        visit.call(&self.wrap)?;
        self.enter.iter().chain(&self.leave).try_for_each(|call| visit.call(call))
    }
}

/// What the loop's own `await` makes of something that is no plain awaitable.
///
/// # Errors
/// Memory ran out.
pub fn awaited<'py>(awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static AWAITED: Found = Found::not_yet();
    AWAITED.import(awaitable.py(), "segue._begun", "awaited")?.call1((awaitable,))
}

/// An error without the library's own frames, from where it came.
///
/// # Errors
/// Memory ran out.
pub fn as_it_came(error: &Bound<'_, PyBaseException>) -> PyResult<()> {
    static AS_IT_CAME: Found = Found::not_yet();
    AS_IT_CAME.import(error.py(), "segue._begun", "as_it_came")?.call1((error,)).map(drop)
}
