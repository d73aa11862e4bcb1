//! Calls by position of the nodes that clauses make at each effect: without a tuple, and without the general constructor.
//!
//! A class may have a function for calls whose arguments stand in an array (`tp_vectorcall`); the interpreter prefers it.
//! What it is not sure about goes to the constructor that the class has anyway, with its checks and its errors.

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyDict, PyTuple};

use super::super::continuation::is_k;
use super::{Delegate, Node, Pass, Resume, build, resume};

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
        static ONLY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        Some(only(py, &ONLY, Self {}))
    }
}

impl ByPosition<0> for Pass {
    fn of(py: Python<'_>, []: [Bound<'_, PyAny>; 0]) -> Option<PyResult<Py<PyAny>>> {
        static ONLY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        Some(only(py, &ONLY, Self {}))
    }
}

/// A node without parts is made once.
fn only(py: Python<'_>, place: &PyOnceLock<Py<PyAny>>, node: impl Node) -> PyResult<Py<PyAny>> {
    place.get_or_try_init(py, || build(py, node)).map(|only| only.clone_ref(py))
}

#[expect(unsafe_code, reason = "only the class's own layout has a place for it")]
fn set<T: ByPosition<COUNT>, const COUNT: usize>(py: Python<'_>) {
    // SAFETY: the class is this module's, nobody has called it yet, and the function has the signature of the field.
    unsafe { (*py.get_type::<T>().as_type_ptr()).tp_vectorcall = Some(by_position::<T, COUNT>) };
}

#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn by_position<T: ByPosition<COUNT>, const COUNT: usize>(
    class: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    Python::attach(|py| {
        // SAFETY: the protocol of `tp_vectorcall`: so many arguments stand there, then those that `names` names.
        let made = unsafe {
            let count = ffi::PyVectorcall_NARGS(flagged).cast_unsigned();
            let argument = |index| Bound::from_borrowed_ptr(py, *arguments.add(index));
            let quick = if names.is_null() && count == COUNT { T::of(py, std::array::from_fn(argument)) } else { None };
            quick.unwrap_or_else(|| {
                let names = Bound::from_borrowed_ptr_or_opt(py, names);
                construct(&Bound::from_borrowed_ptr(py, class), count, names.as_ref(), &argument)
            })
        };
        made.map_or_else(
            |error| {
                error.restore(py);
                std::ptr::null_mut()
            },
            Py::into_ptr,
        )
    })
}

/// What calling the class does where there is no such function.
#[cold]
#[expect(unsafe_code, reason = "`PyObject_Call` would come back here")]
fn construct<'py>(
    class: &Bound<'py, PyAny>,
    count: usize,
    names: Option<&Bound<'py, PyAny>>,
    argument: &dyn Fn(usize) -> Bound<'py, PyAny>,
) -> PyResult<Py<PyAny>> {
    let py = class.py();
    let given = PyTuple::new(py, (0..count).map(argument).collect::<Vec<_>>())?;
    let keywords = PyDict::new(py);
    if let Some(names) = names {
        for (index, name) in names.cast::<PyTuple>()?.iter().enumerate() {
            keywords.set_item(name, argument(count + index))?;
        }
    }
    // SAFETY: every class of classes has `tp_call`, which takes a tuple and a dictionary and gives a new reference.
    unsafe {
        let call = (*class.get_type_ptr()).tp_call.expect("a class can be called");
        Bound::from_owned_ptr_or_err(py, call(class.as_ptr(), given.as_ptr(), keywords.as_ptr())).map(Bound::unbind)
    }
}
