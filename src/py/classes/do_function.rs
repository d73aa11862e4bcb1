//! What `@do` makes: a function whose calls are programs (semantics 1).

use std::mem::offset_of;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::link::{Held, Link};
use super::nodes::{Arguments, Call};
use super::text::{named, safe_repr};
use super::vectorcall::{Given, answered, set_flags};
use crate::py::found::{Found, name};

/// A `@do` function: calling it runs nothing and gives a program.
///
/// It binds like a function when it stands in a class, and carries the name and the documentation of the function that
/// it was made from (`__wrapped__`).
#[pyclass(frozen, dict, weakref, module = "segue._vm")]
#[derive(Debug)]
pub struct DoFunction {
    /// What evaluating a call calls.
    pub function: Link,
    /// It makes a generator, which is the program's body.
    pub is_generator: bool,
    /// What the interpreter calls, see [`prepare`].
    called: ffi::vectorcallfunc,
}

#[pymethods]
impl DoFunction {
    #[new]
    #[pyo3(signature = (function, is_generator, /))]
    fn new(function: &Bound<'_, PyAny>, is_generator: bool) -> PyResult<Self> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!("do needs a function, got {}", safe_repr(function))));
        }
        Ok(Self { function: function.into(), is_generator, called: make_call })
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__(&self, args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        Call::of_do(self.function.bind(args.py()), Arguments::gathered(args, kwargs)?, self.is_generator)
    }

    fn __get__(
        slf: &Bound<'_, Self>,
        instance: Option<&Bound<'_, PyAny>>,
        _owner: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        static METHOD: Found = Found::not_yet();
        match instance {
            None => Ok(slf.clone().into_any().unbind()),
            Some(instance) => Ok(METHOD.import(slf.py(), "types", "MethodType")?.call1((slf, instance))?.unbind()),
        }
    }

    /// The function that it was made from.
    #[getter]
    fn function(&self, py: Python<'_>) -> Py<PyAny> {
        self.function.clone_ref(py)
    }

    /// Whether the function makes a generator.
    #[getter]
    fn is_generator(&self) -> bool {
        self.is_generator
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<@do function {}>", named(slf.get().function.bind(slf.py())))
    }

    /// By name, as functions are pickled and copied.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.as_any().getattr(name!(c"__qualname__"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.function.visit(visit)
    }
}

/// Calls a `@do` function whose arguments stand in an array.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn make_call(
    callee: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, with one of these functions, and keeps to the protocol.
    unsafe {
        let py = Python::assume_attached();
        let given = Given::new(callee, arguments, flagged, names);
        let function = Bound::from_borrowed_ptr(py, callee).cast_into_unchecked::<DoFunction>();
        let DoFunction { function, is_generator, .. } = function.get();
        let arguments = Arguments::new(py, given.all(py), given.named(py));
        answered(py, arguments.and_then(|arguments| Call::of_do(function.bind(py), arguments, *is_generator)))
    }
}

/// Tells the interpreter where the function for such calls stands in each object, and that calls of methods need no bound
/// method. It stays with the general way where objects are laid out in another way.
#[expect(unsafe_code, reason = "only the class itself has a place for it")]
fn prepare(py: Python<'_>) {
    let class = py.get_type::<DoFunction>().as_type_ptr();
    // SAFETY: the class is this module's, and has no instances yet.
    unsafe {
        let contents = size_of::<PyObject>();
        if (*class).tp_dictoffset.cast_unsigned() != contents + size_of::<DoFunction>() {
            return;
        }
        (*class).tp_vectorcall_offset = (contents + offset_of!(DoFunction, called)).cast_signed();
        let flags = ffi::Py_TPFLAGS_HAVE_VECTORCALL | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR;
        set_flags(class, flags);
    }
}

/// Adds the class of this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<DoFunction>()?;
    prepare(module.py());
    Ok(())
}
