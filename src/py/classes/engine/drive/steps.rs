//! The steps of what a drive awaits, and how the run goes on between two awaits.

use pyo3::exceptions::{PyBaseException, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyIterator};

use super::station::{self, Station};
use super::{Awaited, Drive, Purpose};
use crate::effects::Settled;
use crate::py::begin::{Unready, begin};
use crate::py::classes::begun::Begun;
use crate::py::classes::engine::Engine;
use crate::py::classes::handle;
use crate::py::classes::vm::Driven;
use crate::py::errands::Order;
use crate::py::error;
use crate::py::found::name;
use crate::py::world::PyWorld;

/// How many awaits of what is ready the root makes between two turns of the loop.
const AT_ONCE: u32 = 64;

/// What ended an await.
type Outcome<'py> = Result<Py<PyAny>, Bound<'py, PyBaseException>>;

impl Drive {
    /// The iterator of what is awaited.
    pub(super) fn iterator<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyIterator>> {
        self.state().awaited.as_ref()?.iterator.as_ref().map(|iterator| iterator.bind(py).clone())
    }

    /// What is awaited made a step.
    pub(super) fn came<'py>(
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

    /// Begins to await what was made; gives what it suspends with.
    ///
    /// # Errors
    /// It has ended at once: here is its outcome.
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
                handle::failed(py, PyErr::from_value(error.into_any()))
            }
        })
    }

    /// Goes on after something that was awaited.
    pub(super) fn went_on<'py>(&self, py: Python<'py>, purpose: Option<&Purpose>) -> PyResult<Bound<'py, PyAny>> {
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
        for _ in 0..AT_ONCE {
            let Some((driven, has_errands)) = self.engine.get().drive(py, self.bridge.turns)? else {
                // Somebody awaits an action of another task's.
                return Err(self.came_to(py, Driven::Idle(None)));
            };
            let station = self.station();
            if has_errands {
                if station.is_none() {
                    return Err(self.came_to(py, driven));
                }
                Engine::deliver(self.engine.bind(py), &self.bridge)?;
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
            self.bridge.tell(py, &self.engine.get().told, name!(c"expect"), driven)?;
            if let Some(waits) = self.begin_order(station, order, py)? {
                return Ok(waits);
            }
        }
        Err(self.came_to(py, Driven::Busy))
    }

    /// The end of the root's await.
    fn came_to(&self, py: Python<'_>, driven: Driven) -> PyErr {
        let told = &self.engine.get().told;
        let news = told.news(py, driven);
        if self.station().is_none() {
            // The bridge finds out where it is before anything else.
            told.forget();
        }
        match news {
            Ok(news) => PyStopIteration::new_err((news.unbind(),)),
            Err(error) => error,
        }
    }

    /// The run goes on without its root.
    fn go_on_beside(&self, py: Python<'_>) -> PyResult<()> {
        let Some(station) = self.station() else { return Ok(()) };
        let engine = self.engine.get();
        let driven = station.among_others(py, || engine.drive_beside(py, self.context.as_ref(), self.bridge.turns))?;
        let Some((driven, has_errands)) = driven? else { return Ok(()) };
        if has_errands {
            Engine::deliver(self.engine.bind(py), &self.bridge)?;
        }
        self.bridge.tell(py, &engine.told, name!(c"went"), driven)
    }

    /// Awaits what its task awaits; or rests, until there is something.
    fn attend<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(station) = self.station() else { return Err(error::internal(py, "a drive is awaited nowhere")) };
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
                Err(Ok(value)) => {
                    if let Some(Purpose::Pause) = self.ended(py, Ok(value))? {
                        self.go_on_beside(py)?;
                    }
                }
                Err(Err(error)) => return Err(PyErr::from_value(error.into_any())),
            }
        }
    }
}
