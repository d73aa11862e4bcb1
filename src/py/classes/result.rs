//! What a run came to.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyString, PyTraceback, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::outcome;
use super::text::safe_repr;

/// The result of a run, with what its handlers left behind, after an error too. Frozen. Law: semantics 5.
///
/// Attributes:
///     result: `Ok(value)` or `Err(error)`.
///     value: The program's value; to read it raises the program's own exception when there is none.
///     error: The program's exception; to read it raises `ValueError` when there is none.
///     `raw_store`: The final values of the outermost `state` that was given to `run`.
///     log: The entries of the outermost `writer` that was given to `run`.
///     reports: What the handlers' `report()` gave, outermost first.
///     unobserved: Errors that nothing in the program could see, each with where it comes from.
///     trace: One entry on entering a step and one on leaving it, with `trace=True`.
///     usage: What was used, under the names of `Limits`.
///
/// Example:
///
/// ```python
/// >>> from segue import Put, Tell, do, run, state, writer
/// >>> @do
/// ... def program():
/// ...     yield Put("n", 2)
/// ...     yield Tell("hi")
/// ...     return "done"
/// >>> result = run(program(), handlers=[state, writer])
/// >>> result.value, result.raw_store, result.log
/// ('done', {'n': 2}, ('hi',))
///
/// ```
#[pyclass(frozen, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct RunResult {
    /// `Ok(value)` or `Err(error)`.
    #[pyo3(get)]
    pub result: Py<PyAny>,
    /// The traceback of the error, as the program left it.
    pub traceback: Option<Py<PyTraceback>>,
    /// The final values of the outermost `state` that was given to `run`.
    #[pyo3(get)]
    pub raw_store: Py<PyDict>,
    /// The entries of the outermost `writer` that was given to `run`.
    #[pyo3(get)]
    pub log: Py<PyTuple>,
    /// What the handlers' `report()` gave, outermost first.
    #[pyo3(get)]
    pub reports: Py<PyTuple>,
    /// Errors that nobody waited for.
    #[pyo3(get)]
    pub unobserved: Py<PyTuple>,
    /// One entry a step, with `trace=True`.
    #[pyo3(get)]
    pub trace: Py<PyTuple>,
    /// What was used.
    #[pyo3(get)]
    pub usage: Py<PyAny>,
}

#[pymethods]
impl RunResult {
    /// The program's value. Raises the program's own exception when there is none.
    #[getter]
    fn value(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.outcome(py) {
            Ok(value) => Ok(value),
            Err(error) => {
                let error = PyErr::from_value(error.into_bound(py));
                // Each raise would add the frames that it passes: the program's own traceback is the one that counts. Set
                // without the class's say: whatever its attributes do, it is this exception that is raised.
                error.set_traceback(py, self.traceback.as_ref().map(|traceback| traceback.bind(py).clone()));
                Err(error)
            }
        }
    }

    /// The program's exception; a `ValueError` when it has none.
    #[getter]
    fn error(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.outcome(py) {
            Ok(value) => {
                let shown = safe_repr(value.bind(py));
                Err(PyValueError::new_err(format!("the run has no error: it came to {shown}")))
            }
            Err(error) => Ok(error),
        }
    }

    /// Whether the program came to a value.
    fn is_ok(&self, py: Python<'_>) -> bool {
        self.outcome(py).is_ok()
    }

    /// Whether the program failed.
    fn is_err(&self, py: Python<'_>) -> bool {
        self.outcome(py).is_err()
    }

    /// All of it as text, for people.
    fn display(&self, py: Python<'_>) -> String {
        let mut lines = vec![format!("result: {}", safe_repr(self.result.bind(py)))];
        if let Err(error) = self.outcome(py)
            && let Ok(text) = traceback_text(py, &error, self.traceback.as_ref())
        {
            lines.extend(text.lines().map(|line| format!("  {line}")));
        }
        if !self.raw_store.bind(py).is_empty() {
            lines.push("store:".to_owned());
            // The user's `__repr__` may change the store meanwhile.
            let store = self.raw_store.bind(py);
            for (key, value) in store.keys().iter().zip(store.values()) {
                lines.push(format!("  {}: {}", safe_repr(&key), safe_repr(&value)));
            }
        }
        for (name, items) in [("log", &self.log), ("reports", &self.reports), ("unobserved", &self.unobserved)] {
            if !items.bind(py).is_empty() {
                lines.push(format!("{name}:"));
                lines.extend(items.bind(py).iter().map(|item| format!("  {}", safe_repr(&item))));
            }
        }
        lines.push(format!("usage: {}", safe_repr(self.usage.bind(py))));
        lines.join("\n")
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("RunResult({})", safe_repr(self.result.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.result)?;
        visit.call(&self.traceback)?;
        visit.call(&self.raw_store)?;
        visit.call(&self.log)?;
        visit.call(&self.reports)?;
        visit.call(&self.unobserved)?;
        visit.call(&self.trace)?;
        visit.call(&self.usage)
    }
}

fn traceback_text(py: Python<'_>, error: &Py<PyAny>, traceback: Option<&Py<PyTraceback>>) -> PyResult<String> {
    let kind = error.bind(py).get_type();
    let lines = py.import("traceback")?.call_method1("format_exception", (kind, error, traceback))?;
    // What cannot be encoded, a lone surrogate, is shown by a mark.
    Ok(lines
        .try_iter()?
        .filter_map(|line| Some(line.ok()?.cast::<PyString>().ok()?.to_string_lossy().into_owned()))
        .collect())
}

impl RunResult {
    fn outcome(&self, py: Python<'_>) -> Result<Py<PyAny>, Py<PyAny>> {
        let result = self.result.bind(py);
        match (result.cast::<outcome::Ok>(), result.cast::<outcome::Err>()) {
            (Ok(ok), _) => Ok(ok.get().value.clone_ref(py)),
            (_, Ok(err)) => Err(err.get().error.clone_ref(py)),
            _ => Ok(self.result.clone_ref(py)),
        }
    }
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RunResult>()
}
