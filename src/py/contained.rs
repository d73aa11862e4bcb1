//! Where the machine is entered from Python, and a panic ends. Python code never sees one: memory that ran out is a
//! `MemoryError`, and anything else a bug of the machine, which says so (semantics 4).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use super::{error, leaving, reserve};

/// Does the work; a panic in it is an error.
///
/// What it works on must not be used again after an error that was a panic, but to drop it.
///
/// # Errors
/// What the work gives; `MemoryError` or `InternalError` for a panic.
pub fn contained<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _inside = leaving::enter(py);
    // To make the exception object may need memory that is not there: it is made in here.
    let made = || work().inspect_err(|error| drop(error.value(py).clone()));
    catch_unwind(AssertUnwindSafe(made)).unwrap_or_else(|panic| Err(told(py, panic)))
}

/// What `PyO3` says when the interpreter gave no object where only memory can be missing.
const NO_OBJECT: &str = "PyObject pointer is null";

/// The error that a panic stands for.
fn told(py: Python<'_>, panic: Box<dyn Any + Send>) -> PyErr {
    let panic = match panic.downcast::<PyErr>() {
        Ok(refused) => return *refused,
        Err(panic) => panic,
    };
    let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let message = message.unwrap_or("the machine panicked");
    // The class alone needs no memory.
    let exhausted = || PyMemoryError::new_err(());
    if message == NO_OBJECT {
        return exhausted();
    }
    let tell = || {
        let error = error::internal(py, message);
        drop(error.value(py).clone());
        error
    };
    catch_unwind(AssertUnwindSafe(tell)).unwrap_or_else(|_| exhausted())
}

/// Ends the run, without a word on the terminal: the interpreter refused an object that the machine cannot go on
/// without.
pub fn refused(py: Python<'_>, error: PyErr) -> ! {
    drop(error.value(py).clone());
    // What the driver holds is dropped on the way, and a generator that is closed needs memory.
    reserve::release();
    resume_unwind(Box::new(error))
}
