//! How the tasks of this process stand, for those who ask from outside of a run (semantics 7).

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyWeakrefMethods};

use super::classes::vm::PyVm;
use super::desks::{self, Asked, Standings};
use super::tasks;

/// How long a wait for an answer goes on without a look at signals.
const WAIT_SLICE: Duration = Duration::from_millis(50);

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
    let (desks, vms) = desks::all(py);
    let told = PyList::empty(py);
    for vm in vms {
        let Some(vm) = vm.bind(py).upgrade_as::<PyVm>()? else { continue };
        // One that is running answers at its desk.
        if let Ok(Some(standings)) = vm.get().standings(py) {
            told.call_method1("extend", (tasks::list(py, standings)?,))?;
        }
    }
    let asked: Vec<_> = desks.iter().map(|desk| desk.ask()).collect();
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
