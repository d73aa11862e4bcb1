//! The engine under `async_run`: a run that somebody else's loop drives (semantics 8).

mod drive;

use std::sync::Arc;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList, PyModule, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::limits::Limits;
use super::link::Scope;
use super::result::RunResult;
use super::vm::{Driven, PyVm};
use crate::core::mailbox::{Mailbox, Waker};
use crate::py::contained::contained;
use crate::py::driver::{self, Given, NONE_GIVEN, Setting};
use drive::Drive;

/// A run, driven by whoever holds it. Not for users: `async_run` is.
#[pyclass(frozen, weakref, module = "segue._vm")]
pub struct Engine {
    vm: Py<PyVm>,
    run: Arc<Mailbox>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (program, handlers = NONE_GIVEN, *, env = None, store = None, trace = false, limits = None))]
    #[expect(clippy::needless_pass_by_value, reason = "the argument's conversion gives it by value")]
    fn new(
        py: Python<'_>,
        program: &Bound<'_, PyAny>,
        handlers: Given<'_>,
        env: Option<&Bound<'_, PyAny>>,
        store: Option<&Bound<'_, PyAny>>,
        trace: bool,
        limits: Option<Py<Limits>>,
    ) -> PyResult<Self> {
        let bounds = limits.as_ref().map(|limits| limits.clone_ref(py));
        let vm = Bound::new(py, PyVm::for_loop(trace, limits))?;
        let limits = bounds.as_ref().map(Py::get);
        let setting = Setting { handlers: handlers.as_ref(), env, store, trace, stepping: false, driven: true, limits };
        PyVm::begin(&vm, program, &setting)?;
        let run = vm.get().with(py, |machine| machine.vm().mailbox().clone())?;
        Ok(Self { vm: vm.unbind(), run })
    }

    /// Goes on for so many turns, where the root may not run. Gives `("busy",)`, `("idle", seconds or None)`,
    /// `("async", action)` or `("ended",)`.
    fn go<'py>(&self, py: Python<'py>, turns: u64) -> PyResult<Bound<'py, PyTuple>> {
        told(py, self.drive(py, false, turns)?.0)
    }

    /// To await: goes on where the root may run, and awaits for it, until something else than the root alone is to be seen
    /// to. Comes to what `go` gives.
    fn driving(slf: Py<Self>, turns: u64) -> Drive {
        Drive::new(slf, turns)
    }

    /// What is to be done beside the run: `("await", completer, awaitable, task, context)`, where the root has no task
    /// and no context; `("cancel", completer)`; `("over", task)`.
    fn errands<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.vm.get().with(py, |machine| machine.errands().take(py)).unwrap_or_else(|_| Ok(PyList::empty(py)))
    }

    /// Answers the action with a value.
    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.feed(py, Ok(value))
    }

    /// Answers the action with an exception, thrown at the yield.
    fn throw(&self, py: Python<'_>, exc: Py<PyBaseException>) -> PyResult<()> {
        self.feed(py, Err(exc))
    }

    /// Raises an exception where the root waits.
    fn interrupt(&self, py: Python<'_>, exc: Py<PyBaseException>) -> PyResult<()> {
        self.vm.get().with(py, |machine| machine.interrupt_wait(py, exc))
    }

    /// From now on that is called, from any thread, when something arrives.
    #[pyo3(signature = (wake, /))]
    fn wake_by(&self, wake: Option<Py<PyAny>>) {
        self.run.wake_by(wake.map(|wake| -> Waker {
            Arc::new(move || {
                Python::attach(|py| {
                    if let Err(error) = wake.call0(py) {
                        error.write_unraisable(py, Some(wake.bind(py)));
                    }
                });
            })
        }));
    }

    /// Whether something arrived since that was asked.
    fn take_rung(&self) -> bool {
        self.run.take_rung()
    }

    /// The result of the run that is over.
    fn finish(&self, py: Python<'_>) -> PyResult<Py<RunResult>> {
        self.run.wake_by(None);
        self.vm.get().finish(py)
    }

    /// Unwinds what is suspended, at once: nothing can wait any more.
    fn close(&self, py: Python<'_>) {
        self.run.wake_by(None);
        self.vm.get().close(py);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.vm)
    }
}

impl Engine {
    /// Goes on for so many turns; `on_root`: where the root may run. Says too whether something is to be done beside the run.
    ///
    /// # Errors
    /// It is running, or waits for an answer.
    fn drive(&self, py: Python<'_>, on_root: bool, turns: u64) -> PyResult<(Driven, bool)> {
        let _level = driver::level()?;
        let _drops = Scope::enter();
        contained(py, || self.vm.get().drive(py, on_root, turns))
    }

    /// Answers the action.
    ///
    /// # Errors
    /// No action waits for an answer.
    fn feed(&self, py: Python<'_>, outcome: Result<Py<PyAny>, Py<PyBaseException>>) -> PyResult<()> {
        self.vm.get().feed(py, outcome)
    }
}

/// Why a run gave way, as its bridge is told.
fn told(py: Python<'_>, driven: Driven) -> PyResult<Bound<'_, PyTuple>> {
    match driven {
        Driven::Busy => PyTuple::new(py, ["busy"]),
        Driven::Idle(at_most) => ("idle", at_most.map(|at_most| at_most.as_secs_f64())).into_pyobject(py),
        Driven::Async(action) => ("async", action).into_pyobject(py),
        Driven::Ended => PyTuple::new(py, ["ended"]),
    }
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Nobody names this one: it is made now, for later there may be no memory to make it.
    let _ = module.py().get_type::<Drive>();
    module.add_class::<Engine>()
}
