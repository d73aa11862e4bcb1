//! How tasks stand, as programs see it.

use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyList};

use super::classes::handle;
use super::context;
use super::names::names;
use super::world::PyWorld;
use crate::core::native::{Impulse, Stance, Standing};

/// How a task stands, as a `TaskInfo`.
///
/// # Errors
/// When memory runs out.
pub fn info(py: Python<'_>, one: Standing<PyWorld>) -> PyResult<Bound<'_, PyAny>> {
    let task = one.task.bind(py);
    let (state, what) = match one.stance {
        Stance::Running => ("running", String::new()),
        Stance::Ready(impulse) => ("ready", impulse_told(impulse).to_owned()),
        Stance::Waiting(what) => ("waiting", handle::awaited(what.bind(py))),
        Stance::Failed => ("failed", handle::failure(task)),
    };
    let origin = one.origin.map(|mark| context::marked_line(py, &mark));
    let stalled = one.since.map(|since| Instant::now().saturating_duration_since(since).as_secs_f64());
    let name = handle::name_of(task);
    class(py, "TaskInfo")?.call1((name, state, what, one.place, origin, stalled, task, one.holder))
}

/// How a task stands that has finished, as a `TaskInfo`.
///
/// # Errors
/// When memory runs out.
pub fn finished<'py>(task: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let state = handle::stage_of(task);
    let what = if state == "failed" { handle::failure(task) } else { String::new() };
    let (name, none) = (handle::name_of(task), None::<Py<PyAny>>);
    class(task.py(), "TaskInfo")?.call1((name, state, what, &none, &none, &none, task, handle::scheduler_of(task)))
}

/// A run whose tasks nobody can see now, as a `TaskInfo`.
///
/// # Errors
/// When memory runs out.
pub fn unknown<'py>(py: Python<'py>, why: &str) -> PyResult<Bound<'py, PyAny>> {
    class(py, "TaskInfo")?.call1(("a run", "running", why))
}

/// A `TaskSwitch`.
///
/// # Errors
/// When memory runs out.
pub fn switch<'py>(
    py: Python<'py>,
    left: Option<Bound<'py, PyAny>>,
    entered: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    class(py, "TaskSwitch")?.call1((left, entered))
}

/// How all of them stand.
///
/// # Errors
/// When memory runs out.
pub fn list(py: Python<'_>, all: Vec<Standing<PyWorld>>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for one in all {
        list.append(info(py, one)?)?;
    }
    Ok(list)
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    names(py)?.result.bind(py).getattr(name)
}

const fn impulse_told(impulse: Impulse) -> &'static str {
    match impulse {
        Impulse::Spawned => "spawned",
        Impulse::GaveWay => "gave way",
        Impulse::Preempted => "its slice is used up",
        Impulse::Answered => "what it waited for came",
        Impulse::Cancelled => "cancelled",
    }
}
