//! What an action makes is begun here where nobody else has to have a turn before.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::Machine;
use super::calls::Stop;
use crate::core::ids::SegmentId;
use crate::core::step::Outcome;
use crate::py::begin::{Unready, begin, is_coroutine, result_of};
use crate::py::classes::begun::Made;
use crate::py::classes::effect::fields_of;
use crate::py::error;
use crate::py::found::Found;
use crate::py::world::{Code, PyWorld};

impl Machine {
    /// Nobody awaits any more: what the action makes may come to an end without a wait, as in a coroutine that is closed.
    pub(super) fn at_once(&mut self, py: Python<'_>, action: &Py<PyAny>) -> Outcome<PyWorld> {
        static AT_ONCE: Found = Found::not_yet();
        let came = self
            .host
            .entered
            .switch(py, self.vm.context().map(|(_, context)| context))
            .and_then(|()| AT_ONCE.import(py, "segue._closing", "at_once")?.call1((action,)));
        match came.and_then(|came| came.extract::<Option<(Py<PyAny>,)>>()) {
            Ok(Some((value,))) => Outcome::Returned(value),
            Ok(None) => Outcome::Raised(error::closed(py).into_value(py)),
            Err(error) => Outcome::Raised(error::from_function(py, error).into_value(py)),
        }
    }

    /// Where the root runs in its own task of the loop what an action makes is begun at once, as an `await` would: it may
    /// be ready. Otherwise the rest is given back, for whoever drives.
    pub(super) fn begin(&mut self, py: Python<'_>, action: Py<PyAny>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        if !self.may_begin_here() {
            return Err(action);
        }
        let made = self.host.entered.leave(py).and_then(|()| action.bind(py).call0());
        Self::begun(py, made)
    }

    /// The same, for what is to be awaited itself.
    pub(super) fn begin_await(&mut self, py: Python<'_>, awaitable: Py<PyAny>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        if !self.may_begin_here() {
            return Self::unready(py, Unready::NotBegun(awaitable));
        }
        let left = self.host.entered.leave(py);
        Self::begun(py, left.map(|()| awaitable.into_bound(py)))
    }

    fn begun(py: Python<'_>, awaitable: PyResult<Bound<'_, PyAny>>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        let awaitable = match awaitable {
            Ok(awaitable) => awaitable,
            Err(error) => return Ok(Outcome::Raised(error::from_function(py, error).into_value(py))),
        };
        let mut unready = None;
        match begin(&awaitable, &mut unready) {
            Some(value) => Ok(Outcome::Returned(value)),
            None => Self::unready(py, unready.expect("it is ready or not")),
        }
    }

    fn unready(py: Python<'_>, unready: Unready) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        match unready {
            Unready::Later(value) => Ok(Outcome::Returned(value)),
            Unready::Waits(rest) => to_await(py, Py::new(py, rest).map(Py::into_any)),
            Unready::NotBegun(awaitable) => to_await(py, made(py, awaitable)),
            Unready::Raised(error) => Ok(Outcome::Raised(error)),
        }
    }

    /// Whether what the root awaits is begun in here.
    fn may_begin(&self) -> bool {
        self.host.errands.driven && !self.host.errands.keeps_root
    }

    /// The same, where the program runs in its own context.
    fn may_begin_here(&self) -> bool {
        self.may_begin() && self.vm.context().is_none()
    }

    /// Begins an await on the short way: gives the value, if that is ready; otherwise says what came of it, if it was
    /// begun.
    #[inline]
    pub(super) fn await_at_once(
        &mut self,
        py: Python<'_>,
        effect: &Py<PyAny>,
        unready: &mut Option<Unready>,
    ) -> Option<Py<PyAny>> {
        if self.closing || !self.may_begin() {
            return None;
        }
        let [awaitable] = fields_of(effect.bind(py))? else { return None };
        if !is_coroutine(awaitable) {
            let value = result_of(awaitable, unready);
            if value.is_some() {
                self.vm.was_ready();
            }
            if value.is_some() || unready.is_some() {
                return value;
            }
        }
        self.begin_at_once(awaitable, unready)
    }

    /// The same for what has to be begun.
    #[inline(never)]
    fn begin_at_once(&mut self, awaitable: &Bound<'_, PyAny>, unready: &mut Option<Unready>) -> Option<Py<PyAny>> {
        // It is kept by its effect, which the driver has.
        let value = begin(awaitable, unready);
        self.look_at_time();
        let value = value?;
        if self.vm.awaited() {
            return Some(value);
        }
        *unready = Some(Unready::Later(value));
        None
    }

    /// How it goes on when [`Machine::await_at_once`] gave nothing.
    #[inline(never)]
    pub(super) fn wait_at_once(
        &mut self,
        py: Python<'_>,
        unready: Option<Unready>,
        prompt: SegmentId,
        (code, yielded): (Code, Py<PyAny>),
    ) -> Stop {
        let Some(unready) = unready else { return Stop::Long(Outcome::Yielded(code, yielded)) };
        self.vm.waits(code, yielded, prompt);
        Self::unready(py, unready).map_or_else(Stop::Await, Stop::Long)
    }
}

/// That is for whoever drives; an error is the program's.
fn to_await(py: Python<'_>, made: PyResult<Py<PyAny>>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
    match made {
        Ok(action) => Err(action),
        Err(error) => Ok(Outcome::Raised(error.into_value(py))),
    }
}

/// An action that gives what is to be awaited.
pub(super) fn made(py: Python<'_>, awaitable: Py<PyAny>) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Made::new(awaitable))?.into_any())
}
