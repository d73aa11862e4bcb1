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

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::{PyBaseException, PyGeneratorExit, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyIterator, PyNone};
use pyo3::{PyTraverseError, PyVisit};

use super::Engine;
use crate::effects::Settled;
use crate::py::begin::{Unready, begin};
use crate::py::classes::begun::Begun;
use crate::py::classes::handle;
use crate::py::classes::vm::Driven;
use crate::py::errands::Order;
use crate::py::found::name;
use crate::py::generator;
use crate::py::world::PyWorld;
use station::Station;

/// One await that drives a run. That of the root comes to what [`Engine::go`] gives that is no await of the root's alone.
#[pyclass(frozen, module = "segue._vm")]
pub struct Drive {
    engine: Py<Engine>,
    bridge: Py<PyAny>,
    turns: u64,
    /// How many there were before it in its run.
    pub(super) number: u64,
    /// For whom it awaits, and the context of that task, in which the loop's task runs; the root has neither.
    pub(super) task: Option<Py<PyAny>>,
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

/// What a step came to, where it ended the await.
type Outcome<'py> = Result<Py<PyAny>, Bound<'py, PyBaseException>>;

impl Drive {
    /// Of that run, for so many turns between two of the loop, for a task with its context, or for the root.
    pub fn new(
        engine: Py<Engine>,
        bridge: Py<PyAny>,
        turns: u64,
        (task, context): (Option<Py<PyAny>>, Option<Py<PyAny>>),
        number: u64,
    ) -> Self {
        let (station, state) = (OnceLock::new(), Mutex::default());
        Self { engine, bridge, turns, number, task, context, station, state }
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

    /// Its task is over, or the run: what was not begun never is.
    ///
    /// # Errors
    /// What the loop raises.
    pub fn end(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state();
        state.over = true;
        let next = state.next.take();
        drop(state);
        drop(next);
        self.rouse(py)
    }

    fn rouse(&self, py: Python<'_>) -> PyResult<()> {
        let rests = matches!(self.state().awaited, Some(Awaited { purpose: Purpose::Rest, .. }));
        match self.station() {
            Some(station) if rests => station.rouse(py),
            _ => Ok(()),
        }
    }

    /// Something is awaited from now on, for that.
    fn will_await(&self, purpose: Purpose, iterator: Option<Py<PyIterator>>) {
        let before = self.state().awaited.replace(Awaited { purpose, iterator });
        drop(before);
    }

    /// It has begun, and suspended with that.
    fn waits<'py>(&self, begun: Begun, py: Python<'py>) -> Bound<'py, PyAny> {
        let mut state = self.state();
        let before = state.awaited.as_mut().and_then(|awaited| awaited.iterator.replace(begun.iterator));
        drop(state);
        drop(before);
        begun.first.into_bound(py)
    }

    /// Begins to await what was made; gives what it suspends with, if it does.
    ///
    /// # Errors
    /// What making it raised.
    fn begin<'py>(
        &self,
        py: Python<'py>,
        purpose: Purpose,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> Result<Bound<'py, PyAny>, Outcome<'py>> {
        self.will_await(purpose, None);
        let raised = |error: PyErr| Err(error.into_value(py).into_bound(py));
        let mut awaitable = make().map_err(raised)?;
        loop {
            let mut unready = None;
            if let Some(value) = begin(&awaitable, &mut unready) {
                return Err(Ok(value));
            }
            match unready {
                Some(Unready::Waits(begun)) => return Ok(self.waits(begun, py)),
                Some(Unready::NotBegun(odd)) => awaitable = station::awaited(odd.bind(py)).map_err(raised)?,
                Some(Unready::Later(value)) => return Err(Ok(value)),
                Some(Unready::Raised(error)) => return Err(Err(error.into_bound(py))),
                None => unreachable!("it is ready or not"),
            }
        }
    }

    /// Begins to await for the task; gives what that suspends with, if it does. Otherwise its promise is kept.
    fn begin_order<'py>(
        &self,
        station: &Station,
        order: Order,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Order { awaitable, completer } = order;
        let before = station.count(py)?;
        let made = || {
            let awaitable = awaitable.taken().expect("nobody awaits it yet");
            station.wrapped(awaitable.into_bound(py))
        };
        match self.begin(py, Purpose::Order { completer, before, asked: false }, made) {
            Ok(waits) => Ok(Some(waits)),
            Err(outcome) => self.ended(py, outcome).map(|_| None),
        }
    }

    /// What was awaited has ended: gives for what that was.
    fn ended<'py>(&self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Option<Purpose>> {
        let (purpose, over) = {
            let mut state = self.state();
            (state.awaited.take().map(|awaited| awaited.purpose), state.over)
        };
        match &purpose {
            Some(Purpose::Action) => self.engine.get().feed(py, outcome.map_err(Bound::unbind))?,
            Some(Purpose::Order { completer, before, asked }) => {
                let settled = self.settled(py, (before.as_ref(), *asked), outcome)?;
                if !over {
                    handle::came(py, completer, settled);
                }
            }
            // What ends the loop's tasks is for the root to pass on.
            Some(Purpose::Rest | Purpose::Pause) | None => {}
        }
        Ok(purpose)
    }

    /// What a promise comes to.
    fn settled<'py>(
        &self,
        py: Python<'py>,
        asked: (Option<&Py<PyAny>>, bool),
        outcome: Outcome<'py>,
    ) -> PyResult<Settled<PyWorld>> {
        let was_cancelled = match self.station() {
            Some(station) => station.ended(py, asked, outcome.as_ref().err())?,
            None => false,
        };
        Ok(match outcome {
            _ if was_cancelled => Settled::Cancelled,
            Ok(value) => Settled::Value(value),
            Err(error) => {
                station::as_it_came(&error)?;
                let trace = PyErr::from_value(error.clone().into_any()).traceback(py);
                Settled::Error(error.unbind(), trace.map_or_else(|| py.None(), |trace| trace.into_any().unbind()))
            }
        })
    }

    /// Goes on after something that was awaited.
    fn went_on<'py>(&self, py: Python<'py>, purpose: Option<&Purpose>) -> PyResult<Bound<'py, PyAny>> {
        if self.task.is_none() {
            return self.go_on(py);
        }
        // Who rested was given something. Whoever else comes from the loop, which has had its turn.
        if let Some(Purpose::Order { .. } | Purpose::Pause) = purpose {
            self.go_on_beside(py)?;
        }
        self.attend(py)
    }

    /// The run goes on with its root, up to where that waits for the loop.
    fn go_on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loop {
            let Some((driven, has_errands)) = self.engine.get().drive(py, (true, None), self.turns)? else {
                // Somebody awaits an action of another task's.
                return Err(self.came_to(py, Driven::Idle(None)));
            };
            let station = self.station();
            if has_errands {
                if station.is_none() {
                    return Err(self.came_to(py, driven));
                }
                Engine::deliver(self.engine.bind(py), &self.bridge, self.turns)?;
            }
            let driven = match driven {
                Driven::Async(action) => match action.bind(py).cast_exact::<Begun>() {
                    Ok(begun) => {
                        let begun = begun.get();
                        self.will_await(Purpose::Action, Some(begun.iterator.clone_ref(py)));
                        return Ok(begun.first.bind(py).clone());
                    }
                    Err(_) => return Err(self.came_to(py, Driven::Async(action))),
                },
                Driven::Ended => return Err(self.came_to(py, Driven::Ended)),
                gives_way => gives_way,
            };
            let next = self.state().next.take();
            let (Some(order), Some(station)) = (next, station) else { return Err(self.came_to(py, driven)) };
            self.engine.get().tell(py, &self.bridge, name!(c"expect"), driven)?;
            if let Some(waits) = self.begin_order(station, order, py)? {
                return Ok(waits);
            }
        }
    }

    /// The end of the root's await.
    fn came_to(&self, py: Python<'_>, driven: Driven) -> PyErr {
        let told = self.engine.get().told(py, driven);
        if self.station().is_none() {
            // The bridge finds out where it is before anything else.
            self.engine.get().forgets();
        }
        match told {
            Ok(told) => PyStopIteration::new_err((told.unbind(),)),
            Err(error) => error,
        }
    }

    /// The run goes on without its root.
    fn go_on_beside(&self, py: Python<'_>) -> PyResult<()> {
        let Some(station) = self.station() else { return Ok(()) };
        let engine = self.engine.get();
        let driven = station.among_others(py, || engine.drive(py, (false, self.context.as_ref()), self.turns))?;
        let Some((driven, has_errands)) = driven? else { return Ok(()) };
        if has_errands {
            Engine::deliver(self.engine.bind(py), &self.bridge, self.turns)?;
        }
        engine.tell(py, &self.bridge, name!(c"went"), driven)
    }

    /// Awaits what its task awaits; or rests, until there is something.
    fn attend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let station = self.station().expect("it is given where it is awaited");
        loop {
            let (over, next) = {
                let mut state = self.state();
                (state.over, state.next.take())
            };
            if over {
                return Err(PyStopIteration::new_err(()));
            }
            let came = match next {
                Some(order) => match self.begin_order(station, order, py)? {
                    Some(waits) => return Ok(waits),
                    // It was ready: the loop has a turn before the run goes on.
                    None => self.begin(py, Purpose::Pause, || station.pause(py)),
                },
                None => self.begin(py, Purpose::Rest, || station.rest(py)),
            };
            match came {
                Ok(waits) => return Ok(waits),
                Err(Ok(_)) => {
                    self.ended(py, Ok(py.None()))?;
                }
                Err(Err(error)) => return Err(PyErr::from_value(error.into_any())),
            }
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
    fn lost(slf: &Bound<'_, Self>, error: Py<PyBaseException>) -> PyResult<()> {
        let (py, drive) = (slf.py(), slf.get());
        let next = drive.state().next.take();
        drive.engine.get().lose(slf);
        let Some(Order { awaitable, completer }) = next else { return Ok(()) };
        drop(awaitable);
        handle::came(py, &completer, Settled::Error(error, py.None()));
        drive.bridge.call_method0(py, name!(c"go_on")).map(drop)
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
        let step = match awaited.getattr_opt(name!(c"throw"))? {
            Some(_) => generator::throw(&awaited, &error),
            None => Err(error),
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
        visit.call(&self.bridge)?;
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
        let state = std::mem::take(&mut *self.state());
        drop(state);
    }
}

impl Drive {
    fn iterator<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyIterator>> {
        self.state().awaited.as_ref()?.iterator.as_ref().map(|iterator| iterator.bind(py).clone())
    }

    /// What is awaited made a step.
    fn came<'py>(
        &self,
        step: Result<PySendResult<'py>, Bound<'py, PyBaseException>>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome = match step {
            Ok(PySendResult::Next(waits)) => return Ok(waits),
            Ok(PySendResult::Return(value)) => Ok(value.unbind()),
            Err(error) => Err(error),
        };
        let purpose = self.ended(py, outcome)?;
        self.went_on(py, purpose.as_ref())
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
