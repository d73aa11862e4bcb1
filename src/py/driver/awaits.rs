//! What an action makes is begun here where nobody else has to have a turn before.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::Machine;
use crate::core::step::Outcome;
use crate::py::call::{self, Begin};
use crate::py::classes::begun::Made;
use crate::py::error;
use crate::py::names::Found;
use crate::py::world::PyWorld;

impl Machine {
    /// Nobody awaits any more: what the action makes may come to an end without a wait, as in a coroutine that is closed.
    pub(super) fn at_once(&mut self, py: Python<'_>, action: &Py<PyAny>) -> Outcome<PyWorld> {
        static AT_ONCE: Found = Found::not_yet();
        let came = self
            .entered
            .switch(py, self.vm.context().map(|(_, context)| context))
            .and_then(|()| AT_ONCE.import(py, "segue._closing", "at_once")?.call1((action,)));
        match came.and_then(|came| came.extract::<Option<(Py<PyAny>,)>>()) {
            Ok(Some((value,))) => Outcome::Returned(value),
            Ok(None) => Outcome::Raised(error::closed(py).into_value(py)),
            Err(error) => Outcome::Raised(error.into_value(py)),
        }
    }

    /// Where the root runs in its own task of the loop what an action makes is begun at once, as an `await` would: it may
    /// be ready. Otherwise the rest is given back, for whoever drives.
    pub(super) fn begin(&mut self, py: Python<'_>, action: Py<PyAny>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        if !self.errands.driven || self.errands.keeps_root || self.vm.context().is_some() {
            return Err(action);
        }
        let begun = self.entered.leave(py).and_then(|()| call::begin(action.bind(py).call0()?));
        match begun {
            Ok(Begin::Ready(value)) => Ok(Outcome::Returned(value)),
            Ok(Begin::Waits(rest)) => Err(rest.into_any()),
            Ok(Begin::Not(awaitable)) => match Py::new(py, Made(awaitable)) {
                Ok(made) => Err(made.into_any()),
                Err(error) => Ok(Outcome::Raised(error.into_value(py))),
            },
            Err(error) => Ok(Outcome::Raised(error.into_value(py))),
        }
    }
}
