//! The names that are taken from Python, one table.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyModule, PyType};

/// The objects that a run needs again and again.
#[derive(Debug)]
pub struct Names {
    /// `segue._errors.Discontinued`
    pub discontinued: Py<PyAny>,
    /// `types.CoroutineType`
    pub coroutine: Py<PyType>,
    /// `types.GeneratorType`
    pub generator: Py<PyType>,
    /// `segue._errors.LimitExceeded`
    pub limit_exceeded: Py<PyType>,
    /// `copy.copy`
    pub copy: Py<PyAny>,
    /// The code of the iterators of effects and programs, which stand under a `yield from`.
    pub iterators: Vec<Py<PyAny>>,
    /// `segue._result`
    pub result: Py<PyModule>,
}

static NAMES: PyOnceLock<Names> = PyOnceLock::new();

/// The table.
///
/// # Errors
/// When the package is broken.
pub fn names(py: Python<'_>) -> PyResult<&Names> {
    if let Some(known) = NAMES.get(py) {
        return Ok(known);
    }
    // Looking them up runs Python, which may come back here: nobody waits, the first table counts.
    let table = look_up(py)?;
    Ok(NAMES.get_or_init(py, || table))
}

fn look_up(py: Python<'_>) -> PyResult<Names> {
    let errors = py.import("segue._errors")?;
    let types = py.import("types")?;
    Ok(Names {
        discontinued: errors.getattr("Discontinued")?.unbind(),
        coroutine: types.getattr("CoroutineType")?.cast_into::<PyType>()?.unbind(),
        generator: types.getattr("GeneratorType")?.cast_into::<PyType>()?.unbind(),
        limit_exceeded: errors.getattr("LimitExceeded")?.cast_into::<PyType>()?.unbind(),
        copy: py.import("copy")?.getattr("copy")?.unbind(),
        iterators: iterators(py)?,
        result: py.import("segue._result")?.unbind(),
    })
}

fn iterators(py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
    let vm = py.import("segue._vm")?;
    let effect = py.import("segue._effect")?.getattr("Effect")?;
    [effect, vm.getattr("DoExpr")?]
        .into_iter()
        .map(|class| Ok(class.getattr("__iter__")?.getattr("__code__")?.unbind()))
        .collect()
}

/// A class of `segue._errors`, for the error path.
///
/// # Errors
/// When there is none of that name.
pub fn error_class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("segue._errors")?.getattr(name)
}
