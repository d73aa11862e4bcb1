//! `K`: the user's hold on a continuation (semantics 3). It holds no Python object but the name of a clause, so it needs
//! no traversal; dropping a kept one hands the chain to its run.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyString};

use super::fleeting::{self, Fleeting};
use super::nodes;
use super::spare::Spare;
use crate::core::continuation::ContinuationCell;
use crate::py::error;
use crate::py::world::PyWorld;

/// A captured continuation: what stands between a perform and its handler. Clauses get one; nobody else makes one.
///
/// Using it takes it: a second use is a `ContinuationError`. A clause that ends without having used its `k` ends the
/// body, unless it said `k.keep()`. It can be neither copied nor pickled. Law: semantics 3.
///
/// Attributes:
///     used: Whether it was resumed, transferred to, discontinued or passed on.
///     kept: Whether `keep()` was called.
///
/// Raises:
///     `TypeError`: It is called, copied or pickled.
///
/// Example:
///
/// ```python
/// >>> from segue import Effect, do, handles, run
/// >>> class Ping(Effect[int]): ...
/// >>> kept = []
/// >>> @handles(Ping)
/// ... def later(effect, k):
/// ...     kept.append(k.keep())
/// ...     return "later"
/// >>> @do
/// ... def twice():
/// ...     first = yield later(Ping())
/// ...     second = yield kept[0].resume(9)
/// ...     return first, second
/// >>> run(twice()).value
/// ('later', 9)
///
/// ```
#[pyclass(frozen, weakref, module = "segue._vm")]
pub struct K {
    /// The continuation, until it is used.
    pub cell: ContinuationCell<PyWorld>,
}

impl Fleeting for K {
    type Front = Self;
    type Back = ();

    fn spare() -> &'static Spare {
        static SPARE: Spare = Spare::new();
        &SPARE
    }

    fn let_go(_: Python<'_>, k: Self, (): ()) {
        drop(k);
    }
}

#[pymethods]
impl K {
    /// Says that somebody will resume or discontinue it later: the clause may end without ending the body.
    ///
    /// Returns:
    ///     The continuation itself.
    ///
    /// Raises:
    ///     `ContinuationError`: It was used already.
    fn keep(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let py = slf.py();
        match slf.get().cell.keep(|label: &Py<PyString>| label.clone_ref(py)) {
            Ok(()) => Ok(slf),
            Err(refusal) => Err(error::refused(py, &refusal)),
        }
    }

    /// The node `Resume(self, value)`.
    ///
    /// Args:
    ///     value: What the perform evaluates to.
    ///
    /// Returns:
    ///     The program that continues it.
    #[pyo3(signature = (value = None, /))]
    fn resume(slf: &Bound<'_, Self>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let value = value.map_or_else(|| py.None(), |value| value.clone().unbind());
        nodes::resume(py, slf.clone().into_any().unbind(), value)
    }

    /// The node `ResumeThrow(self, exc)`.
    ///
    /// Args:
    ///     exc: An exception, or an exception class, which is instantiated at once.
    ///
    /// Returns:
    ///     The program that continues it by raising at the perform.
    ///
    /// Raises:
    ///     `TypeError`: `exc` is no exception.
    #[pyo3(signature = (exc, /))]
    fn throw(slf: &Bound<'_, Self>, exc: Py<PyAny>) -> PyResult<Py<PyAny>> {
        nodes::resume_throw(slf.py(), slf.clone().into_any().unbind(), exc)
    }

    /// The node `Discontinue(self)`.
    ///
    /// Returns:
    ///     The program that unwinds it and evaluates to `None`.
    fn discontinue(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        nodes::discontinue(slf.py(), slf.clone().into_any().unbind())
    }

    /// Whether it was used.
    #[getter]
    fn used(&self) -> bool {
        self.cell.is_used()
    }

    /// Whether `keep()` was called.
    #[getter]
    fn kept(&self) -> bool {
        self.cell.is_kept()
    }

    fn __repr__(&self) -> &'static str {
        match (self.cell.is_used(), self.cell.is_kept()) {
            (true, _) => "<K used>",
            (false, true) => "<K kept>",
            (false, false) => "<K>",
        }
    }

    #[expect(clippy::unused_self, reason = "Python's signature")]
    fn __copy__(&self) -> PyResult<Py<PyAny>> {
        Err(no_copy())
    }

    #[expect(clippy::unused_self, reason = "Python's signature")]
    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(no_copy())
    }

    #[expect(clippy::unused_self, reason = "Python's signature")]
    fn __reduce_ex__(&self, _protocol: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(no_copy())
    }
}

fn no_copy() -> PyErr {
    PyTypeError::new_err("a K cannot be copied or pickled: it is the one owner of a suspended program in this process")
}

/// Whether the object is a continuation.
#[must_use]
#[inline]
pub fn is_k(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<K>()
}

/// The object for a continuation.
///
/// # Errors
/// When memory is exhausted.
pub fn make(py: Python<'_>, cell: ContinuationCell<PyWorld>) -> PyResult<Py<PyAny>> {
    fleeting::make::<K>(py, K { cell }, ())
}

/// Adds the class to the module.
///
/// # Errors
/// When the module refuses it.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<K>()?;
    fleeting::prepare::<K>(module.py());
    Ok(())
}
