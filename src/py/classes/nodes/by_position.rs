//! Calls by position of the nodes that clauses make at each effect: without a tuple, and without the general constructor.

use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::super::continuation::is_k;
use super::super::vectorcall::{Given, answered, make_immutable};
use super::{Delegate, Node, Pass, Resume, build, resume};
use crate::py::found::Found;

/// Gives the classes their functions.
pub(super) fn prepare(py: Python<'_>) {
    set::<Resume, 2>(py);
    set::<Delegate, 0>(py);
    set::<Pass, 0>(py);
}

/// A node class that can be called with so many arguments by position.
trait ByPosition<const COUNT: usize>: Node {
    /// The node, or nothing if the constructor is to say what is wrong.
    fn of(py: Python<'_>, given: [Bound<'_, PyAny>; COUNT]) -> Option<PyResult<Py<PyAny>>>;
}

impl ByPosition<2> for Resume {
    fn of(py: Python<'_>, [k, value]: [Bound<'_, PyAny>; 2]) -> Option<PyResult<Py<PyAny>>> {
        is_k(&k).then(|| resume(py, k.unbind(), value.unbind()))
    }
}

impl ByPosition<0> for Delegate {
    fn of(py: Python<'_>, []: [Bound<'_, PyAny>; 0]) -> Option<PyResult<Py<PyAny>>> {
        static ONLY: Found = Found::not_yet();
        Some(only(py, &ONLY, Self {}))
    }
}

impl ByPosition<0> for Pass {
    fn of(py: Python<'_>, []: [Bound<'_, PyAny>; 0]) -> Option<PyResult<Py<PyAny>>> {
        static ONLY: Found = Found::not_yet();
        Some(only(py, &ONLY, Self {}))
    }
}

/// A node without parts is made once.
fn only(py: Python<'_>, place: &Found, node: impl Node) -> PyResult<Py<PyAny>> {
    place.get(py, |py| build(py, node)).map(|only| only.clone_ref(py))
}

#[expect(unsafe_code, reason = "only the class's own layout has a place for it")]
fn set<T: ByPosition<COUNT>, const COUNT: usize>(py: Python<'_>) {
    // SAFETY: the class is this module's, nobody has called it yet, and the function has the signature of the field.
    unsafe {
        let class = py.get_type::<T>();
        (*class.as_type_ptr()).tp_vectorcall = Some(by_position::<T, COUNT>);
        make_immutable(&class);
    }
}

#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn by_position<T: ByPosition<COUNT>, const COUNT: usize>(
    class: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, and keeps to the protocol.
    unsafe {
        let py = Python::assume_attached();
        let given = Given::new(class, arguments, flagged, names);
        let quick = match given.only_by_position() {
            Some(count) if count == COUNT => T::of(py, std::array::from_fn(|place| given.argument(py, place))),
            _ => None,
        };
        answered(py, quick.unwrap_or_else(|| given.call(py)))
    }
}
