//! Functions for calls whose arguments stand in an array: the interpreter prefers them to the general ones, which take a
//! tuple and a dictionary.
//!
//! What such a function is not sure about goes to the general one, with its checks and its errors.

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyFunction, PyTuple, PyType};

/// What a class or another object is called with, as the interpreter gives it.
pub struct Given {
    callee: *mut PyObject,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
}

#[expect(unsafe_code, reason = "the protocol of `tp_vectorcall` is one of pointers")]
impl Given {
    /// The parameters of such a function.
    ///
    /// # Safety
    /// They follow the protocol: `flagged` says how many arguments stand there, after them come those that `names` names,
    /// and all of it lives as long as the call, in an attached thread.
    #[inline]
    pub unsafe fn new(
        callee: *mut PyObject,
        arguments: *const *mut PyObject,
        flagged: usize,
        names: *mut PyObject,
    ) -> Self {
        // SAFETY: it takes a number apart.
        let count = unsafe { ffi::PyVectorcall_NARGS(flagged) }.cast_unsigned();
        Self { callee, arguments, count, names }
    }

    /// How many arguments there are, when none is a keyword.
    #[inline]
    pub const fn only_by_position(&self) -> Option<usize> {
        if self.names.is_null() { Some(self.count) } else { None }
    }

    /// How many arguments there are by position.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The names of those that have one.
    pub fn named<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyTuple>> {
        // SAFETY: it is a tuple or null.
        unsafe { Some(Bound::from_borrowed_ptr_or_opt(py, self.names)?.cast_into_unchecked()) }
    }

    /// The argument at that place. Those by name stand behind the others.
    ///
    /// # Safety
    /// There are more arguments than that.
    #[inline]
    pub unsafe fn argument<'py>(&self, py: Python<'py>, place: usize) -> Bound<'py, PyAny> {
        // SAFETY: whoever made this vouches for the array, and the caller for the place.
        unsafe { Bound::from_borrowed_ptr(py, *self.arguments.add(place)) }
    }

    /// All of them, those that have a name behind the others.
    #[inline]
    pub fn all<'a, 'py>(&'a self, py: Python<'py>) -> &'a [Bound<'py, PyAny>] {
        let all = self.count + self.named(py).map_or(0, |names| names.len());
        if all == 0 {
            // There may be no array at all.
            return &[];
        }
        // SAFETY: whoever made this vouches for the array; a bound reference is a pointer.
        unsafe { std::slice::from_raw_parts(self.arguments.cast(), all) }
    }

    /// The general way to call.
    ///
    /// # Errors
    /// What it raises.
    #[cold]
    pub fn call(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let given = tuple_of(py, &self.all(py)[..self.count])?;
        let keywords = new_dictionary(py)?;
        for (name, value) in self.named(py).iter().flatten().zip(&self.all(py)[self.count..]) {
            keywords.set_item(name, value)?;
        }
        // SAFETY: who has such a function has `tp_call`, which takes a tuple and a dictionary and gives a new reference;
        // `PyObject_Call` would come back to the function that asks.
        unsafe {
            let call = (*ffi::Py_TYPE(self.callee)).tp_call.expect("it can be called");
            Bound::from_owned_ptr_or_err(py, call(self.callee, given.as_ptr(), keywords.as_ptr())).map(Bound::unbind)
        }
    }
}

/// Calls a function with so many arguments by position. Those that `names` names stand behind them.
///
/// # Errors
/// What it raises.
///
/// # Safety
/// The arguments stand there, `names` is a tuple or null, and all of it lives as long as the call.
#[inline]
#[expect(unsafe_code, reason = "pyo3 calls with a tuple")]
pub unsafe fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    arguments: *const *mut PyObject,
    count: usize,
    names: *mut PyObject,
) -> PyResult<Bound<'py, PyAny>> {
    let callee = function.as_ptr();
    // SAFETY: the caller's word; a call gives a new reference, or an error is set.
    unsafe {
        let own = if function.is_exact_instance_of::<PyFunction>() {
            (*callee.cast::<ffi::PyFunctionObject>()).vectorcall
        } else {
            None
        };
        let given = match own {
            // What a function in C may get wrong, one of Python's own does not: nobody looks whether it gave a value or an
            // error, and not both.
            Some(call) => call(callee, arguments, count, names),
            None => ffi::PyObject_Vectorcall(callee, arguments, count, names),
        };
        Bound::from_owned_ptr_or_err(function.py(), given)
    }
}

/// The same with arguments by position only.
///
/// # Errors
/// What it raises.
#[inline]
#[expect(unsafe_code, reason = "references in a row are pointers in a row")]
pub fn call_by_position<'py, const N: usize>(
    function: &Bound<'py, PyAny>,
    arguments: [&Py<PyAny>; N],
) -> PyResult<Bound<'py, PyAny>> {
    let row = arguments.map(Py::as_ptr);
    // SAFETY: the row is there, and what stands in it is borrowed.
    unsafe { call_with(function, row.as_ptr(), N, std::ptr::null_mut()) }
}

/// What the interpreter is given.
#[inline]
pub fn answered(py: Python<'_>, made: PyResult<Py<PyAny>>) -> *mut PyObject {
    made.map_or_else(
        |error| {
            error.restore(py);
            std::ptr::null_mut()
        },
        Py::into_ptr,
    )
}

/// A new tuple of these.
///
/// # Errors
/// When memory is exhausted.
#[inline]
#[expect(unsafe_code, reason = "what makes tuples in pyo3 panics without memory")]
pub fn tuple_of<'py>(py: Python<'py>, items: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyTuple>> {
    // SAFETY: the tuple is new and has so many places, which own what is put there.
    unsafe {
        let tuple = Bound::from_owned_ptr_or_err(py, ffi::PyTuple_New(items.len().cast_signed()))?;
        for (place, item) in items.iter().enumerate() {
            ffi::PyTuple_SET_ITEM(tuple.as_ptr(), place.cast_signed(), item.clone().into_ptr());
        }
        Ok(tuple.cast_into_unchecked())
    }
}

/// A new dictionary, with nothing in it.
///
/// # Errors
/// When memory is exhausted.
#[expect(unsafe_code, reason = "what makes dictionaries in pyo3 panics without memory")]
pub fn new_dictionary(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    // SAFETY: it gives a new dictionary, or an error is set.
    unsafe { Ok(Bound::from_owned_ptr_or_err(py, ffi::PyDict_New())?.cast_into_unchecked()) }
}

/// Nobody changes the class any more. The interpreter then calls its function for calls by position without a detour.
///
/// # Safety
/// No other thread uses the class.
#[expect(unsafe_code, reason = "only the class itself says so")]
pub unsafe fn make_immutable(class: &Bound<'_, PyType>) {
    // SAFETY: the class lives.
    unsafe { set_flags(class.as_type_ptr(), ffi::Py_TPFLAGS_IMMUTABLETYPE) };
}

/// Sets flags of a class.
///
/// # Safety
/// The class lives, no other thread uses it, and it is what the flags say.
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub unsafe fn set_flags(class: *mut ffi::PyTypeObject, flags: std::ffi::c_ulong) {
    // SAFETY: the caller's class lives.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        {
            (*class).tp_flags |= flags;
        }
        #[cfg(Py_GIL_DISABLED)]
        (*class).tp_flags.fetch_or(flags, std::sync::atomic::Ordering::Relaxed);
        ffi::PyType_Modified(class);
    }
}
