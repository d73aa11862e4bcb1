//! When the interpreter ends.
//!
//! Up to 3.13 a thread that wants the interpreter after it has ended is unwound by force, which aborts the process when
//! the thread is inside a run. So the runs of daemon threads stand still before that, as whole threads do from 3.14 on.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::signals;

/// The interpreter is ending.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Threads inside a run that goes on.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// How long the end waits for the threads that run user code and come to no step.
const PATIENCE: Duration = Duration::from_millis(200);

thread_local! {
    /// Runs that stand on this thread's stack.
    static RUNS: Cell<usize> = const { Cell::new(0) };
    /// This thread ends the interpreter.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// A run that goes on on this thread.
#[derive(Debug)]
pub struct Inside(());

/// A run goes on; when the interpreter is ending it stands still instead.
pub fn enter(py: Python<'_>) -> Inside {
    if RUNS.replace(RUNS.get() + 1) == 0 {
        INSIDE.fetch_add(1, Ordering::Relaxed);
    }
    stand_still(py);
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        RUNS.set(RUNS.get() - 1);
        if RUNS.get() == 0 {
            INSIDE.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Stands still for ever when the interpreter is ending, unless this is the thread that ends it.
#[inline]
pub fn stand_still(py: Python<'_>) {
    if ENDING.load(Ordering::Relaxed) && !ENDS.get() {
        stop(py);
    }
}

#[cold]
fn stop(py: Python<'_>) {
    py.detach(|| {
        INSIDE.fetch_sub(1, Ordering::Relaxed);
        loop {
            thread::park();
        }
    });
}

/// Waits until the runs of other threads stand still.
#[pyfunction]
fn ending(py: Python<'_>) {
    ENDS.set(true);
    ENDING.store(true, Ordering::Relaxed);
    let own = usize::from(RUNS.get() > 0);
    let start = Instant::now();
    while INSIDE.load(Ordering::Relaxed) > own && start.elapsed() < PATIENCE {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

/// In a forked child there is only the thread that forked.
pub fn forked() {
    INSIDE.store(usize::from(RUNS.get() > 0), Ordering::Relaxed);
}

/// Asks to be told.
///
/// # Errors
/// When the interpreter's modules are broken.
pub fn register(py: Python<'_>) -> PyResult<()> {
    // A finaliser that runs a program at the very end must not be the first to import this.
    signals::look_up(py)?;
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(ending, py)?,))?;
    Ok(())
}
