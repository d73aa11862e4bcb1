//! The engine under `async_run`: a run that somebody else's loop drives (semantics 8).

mod drive;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyBaseException;
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
use crate::py::errands::Errand;
use crate::py::found::{Name, name};
use drive::Drive;

/// A run, driven by whoever holds it. Not for users: `async_run` is.
#[pyclass(frozen, weakref, module = "segue._vm")]
pub struct Engine {
    vm: Py<PyVm>,
    run: Arc<Mailbox>,
    /// Who awaits, for the root and for each task of the run that has awaited, by the address of its handle.
    drives: Mutex<HashMap<usize, Py<Drive>>>,
    /// How many that were so far.
    sent: AtomicU64,
    /// What the bridge was told last.
    known: Mutex<Known>,
}

/// What the bridge knows of how long nobody can go on: it was told last, and comes back by itself.
#[derive(Clone, Copy, Default)]
enum Known {
    #[default]
    Nothing,
    /// Until something arrives.
    Rest,
    /// Until then, or something arrives. It may come earlier than is needed: then it is told anew.
    Until(Instant),
}

/// A bridge that is to come back sooner than this may be on its way, by a coarse clock of its loop.
const SOON: Duration = Duration::from_millis(2);
/// One and the same moment is told with differences, but with none as large as this.
const SLACK: Duration = Duration::from_micros(20);

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
        Ok(Self { vm: vm.unbind(), run, drives: Mutex::default(), sent: AtomicU64::new(0), known: Mutex::default() })
    }

    /// Goes on for so many turns, where the root may not run. Gives `("busy",)`, `("idle", seconds or None)`,
    /// `("async", action)` or `("ended",)`; nothing where somebody else is in the run, or has to answer its action first.
    fn go<'py>(
        slf: &Bound<'py, Self>,
        bridge: &Bound<'py, PyAny>,
        turns: u64,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some((driven, has_errands)) = slf.get().drive(slf.py(), (false, None), turns)? else {
            // Whoever comes because the time was over does not come again.
            slf.get().forgets();
            return Ok(None);
        };
        if has_errands {
            Self::deliver(slf, bridge.as_unbound(), turns)?;
        }
        slf.get().told(slf.py(), driven).map(Some)
    }

    /// To await, again and again: goes on where the root may run, and awaits for it, until something else is to be seen to.
    /// Comes to what `go` gives.
    fn driving(slf: &Bound<'_, Self>, bridge: Py<PyAny>, turns: u64) -> PyResult<Py<Drive>> {
        Self::send_one(slf, &bridge, turns, (None, None))
    }

    /// Nothing more is awaited: what was not begun never is.
    fn dismiss(&self, py: Python<'_>) -> PyResult<()> {
        let mut drives: Vec<_> = std::mem::take(&mut *self.drives()).into_values().collect();
        drives.sort_by_key(|drive| drive.get().number);
        drives.iter().try_for_each(|drive| drive.get().end(py))
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
        visit.call(&self.vm)?;
        let Ok(drives) = self.drives.try_lock() else { return Ok(()) };
        drives.values().try_for_each(|drive| visit.call(drive))
    }

    fn __clear__(&self) {
        let drives = std::mem::take(&mut *self.drives());
        drop(drives);
    }
}

impl Engine {
    /// The lock is held for no Python.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock is held for no Python.
    fn drives(&self) -> MutexGuard<'_, HashMap<usize, Py<Drive>>> {
        self.drives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on for so many turns, where the root may run or not, inside of the context of a task or of none. Says too whether
    /// something is to be done beside the run. Nothing where somebody else is in it, or has to answer its action first.
    ///
    /// # Errors
    /// There are too many runs inside each other.
    fn drive(&self, py: Python<'_>, place: (bool, Option<&Py<PyAny>>), turns: u64) -> PyResult<Option<(Driven, bool)>> {
        let _level = driver::level()?;
        let _drops = Scope::enter();
        contained(py, || Ok(self.vm.get().drive(py, place, turns)))
    }

    /// Why the run gave way, as its bridge is told, which will see to it.
    fn told<'py>(&self, py: Python<'py>, driven: Driven) -> PyResult<Bound<'py, PyTuple>> {
        let known = match driven {
            Driven::Idle(None) => Known::Rest,
            Driven::Idle(Some(at_most)) => Instant::now().checked_add(at_most).map_or(Known::Rest, Known::Until),
            _ => Known::Nothing,
        };
        let told = match driven {
            Driven::Busy => PyTuple::new(py, ["busy"]),
            Driven::Idle(at_most) => ("idle", at_most.map(|at_most| at_most.as_secs_f64())).into_pyobject(py),
            Driven::Async(action) => ("async", action).into_pyobject(py),
            Driven::Ended => PyTuple::new(py, ["ended"]),
        }?;
        *self.known() = known;
        Ok(told)
    }

    /// The bridge does not see to what it was told last.
    fn forgets(&self) {
        *self.known() = Known::Nothing;
    }

    /// Tells the bridge by that method of its, where it does not know already.
    ///
    /// # Errors
    /// What the loop and the bridge raise.
    fn tell(&self, py: Python<'_>, bridge: &Py<PyAny>, method: &'static Name, driven: Driven) -> PyResult<()> {
        let is_known = match (&driven, *self.known()) {
            (Driven::Idle(None), Known::Rest) => true,
            (Driven::Idle(Some(at_most)), Known::Until(comes)) if !at_most.is_zero() => {
                let left = comes.saturating_duration_since(Instant::now());
                left > SOON && left <= *at_most + SLACK
            }
            _ => false,
        };
        if is_known {
            return Ok(());
        }
        let told = self.told(py, driven)?;
        bridge.call_method1(py, method, (told,)).map(drop)
    }

    /// Hands each errand to whoever awaits for its task. Where nobody does, the bridge sends somebody.
    ///
    /// # Errors
    /// What the loop and the bridge raise.
    fn deliver(slf: &Bound<'_, Self>, bridge: &Py<PyAny>, turns: u64) -> PyResult<()> {
        let (py, engine) = (slf.py(), slf.get());
        let errands = engine.vm.get().with(py, |machine| machine.errands().take()).unwrap_or_default();
        for errand in errands {
            match errand {
                Errand::Await { order, task, context } => match engine.awaits_for(py, task.as_ref()) {
                    Some(drive) => drive.get().give(py, order)?,
                    None => {
                        let whose = (task, context.as_ref().map(|context| context.clone_ref(py)));
                        let drive = Self::send_one(slf, bridge, turns, whose)?;
                        drive.get().give(py, order)?;
                        bridge.call_method1(py, name!(c"attend"), (drive, context))?;
                    }
                },
                Errand::Cancel { completer, task } => {
                    if let Some(drive) = engine.awaits_for(py, task.as_ref())
                        && drive.get().cancel(py, &completer)?
                    {
                        bridge.call_method0(py, name!(c"go_on"))?;
                    }
                }
                Errand::Over(task) => {
                    let known = engine.drives().remove(&address(Some(&task)));
                    known.map_or(Ok(()), |drive| drive.get().end(py))?;
                }
            }
        }
        Ok(())
    }

    /// Who awaits for that task, or for the root.
    fn awaits_for(&self, py: Python<'_>, task: Option<&Py<PyAny>>) -> Option<Py<Drive>> {
        self.drives().get(&address(task)).map(|drive| drive.clone_ref(py))
    }

    /// That one does not await any more.
    fn lose(&self, drive: &Bound<'_, Drive>) {
        let key = address(drive.get().task.as_ref());
        let mut drives = self.drives();
        let known = if drives.get(&key).is_some_and(|known| known.is(drive)) { drives.remove(&key) } else { None };
        drop(drives);
        drop(known);
    }

    /// Somebody awaits for that task, in that context, from now on.
    fn send_one(
        slf: &Bound<'_, Self>,
        bridge: &Py<PyAny>,
        turns: u64,
        whose: (Option<Py<PyAny>>, Option<Py<PyAny>>),
    ) -> PyResult<Py<Drive>> {
        let (py, key) = (slf.py(), address(whose.0.as_ref()));
        let number = slf.get().sent.fetch_add(1, Ordering::Relaxed);
        let drive = Drive::new(slf.clone().unbind(), bridge.clone_ref(py), turns, whose, number);
        let drive = Py::new(py, drive)?;
        slf.get().drives().insert(key, drive.clone_ref(py));
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

/// The address of a task's handle, which whoever awaits for it keeps; the root has none.
fn address(task: Option<&Py<PyAny>>) -> usize {
    task.map_or(0, |task| task.as_ptr() as usize)
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Drive>()?;
    module.add_class::<Engine>()
}
