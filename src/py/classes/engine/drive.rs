//! What a task of the loop awaits, to drive a run and to await for one of its tasks (semantics 8).
//!
//! ```text
//!   loop ◄── yields, sends ──► coroutine ◄──► Drive ◄──► what its task awaits
//!                                              │ ▲
//!                                          goes on, outcome
//!                                              ▼ │
//!                                            machine
//! ```
//!
//! Each task of the program that awaits has one, the root included. What is awaited is passed on as `await` does it, what comes
//! of it goes to the machine, and the run goes on there and then: the loop and the run meet without a line of Python between
//! them. Only the root's drive may run the root. It ends its await where anything else is to be seen to; the others tell the
//! bridge, and rest while there is nothing to await.

mod station;
mod steps;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::{PyBaseException, PyGeneratorExit};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyNone};
use pyo3::{PyTraverseError, PyVisit};

use super::Engine;
use super::bridge::Bridge;
use crate::effects::Settled;
use crate::py::classes::handle;
use crate::py::errands::Order;
use crate::py::found::name;
use crate::py::generator;
use station::Station;

/// One await that drives a run. That of the root comes to what [`Engine::go`] gives that is no await of the root's alone.
#[pyclass(frozen, module = "segue._vm")]
pub struct Drive {
    engine: Py<Engine>,
    bridge: Bridge,
    /// For whom it awaits, and the context of that task, in which the loop's task runs; the root has neither.
    task: Option<Py<PyAny>>,
    context: Option<Py<PyAny>>,
    /// Until it is known, nothing but actions of the root's is awaited.
    station: OnceLock<Station>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    awaited: Option<Awaited>,
    /// What is to be awaited next.
    next: Option<Order>,
    /// Nothing is awaited any more.
    over: bool,
}

/// What is awaited now, and for what.
struct Awaited {
    purpose: Purpose,
    /// The iterator of the await, once it has begun.
    iterator: Option<Py<PyIterator>>,
}

enum Purpose {
    /// The machine waits for the outcome.
    Action,
    /// A promise does.
    Order {
        completer: Py<PyAny>,
        /// How often the loop's task was asked to be cancelled before.
        before: Option<Py<PyAny>>,
        /// It is to be cancelled.
        asked: bool,
    },
    /// There is nothing to await.
    Rest,
    /// The loop has its turn.
    Pause,
}

impl Drive {
    /// Of that run, for a task with its context, or for the root.
    pub fn new(engine: Py<Engine>, bridge: Bridge, (task, context): (Option<Py<PyAny>>, Option<Py<PyAny>>)) -> Self {
        let (station, state) = (OnceLock::new(), Mutex::default());
        Self { engine, bridge, task, context, station, state }
    }

    /// For whom it awaits; the root is not told.
    pub const fn task(&self) -> Option<&Py<PyAny>> {
        self.task.as_ref()
    }

    /// Where it awaits, when that is known.
    fn station(&self) -> Option<&Station> {
        self.station.get()
    }

    /// The lock is held for no Python.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it something to await.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn give(&self, py: Python<'_>, order: Order) -> PyResult<()> {
        let mut state = self.state();
        if state.over {
            drop(state);
            drop(order);
            return Ok(());
        }
        let before = state.next.replace(order);
        drop(state);
        drop(before);
        self.rouse(py)
    }

    /// Cancels what is awaited for that completer. Whether the run can go on at once, for that was not begun.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn cancel(&self, py: Python<'_>, completer: &Py<PyAny>) -> PyResult<bool> {
        let mut state = self.state();
        if state.next.as_ref().is_some_and(|order| order.completer.is(completer)) {
            let order = state.next.take();
            drop(state);
            drop(order.map(|order| order.awaitable));
            handle::came(py, completer, Settled::Cancelled);
            return Ok(true);
        }
        let to_cancel = match state.awaited.as_mut().map(|awaited| &mut awaited.purpose) {
            Some(Purpose::Order { completer: its, asked, .. }) if its.is(completer) => !std::mem::replace(asked, true),
            _ => false,
        };
        drop(state);
        match self.station() {
            Some(station) if to_cancel => station.cancel(py).map(|()| false),
            _ => Ok(false),
        }
    }

    /// It has no task of the loop, by that error, which the task of the program gets that waits for it.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn fail(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        let next = self.state().next.take();
        drop(self.engine.get().roster.take(self.task()));
        let Some(Order { awaitable, completer }) = next else { return Ok(()) };
        drop(awaitable);
        handle::came(py, &completer, handle::failed(py, error));
        self.bridge.go_on(py)
    }

    /// Its task is over, or the run: what was not begun never is, and what has not ended is cancelled.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn end(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state();
        state.over = true;
        let next = state.next.take();
        let is_left = match state.awaited.as_mut().map(|awaited| &mut awaited.purpose) {
            // The root's coroutine ends what it awaits by itself.
            Some(Purpose::Order { asked, .. }) if self.task.is_some() => !std::mem::replace(asked, true),
            _ => false,
        };
        drop(state);
        drop(next);
        match self.station() {
            Some(station) if is_left => station.cancel(py),
            _ => self.rouse(py),
        }
    }

    fn rouse(&self, py: Python<'_>) -> PyResult<()> {
        let rests = matches!(self.state().awaited, Some(Awaited { purpose: Purpose::Rest, .. }));
        match self.station() {
            Some(station) if rests => station.rouse(py),
            _ => Ok(()),
        }
    }
}

#[pymethods]
impl Drive {
    /// It awaits there.
    #[pyo3(signature = (adapter, /))]
    fn at(&self, adapter: &Bound<'_, PyAny>) -> PyResult<()> {
        // Who is told twice stays at the first one.
        drop(self.station.set(Station::new(adapter)?));
        Ok(())
    }

    /// The task of the loop was cancelled before it began, with that error. What the task of the program awaits next has a new
    /// one.
    #[pyo3(signature = (error, /))]
    fn lost(&self, py: Python<'_>, error: Py<PyBaseException>) -> PyResult<()> {
        self.fail(py, PyErr::from_value(error.into_bound(py).into_any()))
    }

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
        match self.iterator(py) {
            Some(awaited) => self.came(generator::send(&awaited, value), py),
            None => self.went_on(py, None),
        }
    }

    /// The loop raises an error where the task waits.
    #[pyo3(signature = (typ, val = None, tb = None))]
    fn throw<'py>(
        &self,
        typ: &Bound<'py, PyAny>,
        val: Option<&Bound<'py, PyAny>>,
        tb: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = typ.py();
        let error = thrown(typ, val, tb)?;
        let Some(awaited) = self.iterator(py) else { return Err(PyErr::from_value(error.into_any())) };
        if error.is_instance_of::<PyGeneratorExit>() {
            self.close(py);
            return Err(PyErr::from_value(error.into_any()));
        }
        let step = match awaited.getattr_opt(name!(c"throw")) {
            Ok(Some(_)) => generator::throw(&awaited, &error),
            Ok(None) => Err(error),
            Err(raised) => Err(raised.into_value(py).into_bound(py)),
        };
        self.came(step, py)
    }

    /// Nobody goes on: what is awaited is closed.
    fn close(&self, py: Python<'_>) {
        let awaited = self.iterator(py);
        if let Some(awaited) = awaited {
            close(&awaited);
        }
        let ended = self.state().awaited.take();
        drop(ended);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        self.bridge.traverse(&visit)?;
        visit.call(&self.task)?;
        visit.call(&self.context)?;
        if let Some(station) = self.station() {
            station.traverse(&visit)?;
        }
        let Ok(state) = self.state.try_lock() else { return Ok(()) };
        if let Some(awaited) = &state.awaited {
            visit.call(&awaited.iterator)?;
            if let Purpose::Order { completer, before, .. } = &awaited.purpose {
                visit.call(completer)?;
                visit.call(before)?;
            }
        }
        state.next.as_ref().map_or(Ok(()), |order| order.traverse(&visit))
    }

    fn __clear__(&self) {
        let state = std::mem::replace(&mut *self.state(), State { over: true, ..State::default() });
        drop(state);
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
