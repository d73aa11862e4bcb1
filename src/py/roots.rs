//! The handlers that were given to `run`: what is read off them when it is over.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList};
use pyo3::{PyTraverseError, PyVisit};

use super::classes::handler::{HandlerTable, Installed};

/// What the handlers of a run start from, and what they leave behind.
#[derive(Debug, Default)]
pub struct Roots {
    starts: Vec<(&'static str, Py<PyDict>)>,
    states: Vec<(usize, Py<PyDict>)>,
    logs: Vec<(usize, Py<PyList>)>,
    reporters: Vec<(usize, Py<PyAny>, Py<HandlerTable>)>,
}

impl Roots {
    /// What is held, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for (_, entries) in &self.starts {
            visit.call(entries)?;
        }
        for (_, entries) in &self.states {
            visit.call(entries)?;
        }
        for (_, log) in &self.logs {
            visit.call(log)?;
        }
        for (_, instance, table) in &self.reporters {
            visit.call(instance)?;
            visit.call(table)?;
        }
        Ok(())
    }

    /// What built-in handlers of that kind without settings start from.
    pub fn start(&mut self, kind: &'static str, entries: Py<PyDict>) {
        self.starts.push((kind, entries));
    }

    /// What one of that kind without settings starts from.
    #[must_use]
    pub fn start_of<'py>(&self, py: Python<'py>, kind: &str) -> Bound<'py, PyDict> {
        let start = self.starts.iter().find(|(name, _)| *name == kind);
        start.map_or_else(|| PyDict::new(py), |(_, entries)| entries.bind(py).clone())
    }

    /// A handler was installed.
    pub fn installed(&mut self, py: Python<'_>, index: usize, installed: &Installed) {
        if installed.table.get().report.is_some() {
            self.reporters.push((index, installed.instance.clone_ref(py), installed.table.clone_ref(py)));
        }
    }

    /// A `state` was installed.
    pub fn state(&mut self, index: usize, entries: Py<PyDict>) {
        self.states.push((index, entries));
    }

    /// A `writer` was installed.
    pub fn writer(&mut self, index: usize, log: Py<PyList>) {
        self.logs.push((index, log));
    }

    /// The values of the outermost `state`.
    #[must_use]
    pub fn raw_store<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        let outermost = self.states.iter().min_by_key(|(index, _)| *index);
        let copy = outermost.and_then(|(_, entries)| entries.bind(py).copy().ok());
        copy.unwrap_or_else(|| PyDict::new(py))
    }

    /// The entries of the outermost `writer`.
    #[must_use]
    pub fn log<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        let outermost = self.logs.iter().min_by_key(|(index, _)| *index);
        outermost.map_or_else(|| PyList::empty(py), |(_, log)| log.bind(py).clone())
    }

    /// What the handlers report, outermost first, and what failed: user code, run when everything else is over.
    #[must_use]
    pub fn reports(&self, py: Python<'_>) -> (Vec<Py<PyAny>>, Vec<PyErr>) {
        let mut reporters: Vec<_> = self.reporters.iter().collect();
        reporters.sort_by_key(|(index, ..)| *index);
        let (mut reports, mut failed) = (Vec::new(), Vec::new());
        for (_, instance, table) in reporters {
            let Some(report) = &table.get().report else { continue };
            if report.is_generator {
                failed
                    .push(PyTypeError::new_err("report() returns a value: the run is over, nothing performs any more"));
                continue;
            }
            match report.function.bind(py).call1((instance,)) {
                Ok(value) if value.is_none() => {}
                Ok(value) => reports.push(value.unbind()),
                Err(error) => failed.push(error),
            }
        }
        (reports, failed)
    }
}
