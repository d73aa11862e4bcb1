//! How deep comparing and hashing may go into values that stand inside each other.
//!
//! Python compares and hashes by recursion, and bounds only some of it, by a number that its user may raise to anything.
//! Ours is bounded by what the smallest thread's stack holds.

use std::cell::Cell;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

/// Comparisons and hashes of our values that may stand on the native stack at once.
const LEVELS: u32 = 100;

thread_local! {
    /// Those that are on this thread's stack now, whatever stands between them.
    static LEVEL: Cell<u32> = const { Cell::new(0) };
}

/// One comparison or hash on the stack, also when a panic passes.
struct Level;

impl Drop for Level {
    fn drop(&mut self) {
        LEVEL.set(LEVEL.get() - 1);
    }
}

/// Does one level of a comparison or a hash.
///
/// # Errors
/// `RecursionError` when the values nest too deep, and what the work raises.
pub fn one_level<T>(doing: &str, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let level = LEVEL.get();
    if level >= LEVELS {
        return Err(PyRecursionError::new_err(format!(
            "{doing} values that are more than {LEVELS} deep in each other"
        )));
    }
    LEVEL.set(level + 1);
    let _level = Level;
    work()
}
