//! What comes from outside: signals, the clock, the bounds of what makes no step; and the waits that they end.

use std::time::{Duration, Instant};

use pyo3::exceptions::{PyBaseException, PyKeyboardInterrupt, PyMemoryError};
use pyo3::prelude::*;

use super::{LOOK_TURNS, Machine};
use crate::core::fault::Fault;
use crate::core::step::Outcome;
use crate::py::desks::Seat;
use crate::py::world::PyWorld;
use crate::py::{leaving, reserve, signals};

/// How often a line of Python is run, in turns of the loop: a program may have none of its own.
const PYTHON_TURNS: u64 = 1024;
/// How long a wait goes on without a look at signals.
const WAIT_SLICE: Duration = Duration::from_millis(50);

impl Machine {
    /// An error interrupts a wait that was told, or meets the program where it is. Gives the one that it takes the place of.
    pub fn interrupt_wait(&mut self, py: Python<'_>, error: Py<PyBaseException>) -> Option<PyErr> {
        let as_raised = |error: Py<PyBaseException>| PyErr::from_value(error.into_bound(py).into_any());
        if std::mem::take(&mut self.idle) {
            self.vm.receive(host!(self, py), Outcome::Raised(error));
            return None;
        }
        match self.vm.interrupt_bodies(error) {
            Ok(earlier) => earlier.map(as_raised),
            Err(error) => {
                self.vm.mailbox().interrupt();
                self.signal.replace(as_raised(error))
            }
        }
    }

    /// What came from outside is raised in the program. A second Ctrl-C ends the run, its clean-up as well.
    pub(super) fn interrupted_by(
        &mut self,
        py: Python<'_>,
        error: PyErr,
    ) -> Result<Outcome<PyWorld>, Py<PyBaseException>> {
        let is_pressed = error.is_instance_of::<PyKeyboardInterrupt>(py);
        let error = error.into_value(py);
        if self.interrupted && is_pressed {
            self.exceeded = Some(error);
            return Err(self.abandon(py));
        }
        self.interrupted |= is_pressed;
        Ok(Outcome::Raised(error))
    }

    /// A wait is over: it may have taken longer than the run is to take.
    pub(super) fn waited(&mut self, py: Python<'_>) -> Outcome<PyWorld> {
        match self.vm.passed_while_waiting() {
            Some(bound) => Outcome::Raised(self.fault(py, Fault::Exceeded(bound))),
            None => Outcome::Returned(py.None()),
        }
    }

    /// Waits until a program may go on: in slices, so that a signal is not kept waiting.
    pub(super) fn idle(&mut self, py: Python<'_>, at_most: Option<Duration>) -> PyResult<()> {
        let until = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
        let mailbox = self.vm.mailbox().clone();
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            let slice = left.unwrap_or(WAIT_SLICE).min(WAIT_SLICE);
            let rung = py.detach(|| mailbox.wait(slice));
            leaving::stand_still(py);
            self.answer(py);
            // Without a GIL, objects of this thread that others let go die when it runs a line.
            signals::between_lines(py)?;
            if signals::take_pressed(&mailbox) {
                return Err(PyKeyboardInterrupt::new_err(()));
            }
            if mailbox.wants_attention() || self.vm.meter().overdue().is_some() || rung {
                return Ok(());
            }
        }
    }

    /// Now and then: signals, and the bounds of a program that makes no steps.
    #[cold]
    pub(super) fn look_around(&mut self, py: Python<'_>) {
        leaving::stand_still(py);
        self.sit_down();
        self.vm.spend_turns(LOOK_TURNS);
        let arrived =
            if self.turns.is_multiple_of(PYTHON_TURNS) { signals::between_lines(py) } else { py.check_signals() };
        let arrived =
            arrived.and_then(|()| if reserve::take_short() { Err(PyMemoryError::new_err(())) } else { Ok(()) });
        if let Err(signal) = arrived {
            self.signal = Some(signal);
            self.vm.mailbox().interrupt();
        } else if self.vm.meter().overdue().is_some() || self.seat.as_ref().is_some_and(Seat::is_asked) {
            self.vm.mailbox().interrupt();
        }
    }

    /// What was awaited may have taken longer than the run is to take.
    pub(super) fn look_at_time(&self) {
        if self.vm.meter().overdue().is_some() {
            self.vm.mailbox().interrupt();
        }
    }

    pub(super) fn interrupt(&mut self, py: Python<'_>) -> Option<PyErr> {
        self.answer(py);
        if let Some(signal) = self.signal.take() {
            return Some(signal);
        }
        if signals::take_pressed(self.vm.mailbox()) {
            return Some(PyKeyboardInterrupt::new_err(()));
        }
        py.check_signals().err()
    }
}
