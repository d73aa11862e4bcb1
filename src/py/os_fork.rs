//! What `os.fork` needs. In the child process only the thread that forked is left: it must find nothing that another
//! thread was about to give back.
//!
//! Locks of our own are held for no Python, and a thread can only be left behind where Python runs, so none is ever
//! left locked. What remains are modules that runs load when they first need them.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use super::{desks, leaving, signals};

/// What runs load when they first need it.
const LATER: [&str; 7] =
    ["difflib", "opcode", "segue._copying", "segue._tail", "segue._text", "threading", "traceback"];

/// Whether there was a run: before that nothing is being loaded.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// A run begins.
#[inline]
pub fn begun() {
    BEGUN.store(true, Ordering::Relaxed);
}

/// Before a fork: what another thread's run is loading is awaited, for its child would wait for ever.
#[pyfunction]
fn about_to_fork(py: Python<'_>) -> PyResult<()> {
    if BEGUN.load(Ordering::Relaxed) {
        for module in LATER {
            py.import(module)?;
        }
    }
    Ok(())
}

/// In the child.
#[pyfunction]
fn forked(py: Python<'_>) -> PyResult<()> {
    leaving::forked();
    desks::forked();
    signals::forked(py)
}

/// Has both done at each fork.
///
/// # Errors
/// When the interpreter refuses.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let Some(at_fork) = py.import("os")?.getattr_opt("register_at_fork")? else { return Ok(()) };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(about_to_fork, py)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(forked, py)?)?;
    at_fork.call((), Some(&hooks))?;
    Ok(())
}
