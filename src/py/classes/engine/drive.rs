//! What the coroutine of `async_run` awaits, to drive its run (semantics 8).
//!
//! ```text
//!   loop ◄── yields, sends ──► coroutine ◄──► Drive ◄──► what the root awaits
//!                                              │ ▲
//!                                          goes on, outcome
//!                                              ▼ │
//!                                            machine
//! ```
//!
//! What the root awaits is passed on as `await` does it, and what comes of it goes to the machine: the loop and the run meet
//! without a line of Python between them. Whatever else the run needs ends the await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyBaseException, PyGeneratorExit, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyIterator, PyNone};
use pyo3::{PyTraverseError, PyVisit};

use super::{Engine, told};
use crate::py::classes::begun::Begun;
use crate::py::classes::vm::Driven;
use crate::py::found::name;
use crate::py::generator;

/// One await that drives a run. It comes to what [`Engine::go`] gives that is no await of the root's alone.
#[pyclass(frozen, module = "segue._vm")]
pub struct Drive {
    engine: Py<Engine>,
    turns: u64,
    /// What the root awaits.
    awaited: Mutex<Option<Py<PyIterator>>>,
}

impl Drive {
    /// Of that run, for so many turns between two of the loop.
    pub const fn new(engine: Py<Engine>, turns: u64) -> Self {
        Self { engine, turns, awaited: Mutex::new(None) }
    }

    /// The lock is held for no Python.
    fn awaited(&self) -> MutexGuard<'_, Option<Py<PyIterator>>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the root awaits made a step.
    fn came<'py>(
        &self,
        py: Python<'py>,
        awaited: Py<PyIterator>,
        step: Result<PySendResult<'py>, Bound<'py, PyBaseException>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome = match step {
            Ok(PySendResult::Next(waits)) => {
                *self.awaited() = Some(awaited);
                return Ok(waits);
            }
            Ok(PySendResult::Return(value)) => Ok(value.unbind()),
            Err(error) => Err(error.unbind()),
        };
        drop(awaited);
        self.engine.get().feed(py, outcome)?;
        self.go_on(py)
    }

    /// The run goes on, up to where its root waits for the loop.
    fn go_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (driven, has_errands) = self.engine.get().drive(py, true, self.turns)?;
        if let Driven::Async(action) = &driven
            && !has_errands
            && let Ok(begun) = action.bind(py).cast_exact::<Begun>()
        {
            let begun = begun.get();
            *self.awaited() = Some(begun.iterator.clone_ref(py));
            return Ok(begun.first.bind(py).clone());
        }
        Err(PyStopIteration::new_err((told(py, driven)?.unbind(),)))
    }
}

#[pymethods]
impl Drive {
    const fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.send(PyNone::get(py).as_any())
    }

    /// The loop goes on, with that.
    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let awaited = self.awaited().take();
        match awaited {
            Some(awaited) => {
                let step = generator::send(awaited.bind(py), value);
                self.came(py, awaited, step)
            }
            None => self.go_on(py),
        }
    }

    /// The loop raises an error where the root waits.
    #[pyo3(signature = (typ, val = None, tb = None))]
    fn throw<'py>(
        &self,
        typ: &Bound<'py, PyAny>,
        val: Option<&Bound<'py, PyAny>>,
        tb: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = typ.py();
        let error = thrown(typ, val, tb)?;
        let awaited = self.awaited().take();
        let Some(awaited) = awaited else { return Err(PyErr::from_value(error.into_any())) };
        if error.is_instance_of::<PyGeneratorExit>() {
            close(awaited.bind(py));
            return Err(PyErr::from_value(error.into_any()));
        }
        let step = match awaited.bind(py).getattr_opt(name!(c"throw"))? {
            Some(_) => generator::throw(awaited.bind(py), &error),
            None => Err(error),
        };
        self.came(py, awaited, step)
    }

    /// Nobody goes on: what the root awaits is closed.
    fn close(&self, py: Python<'_>) {
        let awaited = self.awaited().take();
        if let Some(awaited) = awaited {
            close(awaited.bind(py));
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        match self.awaited.try_lock() {
            Ok(awaited) => visit.call(&*awaited),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.awaited().take());
    }
}

/// Closes what has a way to be closed, as `yield from` does. What goes wrong is told: the run is to be closed all the same.
fn close(awaited: &Bound<'_, PyIterator>) {
    let closed = awaited.getattr_opt(name!(c"close")).and_then(|close| close.map(|close| close.call0()).transpose());
    if let Err(error) = closed {
        error.write_unraisable(awaited.py(), Some(awaited));
    }
}

/// The error of a `throw`, whose arguments may be a class, a value and a traceback.
fn thrown<'py>(
    typ: &Bound<'py, PyAny>,
    val: Option<&Bound<'py, PyAny>>,
    tb: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBaseException>> {
    let error = match val.filter(|val| !val.is_none()) {
        Some(val) if val.is_instance_of::<PyBaseException>() => val.clone(),
        Some(val) => typ.call1((val,))?,
        None if typ.is_instance_of::<PyBaseException>() => typ.clone(),
        None => typ.call0()?,
    };
    let error = error.cast_into::<PyBaseException>()?;
    if let Some(tb) = tb.filter(|tb| !tb.is_none()) {
        error.setattr(name!(c"__traceback__"), tb)?;
    }
    Ok(error)
}
