//! The objects of Python's that a run needs, in one table.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyType};

use super::found::Found;

/// The objects that a run needs again and again.
#[derive(Debug)]
pub struct Names {
    /// `segue._errors.Discontinued`
    pub discontinued: Py<PyAny>,
    /// `types.CoroutineType`
    pub coroutine: Py<PyType>,
    /// `types.GeneratorType`
    pub generator: Py<PyType>,
    /// `segue._errors.Cancelled`
    pub cancelled: Py<PyType>,
    /// `segue._errors.LimitExceeded`
    pub limit_exceeded: Py<PyType>,
    /// The code of the iterators of effects and programs, which stand under a `yield from`.
    pub iterators: Vec<Py<PyAny>>,
    /// `segue._result`
    pub result: Py<PyModule>,
}

static NAMES: Found<Names> = Found::not_yet();

/// The table.
///
/// # Errors
/// When the package is broken.
#[inline]
pub fn names(py: Python<'_>) -> PyResult<&Names> {
    NAMES.get(py, look_up)
}

fn look_up(py: Python<'_>) -> PyResult<Names> {
    let errors = py.import("segue._errors")?;
    let types = py.import("types")?;
    Ok(Names {
        discontinued: errors.getattr("Discontinued")?.unbind(),
        coroutine: types.getattr("CoroutineType")?.cast_into::<PyType>()?.unbind(),
        generator: types.getattr("GeneratorType")?.cast_into::<PyType>()?.unbind(),
        cancelled: errors.getattr("Cancelled")?.cast_into::<PyType>()?.unbind(),
        limit_exceeded: errors.getattr("LimitExceeded")?.cast_into::<PyType>()?.unbind(),
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

/// The code of the library's own programs.
///
/// # Errors
/// When the package is broken.
pub fn library_code(py: Python<'_>) -> PyResult<&Vec<Py<PyAny>>> {
    static CODE: Found<Vec<Py<PyAny>>> = Found::not_yet();
    CODE.get(py, |py| {
        let mut code: Vec<Py<PyAny>> = py.import("segue._structure")?.getattr("LIBRARY_CODE")?.extract()?;
        code.extend(py.import("segue._awaiting")?.getattr("LIBRARY_CODE")?.extract::<Vec<Py<PyAny>>>()?);
        Ok(code)
    })
}

/// Takes what each run needs while there are modules and memory: the first one may be that of a finaliser, when the interpreter
/// ends.
///
/// # Errors
/// When the package is broken.
#[pyfunction]
pub fn take_names(py: Python<'_>) -> PyResult<()> {
    names(py)?;
    library_code(py)?;
    Ok(())
}

/// A class of `segue._errors`, for the error path.
///
/// # Errors
/// When there is none of that name.
pub fn error_class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("segue._errors")?.getattr(name)
}
