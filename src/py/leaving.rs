//! When the interpreter ends.
//!
//! Up to 3.13 a thread that wants the interpreter after it has ended is unwound by force, which aborts the process when
//! a frame of ours is on its stack. So daemon threads stand still at our next frame before that, as whole threads do from
//! 3.14 on; one that only computes is brought there by an exception.

use std::cell::Cell;
use std::ffi::c_ulong;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PySystemExit;
use pyo3::ffi::PyThreadState_SetAsyncExc;
use pyo3::prelude::*;

use super::found::Found;

/// The interpreter is ending.
static ENDING: AtomicBool = AtomicBool::new(false);
/// The threads that are inside: on their stacks stands a frame of ours that runs Python.
static INSIDE: Mutex<Vec<c_ulong>> = Mutex::new(Vec::new());
/// How long there is between two looks at whether they came to our next frame. Who looks wants the interpreter back from
/// those who compute, so that they have their turns whatever the machine is busy with.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
/// After so many looks an exception is raised in them, at each further one.
const PATIENCE: u32 = 20;
/// After so many the process ends without them: they wait for something outside of Python, most likely for ever.
const LOOKS: u32 = 300;

thread_local! {
    /// Frames of ours that stand on this thread's stack.
    static FRAMES: Cell<usize> = const { Cell::new(0) };
    /// The name that the interpreter has for this thread.
    static IDENT: Cell<Option<c_ulong>> = const { Cell::new(None) };
    /// This thread ends the interpreter.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// A frame of ours that runs Python on this thread, until it is dropped.
#[derive(Debug)]
#[must_use = "it is left where this is dropped"]
pub struct Inside(());

/// Python is run from here; when the interpreter is ending the thread stands still instead.
#[inline]
pub fn enter(py: Python<'_>) -> Inside {
    let frames = FRAMES.get();
    FRAMES.set(frames + 1);
    if frames == 0 {
        inside().push(ident(py));
    }
    stand_still(py);
    Inside(())
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        let frames = FRAMES.get() - 1;
        FRAMES.set(frames);
        if frames == 0 {
            gone();
        }
    }
}

fn inside() -> MutexGuard<'static, Vec<c_ulong>> {
    INSIDE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread is not inside any more.
fn gone() {
    let mut inside = inside();
    if let Some(own) = inside.iter().position(|ident| Some(*ident) == IDENT.get()) {
        inside.swap_remove(own);
    }
}

fn ident(py: Python<'_>) -> c_ulong {
    IDENT.get().unwrap_or_else(|| {
        static GET_IDENT: Found = Found::not_yet();
        let ident = GET_IDENT.import(py, "_thread", "get_ident").and_then(|get| get.call0()?.extract::<c_ulong>());
        // Without a name it is waited for, and not interrupted.
        let ident = ident.unwrap_or_default();
        IDENT.set(Some(ident));
        ident
    })
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
        gone();
        loop {
            thread::park();
        }
    });
}

/// Waits until no other thread is inside.
#[pyfunction]
fn ending(py: Python<'_>) {
    ENDS.set(true);
    ENDING.store(true, Ordering::Relaxed);
    for look in 0..LOOKS {
        let others: Vec<_> = inside().iter().copied().filter(|ident| Some(*ident) != IDENT.get()).collect();
        if others.is_empty() {
            return;
        }
        if look >= PATIENCE {
            for ident in others {
                interrupt(py, ident);
            }
        }
        py.detach(|| thread::sleep(BETWEEN_LOOKS));
    }
}

/// Has `SystemExit` raised in the Python code of a thread.
#[expect(unsafe_code, reason = "only the interpreter's own interface interrupts a thread")]
fn interrupt(py: Python<'_>, ident: c_ulong) {
    let exception = py.get_type::<PySystemExit>();
    // SAFETY: the interpreter is attached, and the exception is a class; of a thread that is gone nothing comes.
    unsafe { PyThreadState_SetAsyncExc(ident.cast_signed(), exception.as_ptr()) };
}

/// In a forked child there is only the thread that forked.
pub fn forked() {
    inside().retain(|ident| FRAMES.get() > 0 && Some(*ident) == IDENT.get());
}

/// Asks to be told.
///
/// # Errors
/// When the interpreter's modules are broken.
pub fn register(py: Python<'_>) -> PyResult<()> {
    ident(py);
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(ending, py)?,))?;
    Ok(())
}
