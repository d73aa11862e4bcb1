//! Who awaits for which task of a run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use super::drive::Drive;

/// Those that await, for the root and for each task that has awaited and is not over.
#[derive(Default)]
pub struct Roster(Mutex<Drives>);

#[derive(Default)]
struct Drives {
    /// By the address of the task's handle, which its drive keeps; the root has none. With how many there were before.
    known: HashMap<usize, (u64, Py<Drive>)>,
    /// How many there were so far.
    count: u64,
}

fn address(task: Option<&Py<PyAny>>) -> usize {
    task.map_or(0, |task| task.as_ptr() as usize)
}

impl Roster {
    /// The lock is held for no Python.
    fn drives(&self) -> MutexGuard<'_, Drives> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That one awaits for its task from now on.
    pub fn put(&self, py: Python<'_>, drive: &Py<Drive>) {
        let mut drives = self.drives();
        drives.count += 1;
        let entry = (drives.count, drive.clone_ref(py));
        let before = drives.known.insert(address(drive.get().task()), entry);
        drop(drives);
        drop(before);
    }

    /// Who awaits for that task.
    pub fn of(&self, py: Python<'_>, task: Option<&Py<PyAny>>) -> Option<Py<Drive>> {
        self.drives().known.get(&address(task)).map(|(_, drive)| drive.clone_ref(py))
    }

    /// Nobody awaits for that task any more: who did.
    pub fn take(&self, task: Option<&Py<PyAny>>) -> Option<Py<Drive>> {
        self.drives().known.remove(&address(task)).map(|(_, drive)| drive)
    }

    /// Nobody awaits any more: who did, the first one first.
    pub fn take_all(&self) -> Vec<Py<Drive>> {
        let mut drives: Vec<_> = std::mem::take(&mut self.drives().known).into_values().collect();
        drives.sort_by_key(|(place, _)| *place);
        drives.into_iter().map(|(_, drive)| drive).collect()
    }

    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(drives) = self.0.try_lock() else { return Ok(()) };
        drives.known.values().try_for_each(|(_, drive)| visit.call(drive))
    }
}
