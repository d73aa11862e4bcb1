//! What a VM holds, and how it is closed when nobody holds the VM any more.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::py::classes::link::Scope;
use crate::py::contained::contained;
use crate::py::desks::Resting;
use crate::py::driver::Machine;

pub type Ended = Result<Py<PyAny>, Py<PyBaseException>>;

/// What the VM is doing.
#[derive(Default)]
pub enum State {
    /// Nothing was started.
    #[default]
    Idle,
    /// A program is between two steps.
    Ready(Box<Machine>),
    /// A program waits for what an action comes to.
    Waiting(Box<Machine>),
    /// A step is being made.
    Running,
    /// The program ended, and nobody asked for its result yet.
    Ended(Box<Machine>, Ended),
}

/// What outlives the VM until it is closed.
#[derive(Default)]
pub struct Cell {
    pub(super) state: Mutex<State>,
    /// Where the weak reference is whose callback closes the program; it goes with the state.
    watch: Mutex<Option<Resting>>,
}

impl Cell {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn watch(&self, watch: Option<Resting>) {
        let mut held = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, watch);
        drop(held);
        drop(before);
    }

    /// A program that is suspended is unwound, at once; what ended is let go.
    pub fn close(&self, py: Python<'_>) {
        let mut held = self.state();
        if matches!(*held, State::Running) {
            return;
        }
        let state = std::mem::take(&mut *held);
        drop(held);
        self.watch(None);
        close_in_turn(py, state);
    }
}

/// VMs whose closing may stand inside each other on the native stack.
const NESTED: usize = 8;

thread_local! {
    /// Closings that are on this thread's stack now.
    static CLOSING: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    /// What waits for the outermost of them.
    static WAITING: RefCell<VecDeque<State>> = const { RefCell::new(VecDeque::new()) };
}

/// Closes what a VM held. A chain of VMs, each held by the next one's program, is closed in a loop.
fn close_in_turn(py: Python<'_>, state: State) {
    let level = CLOSING.get();
    if level >= NESTED {
        WAITING.with_borrow_mut(|waiting| waiting.push_back(state));
        return;
    }
    CLOSING.set(level + 1);
    close(py, state);
    if level == 0 {
        while let Some(next) = WAITING.with_borrow_mut(VecDeque::pop_front) {
            close(py, next);
        }
    }
    CLOSING.set(level);
}

fn close(py: Python<'_>, state: State) {
    match state {
        State::Ready(mut machine) | State::Waiting(mut machine) => told(py, || machine.close(py)),
        State::Ended(mut machine, _) => told(py, || machine.let_go(py)),
        State::Idle | State::Running => {}
    }
}

/// Does the work; a panic in it is told, for there is nobody to raise it to.
fn told(py: Python<'_>, work: impl FnOnce()) {
    let _drops = Scope::enter();
    let done = contained(py, || {
        work();
        Ok(())
    });
    if let Err(error) = done {
        error.write_unraisable(py, None);
    }
}

/// The callback of the weak reference to a VM.
#[pyclass(frozen, module = "segue._vm")]
pub struct Closer(pub Arc<Cell>);

#[pymethods]
impl Closer {
    fn __call__(&self, py: Python<'_>, _reference: &Bound<'_, PyAny>) {
        self.0.close(py);
    }
}
