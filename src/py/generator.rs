//! The steps of a generator. What it raises is taken from the interpreter as the exception that it is: a `PyErr` around it
//! would be made and taken apart for each program that an error leaves.

use std::ptr;

use pyo3::exceptions::{PyBaseException, PyMemoryError, PyStopIteration};
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyIterator};

use super::found::name;
use super::slot::{OneArgument, Slot};

/// The frame of a generator, nothing when it is over.
pub static FRAME: Slot = Slot::new(c"gi_frame");

/// The code of a generator, nothing for what is none. To ask for the attribute would tell the hooks of an audit, which are user
/// code.
#[expect(unsafe_code, reason = "there is no safe way to it")]
pub fn code_of<'py>(generator: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    if !ptr::eq(generator.get_type_ptr(), &raw const ffi::PyGen_Type) {
        return None;
    }
    #[cfg(Py_3_12)]
    unsafe extern "C" {
        /// Gives a new reference.
        fn PyGen_GetCode(generator: *mut ffi::PyObject) -> *mut ffi::PyObject;
    }
    // SAFETY: it is a generator, which has a code as long as it lives.
    unsafe {
        #[cfg(Py_3_12)]
        let code = PyGen_GetCode(generator.as_ptr());
        #[cfg(not(Py_3_12))]
        let code = ffi::Py_NewRef((*generator.as_ptr().cast::<ffi::PyGenObject>()).gi_code);
        Some(Bound::from_owned_ptr(generator.py(), code))
    }
}

/// What a step came to, or the exception with its traceback.
type Step<'py> = Result<PySendResult<'py>, Bound<'py, PyBaseException>>;

/// Sends a value: what it yields, or returns.
///
/// # Errors
/// What it raises.
#[inline]
#[expect(unsafe_code, reason = "the safe way gives a `PyErr`")]
pub fn send<'py>(generator: &Bound<'py, PyIterator>, value: &Bound<'py, PyAny>) -> Step<'py> {
    let py = generator.py();
    let mut result = ptr::null_mut();
    // SAFETY: both live; the interpreter gives a new reference with what was yielded or returned.
    unsafe {
        match ffi::PyIter_Send(generator.as_ptr(), value.as_ptr(), &raw mut result) {
            ffi::PySendResult::PYGEN_NEXT => Ok(PySendResult::Next(Bound::from_owned_ptr(py, result))),
            ffi::PySendResult::PYGEN_RETURN => Ok(PySendResult::Return(Bound::from_owned_ptr(py, result))),
            ffi::PySendResult::PYGEN_ERROR => Err(raised(py)),
        }
    }
}

/// Throws an error: what it yields then, or returns.
///
/// # Errors
/// What it raises, most often that error.
#[expect(unsafe_code, reason = "the safe way gives a `PyErr`")]
pub fn throw<'py>(generator: &Bound<'py, PyIterator>, error: &Bound<'py, PyBaseException>) -> Step<'py> {
    static THROW: OneArgument = OneArgument::new(c"throw");
    let py = generator.py();
    // SAFETY: a call gives a new reference, or an error is set.
    let thrown = unsafe { Bound::from_owned_ptr_or_opt(py, THROW.call(generator, error)) };
    match thrown.ok_or_else(|| raised(py)) {
        Ok(value) => Ok(PySendResult::Next(value)),
        Err(stop) if stop.is_instance_of::<PyStopIteration>() => match stop.getattr(name!(c"value")) {
            Ok(value) => Ok(PySendResult::Return(value)),
            Err(error) => Err(error.into_value(py).into_bound(py)),
        },
        Err(error) => Err(error),
    }
}

/// Takes the exception that is set, with its traceback.
///
/// There is none where the interpreter was refused memory while it left the generator's frame: 3.12 and 3.13 lose what
/// was raised (python/cpython#131173).
#[cold]
fn raised(py: Python<'_>) -> Bound<'_, PyBaseException> {
    plainly_raised(py).unwrap_or_else(|| {
        let error = PyErr::take(py).unwrap_or_else(|| PyMemoryError::new_err(()));
        error.into_value(py).into_bound(py)
    })
}

/// The same, when there is one, and no panic comes back by it.
#[expect(unsafe_code, reason = "the safe way makes a `PyErr` of it")]
fn plainly_raised(py: Python<'_>) -> Option<Bound<'_, PyBaseException>> {
    let is_plain = |value: &Bound<'_, PyBaseException>| !value.is_exact_instance_of::<PanicException>();
    // SAFETY: the interpreter gives new references, or nulls; what is put back is given up.
    unsafe {
        #[cfg(Py_3_12)]
        {
            let value = Bound::from_owned_ptr_or_opt(py, ffi::PyErr_GetRaisedException())?.cast_into_unchecked();
            if is_plain(&value) {
                return Some(value);
            }
            ffi::PyErr_SetRaisedException(value.into_ptr());
        }
        #[cfg(not(Py_3_12))]
        {
            let (mut class, mut value, mut trace) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
            ffi::PyErr_Fetch(&raw mut class, &raw mut value, &raw mut trace);
            // Up to 3.11 it may be a class still, whose instance somebody has to make.
            if !value.is_null() && ptr::eq(ffi::Py_TYPE(value).cast(), class) {
                let value = Bound::from_owned_ptr(py, value).cast_into_unchecked();
                if is_plain(&value) {
                    drop(Bound::from_owned_ptr(py, class));
                    if let Some(trace) = Bound::from_owned_ptr_or_opt(py, trace) {
                        ffi::PyException_SetTraceback(value.as_ptr(), trace.as_ptr());
                    }
                    return Some(value);
                }
                value.into_ptr();
            }
            ffi::PyErr_Restore(class, value, trace);
        }
    }
    None
}
