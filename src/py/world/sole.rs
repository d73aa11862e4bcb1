//! Who else holds an object.

use pyo3::prelude::*;
use pyo3::types::PyAny;

/// Whether there are just so many references to the object, and no weak ones.
#[inline]
pub fn is_held_by(owners: isize, object: &Bound<'_, PyAny>) -> bool {
    count(object) == owners && !has_weak_references(object)
}

/// How many references there are.
#[inline]
#[expect(unsafe_code, reason = "the safe way is deprecated")]
fn count(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: the object lives as long as the reference to it.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) }
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

/// Whether the object outlives the reference that is given up: to give it up runs nothing then. Without a GIL others may
/// give up theirs meanwhile.
#[inline]
pub fn is_shared(py: Python<'_>, object: &Py<PyAny>) -> bool {
    cfg!(not(Py_GIL_DISABLED)) && count(object.bind(py)) > 1
}
