//! Who else holds an object.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool, PyFloat, PyInt};

/// How many references there are. One is the caller's, so that the object lives.
#[inline]
#[expect(unsafe_code, reason = "the safe way is deprecated, and a drop has no token of the interpreter")]
fn count<T>(object: &Py<T>) -> isize {
    // SAFETY: the reference keeps the object alive, and the count is read, not changed.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) }
}

/// Whether somebody else holds the object now. Where others let go meanwhile the answer may be old.
#[inline]
pub fn has_another<T>(object: &Py<T>) -> bool {
    count(object) > 1
}

/// Whether there are more references to the object than so many.
#[inline]
pub fn has_more_than(owners: usize, object: &Bound<'_, PyAny>) -> bool {
    count(object.as_unbound()).cast_unsigned() > owners
}

/// Whether the object outlives the reference that is given up: to give it up runs nothing then. Without a GIL nobody can say.
#[inline]
pub fn is_shared<T>(object: &Py<T>) -> bool {
    cfg!(not(Py_GIL_DISABLED)) && has_another(object)
}

/// Whether the object is a number, a flag or nothing: it holds no others, and its end runs no code.
#[inline]
pub fn is_atom(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyInt>()
        || object.is_none()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBool>()
}

/// Whether there are just so many references to the object, and no weak ones.
#[inline]
pub fn is_held_by(owners: isize, object: &Bound<'_, PyAny>) -> bool {
    count(object.as_unbound()) == owners && !has_weak_references(object)
}

#[inline]
#[expect(unsafe_code, reason = "only the object's own layout tells without a call")]
fn has_weak_references(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the class lives as long as the object, and says where in it the list of weak references begins.
    unsafe {
        let offset = (*object.get_type_ptr()).tp_weaklistoffset;
        offset > 0 && !object.as_ptr().byte_offset(offset).cast::<*const u8>().read().is_null()
    }
}
