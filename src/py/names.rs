//! The names that are taken from Python: one table for a run's, and a cell for each of the others.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyModule, PyType};

/// What is looked up in Python once.
///
/// Looking up runs Python, which may come back here, let another thread come, or fork: nobody waits for anybody, and the
/// first one counts.
pub struct Found<T = Py<PyAny>>(PyOnceLock<T>);

impl<T> Found<T> {
    /// Not looked up yet.
    #[must_use]
    pub const fn not_yet() -> Self {
        Self(PyOnceLock::new())
    }

    /// What was found.
    ///
    /// # Errors
    /// What the first look-up raises; the next one looks again.
    #[inline]
    pub fn get(&self, py: Python<'_>, look_up: impl FnOnce(Python<'_>) -> PyResult<T>) -> PyResult<&T> {
        if let Some(known) = self.0.get(py) {
            return Ok(known);
        }
        let found = look_up(py)?;
        Ok(self.0.get_or_init(py, || found))
    }
}

impl Found {
    /// A name of a module.
    ///
    /// # Errors
    /// When there is no such module, or none of that name in it.
    #[inline]
    pub fn import<'py>(&self, py: Python<'py>, module: &str, name: &str) -> PyResult<&Bound<'py, PyAny>> {
        Ok(self.get(py, |py| Ok(py.import(module)?.getattr(name)?.unbind()))?.bind(py))
    }
}

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
