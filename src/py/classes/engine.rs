//! The engine under `async_run`: a run that somebody else's loop drives (semantics 8).

mod bridge;
mod drive;
mod roster;

use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::limits::Limits;
use super::link::Scope;
use super::result::RunResult;
use super::vm::{Driven, PyVm};
use crate::core::mailbox::{Mailbox, Waker};
use crate::py::contained::contained;
use crate::py::driver::{self, Given, NONE_GIVEN, Setting};
use crate::py::entered::Away;
use crate::py::errands::Errand;
use bridge::{Bridge, Told};
use drive::Drive;
use roster::Roster;

/// A run, driven by whoever holds it. Not for users: `async_run` is.
#[pyclass(frozen, weakref, module = "segue._vm")]
pub struct Engine {
    vm: Py<PyVm>,
    run: Arc<Mailbox>,
    roster: Roster,
    told: Told,
    /// The context of its root, as soon as that is known.
    home: OnceLock<Py<PyAny>>,
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
        Ok(Self { vm: vm.unbind(), run, roster: Roster::default(), told: Told::default(), home: OnceLock::new() })
    }

    /// Goes on for so many turns, where the root may not run. Gives [why it gave way](Told::news); nothing where somebody else is
    /// in the run, or has to answer its action first.
    fn go<'py>(slf: &Bound<'py, Self>, bridge: Py<PyAny>, turns: u64) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let engine = slf.get();
        let Some((driven, has_errands)) = engine.drive_beside(slf.py(), None, turns)? else {
            // Whoever comes because the time was over does not come again.
            engine.told.forget();
            return Ok(None);
        };
        if has_errands {
            Self::deliver(slf, &Bridge::new(bridge, turns))?;
        }
        engine.told.news(slf.py(), driven).map(Some)
    }

    /// To await, again and again: goes on where the root may run, and awaits for it, until something else is to be seen to.
    /// Comes to what `go` gives.
    fn driving(slf: &Bound<'_, Self>, bridge: Py<PyAny>, turns: u64) -> PyResult<Py<Drive>> {
        Self::send_one(slf, Bridge::new(bridge, turns), (None, None))
    }

    /// The root runs in that context.
    #[pyo3(signature = (context, /))]
    fn runs_in(&self, context: Py<PyAny>) {
        // Who is told twice stays with the first one.
        drop(self.home.set(context));
    }

    /// Nothing more is awaited: what was not begun never is.
    fn dismiss(&self, py: Python<'_>) -> PyResult<()> {
        let mut ended = Ok(());
        for drive in self.roster.take_all() {
            ended = ended.and(drive.get().end(py));
        }
        ended
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
        let earlier = self.vm.get().with(py, |machine| machine.interrupt_wait(py, exc))?;
        drop(earlier);
        Ok(())
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
        visit.call(&self.vm)?;
        if let Some(home) = self.home.get() {
            visit.call(home)?;
        }
        self.roster.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.roster.take_all());
    }
}

impl Engine {
    /// Goes on for so many turns, where the root may run. Says too whether something is to be done beside the run. Nothing where
    /// somebody else is in it, or has to answer its action first.
    ///
    /// # Errors
    /// There are too many runs inside each other.
    fn drive(&self, py: Python<'_>, turns: u64) -> PyResult<Option<(Driven, bool)>> {
        self.drive_from(py, None, turns)
    }

    /// The same away from the root, in the context of a task or of none of them.
    ///
    /// # Errors
    /// There are too many runs inside each other.
    fn drive_beside(&self, py: Python<'_>, around: Option<&Py<PyAny>>, turns: u64) -> PyResult<Option<(Driven, bool)>> {
        let shared = |context: &Py<PyAny>| context.clone_ref(py);
        let away = Away { around: around.map(shared), home: self.home.get().map(shared) };
        self.drive_from(py, Some(away), turns)
    }

    fn drive_from(&self, py: Python<'_>, away: Option<Away>, turns: u64) -> PyResult<Option<(Driven, bool)>> {
        let _level = driver::level()?;
        let _drops = Scope::enter();
        contained(py, || Ok(self.vm.get().drive(py, away, turns)))
    }

    /// Hands each errand to whoever awaits for its task. Where nobody does, the bridge sends somebody.
    ///
    /// # Errors
    /// What the loop and the bridge raised first.
    fn deliver(slf: &Bound<'_, Self>, bridge: &Bridge) -> PyResult<()> {
        let errands = slf.get().vm.get().with(slf.py(), |machine| machine.errands().take()).unwrap_or_default();
        let mut delivered = Ok(());
        for errand in errands {
            delivered = delivered.and(Self::hand_over(slf, bridge, errand));
        }
        delivered
    }

    fn hand_over(slf: &Bound<'_, Self>, bridge: &Bridge, errand: Errand) -> PyResult<()> {
        let (py, roster) = (slf.py(), &slf.get().roster);
        match errand {
            Errand::Await { order, task, context } => match roster.of(py, task.as_ref()) {
                Some(drive) => drive.get().give(py, order),
                None => {
                    let whose = (task, context.as_ref().map(|context| context.clone_ref(py)));
                    let drive = Self::send_one(slf, bridge.clone_ref(py), whose)?;
                    drive.get().give(py, order)?;
                    match bridge.attend(py, &drive, context.as_ref()) {
                        Ok(()) => Ok(()),
                        Err(error) if error.is_instance_of::<PyException>(py) => drive.get().fail(py, error),
                        Err(error) => Err(error),
                    }
                }
            },
            Errand::Cancel { completer, task } => match roster.of(py, task.as_ref()) {
                Some(drive) if drive.get().cancel(py, &completer)? => bridge.go_on(py),
                _ => Ok(()),
            },
            Errand::Over(task) => roster.take(Some(&task)).map_or(Ok(()), |drive| drive.get().end(py)),
        }
    }

    /// Somebody awaits for that task, in that context, from now on.
    fn send_one(
        slf: &Bound<'_, Self>,
        bridge: Bridge,
        whose: (Option<Py<PyAny>>, Option<Py<PyAny>>),
    ) -> PyResult<Py<Drive>> {
        let (py, roster) = (slf.py(), &slf.get().roster);
        let drive = Py::new(py, Drive::new(slf.clone().unbind(), bridge, whose))?;
        roster.put(py, &drive);
        Ok(drive)
    }

    /// Answers the action.
    ///
    /// # Errors
    /// No action waits for an answer.
    fn feed(&self, py: Python<'_>, outcome: Result<Py<PyAny>, Py<PyBaseException>>) -> PyResult<()> {
        self.vm.get().feed(py, outcome)
    }
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Drive>()?;
    module.add_class::<Engine>()
}
