//! Ctrl-C. While a run is on the main thread and SIGINT has Python's own handler, a native one stands in for it: the
//! first Ctrl-C is thrown at the run's next yield, so that no clean-up is lost; a second one raises at once, whether the
//! first still waits for a yield or the clean-up that it began hangs.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::found::Found;
use crate::core::mailbox::Mailbox;

/// A run of the main thread.
struct Run {
    mailbox: Arc<Mailbox>,
    /// A Ctrl-C was thrown in it.
    interrupted: bool,
}

/// The runs of the main thread, innermost last.
static RUNS: Mutex<Vec<Run>> = Mutex::new(Vec::new());
/// A Ctrl-C that was not served yet.
static PRESSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_MAIN: Cell<Option<bool>> = const { Cell::new(None) };
}

struct Signals {
    get: Py<PyAny>,
    set: Py<PyAny>,
    number: Py<PyAny>,
    default: Py<PyAny>,
    native: Py<PyAny>,
    is_main_thread: Py<PyAny>,
    nothing: Py<PyAny>,
}

fn signals(py: Python<'_>) -> PyResult<&Signals> {
    static SIGNALS: Found<Signals> = Found::not_yet();
    SIGNALS.get(py, |py| {
        let (module, interpreter) = (py.import("_signal")?, py.import("segue._interpreter")?);
        Ok(Signals {
            get: module.getattr("getsignal")?.unbind(),
            set: module.getattr("signal")?.unbind(),
            number: module.getattr("SIGINT")?.unbind(),
            default: module.getattr("default_int_handler")?.unbind(),
            native: wrap_pyfunction!(pressed, py)?.into_any().unbind(),
            is_main_thread: interpreter.getattr("is_main_thread")?.unbind(),
            nothing: interpreter.getattr("nothing")?.unbind(),
        })
    })
}

/// The handler of SIGINT while a run is going on.
#[pyfunction]
fn pressed(_number: &Bound<'_, PyAny>, _frame: &Bound<'_, PyAny>) -> PyResult<()> {
    if !PRESSED.swap(true, Ordering::Relaxed)
        && let Some(run) = runs().last()
        && !run.interrupted
    {
        run.mailbox.interrupt();
        return Ok(());
    }
    PRESSED.store(false, Ordering::Relaxed);
    Err(PyKeyboardInterrupt::new_err(()))
}

fn runs() -> MutexGuard<'static, Vec<Run>> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a Ctrl-C that was not served yet, to throw it in the run of `mailbox`: never in one of another thread.
pub fn take_pressed(mailbox: &Arc<Mailbox>) -> bool {
    let mut runs = runs();
    let Some(run) = runs.iter_mut().rfind(|run| Arc::ptr_eq(&run.mailbox, mailbox)) else { return false };
    let pressed = PRESSED.swap(false, Ordering::Relaxed);
    run.interrupted |= pressed;
    pressed
}

/// Looks the interpreter's own functions up, so that no later moment has to.
///
/// # Errors
/// When the interpreter has none.
pub fn look_up(py: Python<'_>) -> PyResult<()> {
    signals(py).map(drop)
}

/// Lets the interpreter do what it does between two lines of Python, where none runs: other threads have their turn,
/// signals and exceptions from other threads arrive.
///
/// # Errors
/// What arrives.
pub fn between_lines(py: Python<'_>) -> PyResult<()> {
    signals(py)?.nothing.bind(py).call0()?;
    py.check_signals()
}

/// In the child of a fork only the thread that forked is left, and is the main thread. Runs of the parent's main thread
/// are not there when that was another one.
///
/// # Errors
/// When Python's own handler cannot be put back.
pub fn forked(py: Python<'_>) -> PyResult<()> {
    PRESSED.store(false, Ordering::Relaxed);
    if IS_MAIN.replace(Some(true)) == Some(true) {
        return Ok(());
    }
    runs().clear();
    restore(py)
}

fn is_main_thread(py: Python<'_>) -> bool {
    IS_MAIN.get().unwrap_or_else(|| {
        // Where there is no memory to tell, this run does without, and the next one asks again.
        let told = signals(py).and_then(|signals| signals.is_main_thread.bind(py).call0()?.extract());
        IS_MAIN.set(told.as_ref().ok().copied());
        told.unwrap_or(false)
    })
}

/// A run on the main thread, as long as it lives.
#[derive(Debug)]
pub struct Guard {
    installed: bool,
}

/// Lets Ctrl-C reach the run; `None` on other threads, which never see it.
pub fn guard(py: Python<'_>, run: &Arc<Mailbox>) -> Option<Guard> {
    if !is_main_thread(py) {
        return None;
    }
    let outermost = runs().is_empty();
    let installed = outermost && install(py).unwrap_or(false);
    runs().push(Run { mailbox: run.clone(), interrupted: false });
    Some(Guard { installed })
}

fn install(py: Python<'_>) -> PyResult<bool> {
    let signals = signals(py)?;
    if !signals.get.bind(py).call1((&signals.number,))?.is(&signals.default) {
        return Ok(false);
    }
    signals.set.bind(py).call1((&signals.number, &signals.native))?;
    Ok(true)
}

/// Python's own handler stands again, where the native one stood in for it.
fn restore(py: Python<'_>) -> PyResult<()> {
    let signals = signals(py)?;
    if signals.get.bind(py).call1((&signals.number,))?.is(&signals.native) {
        signals.set.bind(py).call1((&signals.number, &signals.default))?;
    }
    Ok(())
}

impl Guard {
    /// The run is over: Python's own handler stands again. A Ctrl-C that came too late for the run is given back.
    ///
    /// # Errors
    /// `KeyboardInterrupt`, when one was pressed that nobody served.
    pub fn leave(self, py: Python<'_>) -> PyResult<()> {
        runs().pop();
        if self.installed {
            restore(py)?;
        }
        if !PRESSED.load(Ordering::Relaxed) {
            return Ok(());
        }
        // The run outside serves what came too late for this one.
        if let Some(outer) = runs().last() {
            outer.mailbox.interrupt();
            return Ok(());
        }
        PRESSED.store(false, Ordering::Relaxed);
        Err(PyKeyboardInterrupt::new_err(()))
    }
}
