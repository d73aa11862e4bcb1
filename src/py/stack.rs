//! What stands on the native stack inside each other, and how deep it may go.
//!
//! Programs of any depth run in constant native stack. Three things do not, for Python itself recurses there: runs inside
//! runs, and comparing and hashing values that stand inside each other. Python's own bound on recursion counts only some
//! of it, and can be raised to anything: ours is what is left of the thread's stack.

use std::cell::Cell;
use std::thread::LocalKey;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;

use super::leaving;

/// Levels that are there in any case, whatever the stack.
const FREE_LEVELS: u32 = 4;
/// What a deeper level must leave, in bytes: for user code, and for what ends it all.
const RESERVE: usize = 96 * 1024;

/// How many levels of one kind are on this thread's stack now.
pub type Levels = LocalKey<Cell<u32>>;

/// One level on the stack, until it is dropped.
#[derive(Debug)]
#[must_use = "the level ends where this is dropped"]
pub struct Level(&'static Levels);

/// Goes one level deeper.
///
/// # Errors
/// `RecursionError` when the stack is nearly used up; `advice` says what to do.
pub fn deeper(levels: &'static Levels, advice: &str) -> PyResult<Level> {
    let depth = levels.get();
    if depth >= FREE_LEVELS && stacker::remaining_stack().is_some_and(|left| left < RESERVE) {
        return Err(PyRecursionError::new_err(format!("{depth} levels deep, and the stack is used up: {advice}")));
    }
    levels.set(depth + 1);
    Ok(Level(levels))
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

thread_local! {
    static COMPARED: Cell<u32> = const { Cell::new(0) };
}

/// Compares or hashes what stands inside a value.
///
/// # Errors
/// `RecursionError` when the values nest too deep, and what the work raises.
pub fn inside_value<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _inside = leaving::enter(py);
    let _level = deeper(&COMPARED, "compare or hash values that nest less")?;
    work()
}
