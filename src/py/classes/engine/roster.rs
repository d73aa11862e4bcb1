//! Who awaits for which task of a run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use super::drive::Drive;

/// Those that await, for the root and for each task that has awaited and is not over.
#[derive(Default)]
pub struct Roster {
    /// By the address of the task's handle, which its drive keeps; the root has none.
    drives: Mutex<HashMap<usize, Py<Drive>>>,
    /// How many there were so far.
    sent: AtomicU64,
}

fn address(task: Option<&Py<PyAny>>) -> usize {
    task.map_or(0, |task| task.as_ptr() as usize)
}

impl Roster {
    /// The lock is held for no Python.
    fn drives(&self) -> MutexGuard<'_, HashMap<usize, Py<Drive>>> {
        self.drives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were before the next one.
    pub fn count(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }

    /// That one awaits for its task from now on.
    pub fn put(&self, py: Python<'_>, drive: &Py<Drive>) {
        let before = self.drives().insert(address(drive.get().task()), drive.clone_ref(py));
        drop(before);
    }

    /// Who awaits for that task.
    pub fn of(&self, py: Python<'_>, task: Option<&Py<PyAny>>) -> Option<Py<Drive>> {
        self.drives().get(&address(task)).map(|drive| drive.clone_ref(py))
    }

    /// Nobody awaits for that task any more: who did.
    pub fn take(&self, task: Option<&Py<PyAny>>) -> Option<Py<Drive>> {
        self.drives().remove(&address(task))
    }

    /// Nobody awaits any more: who did, the first one first.
    pub fn take_all(&self) -> Vec<Py<Drive>> {
        let mut drives: Vec<_> = std::mem::take(&mut *self.drives()).into_values().collect();
        drives.sort_by_key(|drive| drive.get().number());
        drives
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(drives) = self.drives.try_lock() else { return Ok(()) };
        drives.values().try_for_each(|drive| visit.call(drive))
    }
}
