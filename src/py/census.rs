//! How the tasks of this process stand, for those who ask from outside of a run (semantics 7).
//!
//! A run that keeps its thread answers itself, where it looks for interrupts or idles. A VM that rests between two turns
//! is looked at where it lies.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyWeakrefMethods, PyWeakrefReference};

use super::classes::vm::PyVm;
use super::tasks;
use super::world::PyWorld;
use crate::core::mailbox::{Mailbox, locked};
use crate::core::native::Standing;

type Standings = Vec<Standing<PyWorld>>;

/// Where a run that keeps its thread takes questions.
struct Desk {
    run: Arc<Mailbox>,
    thread: ThreadId,
    /// Nobody answers any more when there is no list.
    questions: Mutex<Option<Vec<Question>>>,
}

/// Somebody asks how the tasks of a run stand.
pub struct Question(SyncSender<Standings>);

impl Question {
    /// Answers; who asked may have gone.
    pub fn answer(self, standings: Standings) {
        drop(self.0.try_send(standings));
    }
}

/// Those that can be asked.
#[derive(Default)]
struct Known {
    desks: Vec<Arc<Desk>>,
    vms: Vec<Py<PyWeakrefReference>>,
    /// How many VMs there may be before those that are gone are looked for.
    room: usize,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { desks: Vec::new(), vms: Vec::new(), room: 0 });
/// The fewest VMs among which those that are gone are looked for.
const FEW: usize = 64;
/// How long a wait for an answer goes on without a look at signals.
const WAIT_SLICE: Duration = Duration::from_millis(50);

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run's place among those that can be asked, until it is dropped.
pub struct Seat(Arc<Desk>);

impl Seat {
    /// The run of that mailbox, on this thread, takes questions.
    #[must_use]
    pub fn take(run: &Arc<Mailbox>) -> Self {
        let desk = Desk { run: run.clone(), thread: thread::current().id(), questions: Mutex::new(Some(Vec::new())) };
        let desk = Arc::new(desk);
        known().desks.push(desk.clone());
        Self(desk)
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        locked(&self.0.questions).as_ref().is_some_and(|asked| !asked.is_empty())
    }

    /// What was asked.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        locked(&self.0.questions).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        known().desks.retain(|desk| !Arc::ptr_eq(desk, &self.0));
        // Those who asked too late are told by the end of their channel.
        drop(locked(&self.0.questions).take());
    }
}

/// The VM of that weak reference rests between turns.
pub fn rests(py: Python<'_>, vm: Py<PyWeakrefReference>) {
    let mut known = known();
    known.vms.push(vm);
    if known.vms.len() <= known.room {
        return;
    }
    let (live, gone): (Vec<_>, Vec<_>) =
        std::mem::take(&mut known.vms).into_iter().partition(|vm| vm.bind(py).upgrade().is_some());
    known.room = FEW.max(live.len() * 2);
    known.vms = live;
    drop(known);
    drop(gone);
}

/// In the child of a fork the other threads are gone.
pub fn forked() {
    let here = thread::current().id();
    known().desks.retain(|desk| desk.thread == here);
}

enum Asked {
    /// It answers there.
    Waiting(Receiver<Standings>),
    /// It runs the code that asks.
    Here,
}

fn ask(desk: &Desk) -> Asked {
    if desk.thread == thread::current().id() {
        return Asked::Here;
    }
    let (answer, answered) = sync_channel(1);
    if let Some(questions) = &mut *locked(&desk.questions) {
        questions.push(Question(answer));
    }
    desk.run.ring();
    Asked::Waiting(answered)
}

/// Waits for an answer until then; nothing when there is none.
fn wait(py: Python<'_>, mut answered: Receiver<Standings>, until: Instant) -> PyResult<Option<Standings>> {
    loop {
        let slice = until.saturating_duration_since(Instant::now()).min(WAIT_SLICE);
        let (back, answer) = py.detach(move || {
            let answer = answered.recv_timeout(slice);
            (answered, answer)
        });
        answered = back;
        py.check_signals()?;
        match answer {
            Ok(standings) => return Ok(Some(standings)),
            // It is over.
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(Vec::new())),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= until => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// How the tasks of all runs of this process stand. Law: semantics 7.
///
/// Ask from outside of the runs: from another thread, from another coroutine of the loop that drives them. Each run answers
/// between two of its steps, or while it waits. One that is busy with code that makes no steps is told as one line.
///
/// Args:
///     timeout: For how many seconds to wait for the answers.
///
/// Returns:
///     A `TaskInfo` for each task, run by run, each in the order of the spawns. `stalled` says for how long a task has
///     waited for an external promise, or for what it awaits.
///
/// Raises:
///     `ValueError`: `timeout` is negative, or no number.
///
/// Example:
///
/// ```python
/// >>> import threading
/// >>> from segue import CreateExternalPromise, Wait, all_tasks, do, run, scheduler
/// >>> @do
/// ... def program(made):
/// ...     promise = yield CreateExternalPromise()
/// ...     made.append(promise)
/// ...     return (yield Wait(promise))
/// >>> made = []
/// >>> thread = threading.Thread(target=run, args=(program(made), [scheduler]))
/// >>> thread.start()
/// >>> while not (stalled := [task for task in all_tasks() if task.stalled is not None]):
/// ...     pass
/// >>> stalled[0].what
/// 'Wait(target=<Promise pending>)'
/// >>> made[0].complete(1)
/// >>> thread.join()
///
/// ```
#[pyfunction]
#[pyo3(signature = (*, timeout = 1.0))]
fn all_tasks(py: Python<'_>, timeout: f64) -> PyResult<Bound<'_, PyList>> {
    let Ok(patience) = Duration::try_from_secs_f64(timeout) else {
        return Err(PyValueError::new_err(format!("timeout is a number of seconds, 0 or more; got {timeout}")));
    };
    let Some(until) = Instant::now().checked_add(patience) else {
        return Err(PyValueError::new_err(format!("timeout is too long: {timeout} seconds")));
    };
    let (desks, vms) = {
        let known = known();
        (known.desks.clone(), known.vms.iter().map(|vm| vm.clone_ref(py)).collect::<Vec<_>>())
    };
    let told = PyList::empty(py);
    for vm in vms {
        let Some(vm) = vm.bind(py).upgrade_as::<PyVm>()? else { continue };
        // One that is running answers at its desk.
        if let Ok(Some(standings)) = vm.get().standings(py) {
            told.call_method1("extend", (tasks::list(py, standings)?,))?;
        }
    }
    let asked: Vec<_> = desks.iter().map(|desk| ask(desk)).collect();
    for asked in asked {
        let silent = match asked {
            Asked::Waiting(answered) => match wait(py, answered, until)? {
                Some(standings) => {
                    told.call_method1("extend", (tasks::list(py, standings)?,))?;
                    continue;
                }
                None => format!("busy: no answer in {timeout} s"),
            },
            Asked::Here => "it runs the code that asks".to_owned(),
        };
        told.append(tasks::unknown(py, &silent)?)?;
    }
    Ok(told)
}

/// Adds the function to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(all_tasks, module)?)
}
