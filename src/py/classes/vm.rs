//! `PyVM`: the engine one step at a time (semantics 5).
//!
//! A step takes the machine out and puts it back: whoever comes meanwhile, from inside or from another thread, finds it
//! gone, and is told so.
//!
//! A VM that nobody holds any more is closed by the callback of a weak reference: the collector calls it before it
//! finalises anything, so what the program holds is still whole, whatever cycle it stands in.

mod cell;

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList, PyModule, PyTuple, PyType, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};

use super::limits::Limits;
use super::link::Scope;
use super::result::RunResult;
use super::text::safe_repr;
use crate::core::native::Standing;
use crate::core::visit::Visitor;
use crate::py::classes::handler::Installed;
use crate::py::contained::contained;
use crate::py::desks::Resting;
use crate::py::driver::{self, Machine, Setting, Turn};
use crate::py::entered::Away;
use crate::py::error::vm_state;
use crate::py::tasks;
use crate::py::world::{Code, PyWorld};
use cell::{Cell, Closer, Ended, State};

/// The engine of `run`, one step at a time: for drivers of an event loop of their own. Law: semantics 5.
///
/// `start_program` takes a program, `step_once` makes one step, and `feed_async_result` or `feed_async_error` answer a
/// step that asked for an awaitable; `finish` gives the result. `run` and `run_scoped` do it all. A VM that is dropped
/// before the end is closed like a coroutine.
///
/// Args:
///     trace: Whether to note each step.
///     limits: What each run may use.
///
/// Raises:
///     `TypeError`: `limits` is no `Limits`.
///     `VMStateError`: At a method, when it is not its turn, or another thread or the program itself is in the VM.
///
/// Example:
///
/// ```python
/// >>> from segue import Pure, PyVM
/// >>> vm = PyVM()
/// >>> vm.start_program(Pure(1).map(lambda n: n + 1))
/// >>> while (event := vm.step_once()) == ("continue",):
/// ...     pass
/// >>> event
/// ('done', 2)
/// >>> vm.finish().value
/// 2
///
/// ```
#[pyclass(frozen, weakref, name = "PyVM", module = "segue._vm")]
pub struct PyVm {
    trace: bool,
    limits: Option<Py<Limits>>,
    cell: Arc<Cell>,
}

impl PyVm {
    fn state(&self) -> MutexGuard<'_, State> {
        self.cell.state()
    }

    /// Takes out what `pick` picks: whoever comes meanwhile finds the VM running. What it does not pick stays, and its
    /// message is the error. The lock is held for no Python: who waits for it could keep the interpreter from its holder.
    fn take<T>(&self, py: Python<'_>, pick: impl FnOnce(State) -> Result<T, (State, &'static str)>) -> PyResult<T> {
        let mut held = self.state();
        match pick(std::mem::replace(&mut *held, State::Running)) {
            Ok(taken) => Ok(taken),
            Err((state, message)) => {
                *held = state;
                drop(held);
                Err(vm_state(py, message))
            }
        }
    }

    fn put(&self, state: State) {
        *self.state() = state;
    }

    /// Takes the VM for a new program.
    fn claim(&self, py: Python<'_>) -> PyResult<()> {
        let before = self.take(py, |state| match state {
            State::Idle | State::Ended(..) => Ok(state),
            State::Running => Err((state, RUNNING)),
            State::Ready(_) | State::Waiting(_) => {
                Err((state, "the VM has a program that did not end: step it to its end, or use another VM"))
            }
        })?;
        drop(before);
        Ok(())
    }
}

const RUNNING: &str = "the VM is already running";

/// Why a program that somebody else's loop drives gives way.
pub enum Driven {
    /// Others have their turn.
    Busy,
    /// Nobody can go on before that long, or before something arrives.
    Idle(Option<Duration>),
    /// Somebody has to await what this action makes.
    Async(Py<PyAny>),
    /// It is over.
    Ended,
}

#[pymethods]
impl PyVm {
    #[new]
    #[pyo3(signature = (*, trace = false, limits = None))]
    fn new(trace: bool, limits: Option<Py<Limits>>) -> Self {
        Self { trace, limits, cell: Arc::default() }
    }

    /// Runs a program to its end.
    #[pyo3(signature = (program, handlers = None))]
    fn run(
        &self,
        py: Python<'_>,
        program: &Bound<'_, PyAny>,
        handlers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<RunResult>> {
        self.claim(py)?;
        let limits = self.limits.as_ref().map(Py::get);
        let setting =
            Setting { handlers, env: None, store: None, trace: self.trace, stepping: false, driven: false, limits };
        let result = driver::run(py, program, &setting);
        self.put(State::Idle);
        result
    }

    /// Runs a program inside handlers that are gone afterwards, whatever happens.
    fn run_scoped(
        &self,
        py: Python<'_>,
        program: &Bound<'_, PyAny>,
        handlers: &Bound<'_, PyAny>,
    ) -> PyResult<Py<RunResult>> {
        self.run(py, program, Some(handlers))
    }

    /// Takes a program, to be stepped.
    #[pyo3(signature = (program, handlers = None, *, env = None, store = None))]
    fn start_program(
        slf: &Bound<'_, Self>,
        program: &Bound<'_, PyAny>,
        handlers: Option<&Bound<'_, PyAny>>,
        env: Option<&Bound<'_, PyAny>>,
        store: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let limits = slf.get().limits.as_ref().map(Py::get);
        let setting = Setting { handlers, env, store, trace: slf.get().trace, stepping: true, driven: false, limits };
        Self::begin(slf, program, &setting)
    }

    /// Makes one step: `("continue",)`, `("call_async", action)`, `("done", value)` or `("error", exc)`.
    fn step_once<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let _level = driver::level()?;
        let _drops = Scope::enter();
        contained(py, || self.step(py))
    }

    /// Answers the action with a value.
    fn feed_async_result(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.feed(py, Ok(value))
    }

    /// Answers the action with an exception, thrown at the yield.
    fn feed_async_error(&self, py: Python<'_>, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        let error =
            if exc.cast::<PyType>().is_ok_and(|class| class.is_subclass_of::<PyBaseException>().unwrap_or(false)) {
                exc.call0()?
            } else {
                exc.clone()
            };
        let Ok(error) = error.cast_into::<PyBaseException>() else {
            return Err(PyTypeError::new_err(format!("feed_async_error takes an exception, got {}", safe_repr(exc))));
        };
        self.feed(py, Err(error.unbind()))
    }

    /// How the tasks of the program stand, a `TaskInfo` for each, in the order in which they were spawned; none when it
    /// is over.
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        tasks::list(py, self.standings(py)?.unwrap_or_default())
    }

    /// The task that runs, as a `TaskInfo`; nobody does when all wait, or when there is no scheduler.
    fn running<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.look(py, |machine| machine.running(py))?.unwrap_or(Ok(None))
    }

    /// How the last step changed who runs, as a `TaskSwitch`; `None` when it did not.
    fn switched<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.look(py, |machine| machine.switched(py))?.unwrap_or(Ok(None))
    }

    /// The result of the program that ended. What is no `Exception` is raised, with the result as `exc.run_result`.
    pub(super) fn finish(&self, py: Python<'_>) -> PyResult<Py<RunResult>> {
        let (machine, ended) = self.take(py, |state| match state {
            State::Ended(machine, ended) => Ok((machine, ended)),
            _ => Err((state, "no program has ended: step one to its end first")),
        })?;
        self.put(State::Idle);
        let (result, raised) = contained(py, || machine.finish(py, ended))?;
        raised.map_or(Ok(result), |error| Err(PyErr::from_value(error.into_bound(py).into_any())))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.limits)?;
        let Ok(state) = self.cell.state.try_lock() else { return Ok(()) };
        let (machine, ended) = match &*state {
            State::Ready(machine) | State::Waiting(machine) => (machine, None),
            State::Ended(machine, ended) => (machine, Some(ended)),
            State::Idle | State::Running => return Ok(()),
        };
        match ended {
            Some(Ok(value)) => visit.call(value)?,
            Some(Err(error)) => visit.call(error)?,
            None => {}
        }
        machine.traverse(&visit)?;
        let mut collector = Collector { visit, stopped: None };
        machine.vm().visit(&mut collector);
        collector.stopped.map_or(Ok(()), Err)
    }

    fn __clear__(&self) {
        Python::attach(|py| self.cell.close(py));
    }
}

impl PyVm {
    /// Takes a program, to be driven.
    pub(super) fn begin(slf: &Bound<'_, Self>, program: &Bound<'_, PyAny>, setting: &Setting<'_, '_>) -> PyResult<()> {
        let (py, vm) = (slf.py(), slf.get());
        vm.claim(py)?;
        let made = contained(py, || {
            let machine = Machine::new(py, program, setting)?;
            let closer = Bound::new(py, Closer(vm.cell.clone()))?;
            Ok((machine, PyWeakrefReference::new_with(slf.as_any(), closer)?))
        });
        match made {
            Ok((machine, watch)) => {
                vm.cell.watch(Some(Resting::take(watch.unbind())));
                vm.put(State::Ready(Box::new(machine)));
                Ok(())
            }
            Err(error) => {
                vm.put(State::Idle);
                Err(error)
            }
        }
    }

    /// A VM for one run that somebody else's loop drives.
    pub(super) fn for_loop(trace: bool, limits: Option<Py<Limits>>) -> Self {
        Self { trace, limits, cell: Arc::default() }
    }

    /// Works on the program that is between two turns, or that waits.
    pub(super) fn with<T>(&self, py: Python<'_>, work: impl FnOnce(&mut Machine) -> T) -> PyResult<T> {
        let (mut machine, waits) = self.take(py, |state| match state {
            State::Ready(machine) => Ok((machine, false)),
            State::Waiting(machine) => Ok((machine, true)),
            State::Running => Err((state, RUNNING)),
            State::Idle | State::Ended(..) => Err((state, "no program is going on")),
        })?;
        let done = work(&mut machine);
        self.put(if waits { State::Waiting(machine) } else { State::Ready(machine) });
        Ok(done)
    }

    /// Looks at the program, which may be over.
    fn look<T>(&self, py: Python<'_>, look: impl FnOnce(&mut Machine) -> T) -> PyResult<Option<T>> {
        let mut state = self.take(py, |state| match state {
            State::Running => Err((state, RUNNING)),
            state => Ok(state),
        })?;
        let seen = match &mut state {
            State::Ready(machine) | State::Waiting(machine) | State::Ended(machine, _) => Some(look(machine)),
            State::Idle | State::Running => None,
        };
        self.put(state);
        Ok(seen)
    }

    /// How its tasks stand; nothing when no program is going on.
    ///
    /// # Errors
    /// It is running.
    pub fn standings(&self, py: Python<'_>) -> PyResult<Option<Vec<Standing<PyWorld>>>> {
        self.look(py, |machine| machine.standings(py))
    }

    /// So many turns of the loop, where the root may run or away from there. Says too whether something is to be done beside the
    /// run. Nothing where it is not its turn.
    pub(super) fn drive(&self, py: Python<'_>, away: Option<Away>, turns: u64) -> Option<(Driven, bool)> {
        let mut machine = {
            let mut held = self.state();
            match std::mem::replace(&mut *held, State::Running) {
                State::Ready(machine) => machine,
                state => {
                    let is_over = matches!(state, State::Ended(..) | State::Idle);
                    *held = state;
                    return is_over.then_some((Driven::Ended, false));
                }
            }
        };
        let turn = machine.turn_beside(py, away, turns);
        let has_errands = !machine.errands().is_empty();
        let driven = match turn {
            Turn::Stepped | Turn::Busy => {
                self.put(State::Ready(machine));
                Driven::Busy
            }
            Turn::Idle(at_most) => {
                self.put(State::Ready(machine));
                Driven::Idle(at_most)
            }
            Turn::Async(action) => {
                self.put(State::Waiting(machine));
                Driven::Async(action)
            }
            Turn::Ended(ended) => {
                self.put(State::Ended(machine, ended));
                Driven::Ended
            }
        };
        Some((driven, has_errands))
    }

    /// Unwinds what is suspended, at once.
    pub(super) fn close(&self, py: Python<'_>) {
        self.cell.close(py);
    }

    fn step<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let mut machine = self.take(py, |state| match state {
            State::Ready(machine) => Ok(machine),
            State::Idle => Err((state, "no program was started: call start_program first")),
            State::Waiting(_) => {
                Err((state, "the program waits for its action: call feed_async_result or feed_async_error"))
            }
            State::Ended(..) => Err((state, "the program has ended: call start_program with another")),
            State::Running => Err((state, RUNNING)),
        })?;
        let turn = machine.turn(py, true);
        machine.note_switch(py);
        match turn {
            // A VM that is stepped waits by itself.
            Turn::Stepped | Turn::Idle(_) | Turn::Busy => {
                self.put(State::Ready(machine));
                PyTuple::new(py, ["continue"])
            }
            Turn::Async(action) => {
                self.put(State::Waiting(machine));
                ("call_async", action).into_pyobject(py)
            }
            Turn::Ended(ended) => {
                let (event, what) = match &ended {
                    Ok(value) => ("done", value.clone_ref(py)),
                    Err(error) => ("error", error.clone_ref(py).into_any()),
                };
                self.put(State::Ended(machine, ended));
                (event, what).into_pyobject(py)
            }
        }
    }

    pub(super) fn feed(&self, py: Python<'_>, outcome: Ended) -> PyResult<()> {
        let mut machine = self.take(py, |state| match state {
            State::Waiting(machine) => Ok(machine),
            _ => Err((state, "no action waits for an answer: step_once gives (\"call_async\", action) when one does")),
        })?;
        machine.feed(py, outcome);
        self.put(State::Ready(machine));
        Ok(())
    }
}

/// Shows the collector what the machine holds.
struct Collector<'a> {
    visit: PyVisit<'a>,
    stopped: Option<PyTraverseError>,
}

impl Collector<'_> {
    fn show<T>(&mut self, object: &Py<T>) {
        if self.stopped.is_none() {
            self.stopped = self.visit.call(object).err();
        }
    }
}

impl Visitor<PyWorld> for Collector<'_> {
    fn value(&mut self, value: &Py<PyAny>) {
        self.show(value);
    }

    fn error(&mut self, error: &Py<PyBaseException>) {
        self.show(error);
    }

    fn code(&mut self, code: &Code) {
        self.show(&code.generator);
        if let Some(clause) = code.clause() {
            self.show(&clause.handler);
            if let Some(k) = &clause.k {
                self.show(k);
            }
        }
    }

    fn handler(&mut self, handler: &Py<Installed>) {
        self.show(handler);
    }

    fn class(&mut self, class: &Py<PyType>) {
        self.show(class);
    }
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Nobody names this one: it is made now, for later there may be no memory to make it.
    let _ = module.py().get_type::<Closer>();
    module.add_class::<PyVm>()
}
