//! Ctrl-C. While a run is on the main thread and SIGINT has Python's own handler, a native one stands in for it: the
//! first Ctrl-C is thrown at the run's next yield, so that no clean-up is lost; a second one raises at once, whether the
//! first still waits for a yield or the clean-up that it began hangs.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyAny;

use crate::core::continuation::Mailbox;

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
}

static SIGNALS: PyOnceLock<Signals> = PyOnceLock::new();

fn signals(py: Python<'_>) -> PyResult<&Signals> {
    if let Some(known) = SIGNALS.get(py) {
        return Ok(known);
    }
    let module = py.import("_signal")?;
    let table = Signals {
        get: module.getattr("getsignal")?.unbind(),
        set: module.getattr("signal")?.unbind(),
        number: module.getattr("SIGINT")?.unbind(),
        default: module.getattr("default_int_handler")?.unbind(),
        native: wrap_pyfunction!(pressed, py)?.into_any().unbind(),
    };
    Ok(SIGNALS.get_or_init(py, || table))
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

/// Takes a Ctrl-C that was not served yet, to throw it in the run of `mailbox`.
pub fn take_pressed(mailbox: &Arc<Mailbox>) -> bool {
    let pressed = PRESSED.swap(false, Ordering::Relaxed);
    if pressed && let Some(run) = runs().iter_mut().rfind(|run| Arc::ptr_eq(&run.mailbox, mailbox)) {
        run.interrupted = true;
    }
    pressed
}

/// Looks the interpreter's own functions up, so that no later moment has to.
///
/// # Errors
/// When the interpreter has none.
pub fn look_up(py: Python<'_>) -> PyResult<()> {
    signals(py).map(drop)
}

fn is_main_thread(py: Python<'_>) -> bool {
    IS_MAIN.get().unwrap_or_else(|| {
        let threading = py.import("threading");
        let main = threading.and_then(|threading| {
            let current = threading.call_method0("get_ident")?;
            threading.call_method0("main_thread")?.getattr("ident")?.eq(current)
        });
        let main = main.unwrap_or(false);
        IS_MAIN.set(Some(main));
        main
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

/// In a forked child the runs are the parent's: Ctrl-C means what it means without one.
///
/// # Errors
/// When the handler cannot be set.
pub fn forked(py: Python<'_>) -> PyResult<()> {
    IS_MAIN.set(None);
    runs().clear();
    PRESSED.store(false, Ordering::Relaxed);
    restore(py)
}

/// Python's own handler stands again, where ours stood in for it.
fn restore(py: Python<'_>) -> PyResult<()> {
    let signals = signals(py)?;
    if signals.get.bind(py).call1((&signals.number,))?.is(&signals.native) {
        signals.set.bind(py).call1((&signals.number, &signals.default))?;
    }
    Ok(())
}

fn install(py: Python<'_>) -> PyResult<bool> {
    let signals = signals(py)?;
    if !signals.get.bind(py).call1((&signals.number,))?.is(&signals.default) {
        return Ok(false);
    }
    signals.set.bind(py).call1((&signals.number, &signals.native))?;
    Ok(true)
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
