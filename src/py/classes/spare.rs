//! The memory of objects that were let go, for the next ones: most effects live until their answer, most nodes until they
//! are evaluated.

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;

/// How many are kept.
#[cfg(not(Py_GIL_DISABLED))]
const KEPT: usize = 16;

/// Memory of a few objects of one layout. The interpreter's lock guards them; where there is none, nothing is kept.
pub struct Spare {
    #[cfg(not(Py_GIL_DISABLED))]
    pieces: std::cell::UnsafeCell<([*mut PyObject; KEPT], usize)>,
}

// SAFETY: whoever gets at the pieces shows that it is attached to the interpreter, which one thread is at a time, and gives
// nothing up meanwhile.
#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "the interpreter's lock is a lock")]
unsafe impl Sync for Spare {}

#[cfg_attr(Py_GIL_DISABLED, expect(clippy::unused_self, reason = "nothing is kept there"))]
#[expect(unsafe_code, reason = "memory of objects, by hand")]
impl Spare {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            pieces: std::cell::UnsafeCell::new(([std::ptr::null_mut(); KEPT], 0)),
        }
    }

    /// A new object of the class in memory that was kept. Its contents are still to be written, and the collector does
    /// not know it.
    #[inline]
    pub fn take(&self, _py: Python<'_>, class: *mut PyTypeObject) -> Option<*mut PyObject> {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: as said above. The memory is of an object whose place for the collector is in front of it.
        unsafe {
            let (pieces, count) = &mut *self.pieces.get();
            *count = count.checked_sub(1)?;
            Some(ffi::PyObject_Init(pieces[*count], class))
        }
        #[cfg(Py_GIL_DISABLED)]
        {
            let _ = class;
            None
        }
    }

    /// The last reference to an object is gone: what holds others is emptied, its memory kept or freed.
    ///
    /// # Safety
    /// As for [`end`].
    #[inline]
    pub unsafe fn let_go(
        &self,
        py: Python<'_>,
        object: *mut PyObject,
        weak_references: *mut PyObject,
        empty: impl FnOnce(),
    ) {
        // SAFETY: the memory is nobody's any more.
        unsafe { end(object, weak_references, empty, |dead| self.put(py, dead)) };
    }

    #[inline]
    unsafe fn put(&self, _py: Python<'_>, dead: *mut PyObject) {
        // SAFETY: as said above.
        unsafe {
            #[cfg(not(Py_GIL_DISABLED))]
            {
                let (pieces, count) = &mut *self.pieces.get();
                if let Some(place) = pieces.get_mut(*count) {
                    *place = dead;
                    *count += 1;
                    return;
                }
            }
            ffi::PyObject_GC_Del(dead.cast());
        }
    }
}

/// The last reference to an object is gone: what holds others is emptied, its memory freed.
///
/// # Safety
/// Nobody has the object any more. `empty` moves out what it holds, and `weak_references` is what its place for them says.
#[inline]
#[expect(unsafe_code, reason = "memory of objects, by hand")]
pub unsafe fn end(
    object: *mut PyObject,
    weak_references: *mut PyObject,
    empty: impl FnOnce(),
    free: impl FnOnce(*mut PyObject),
) {
    // SAFETY: the object is the caller's; its memory and its reference to the class go last.
    unsafe {
        let class = ffi::Py_TYPE(object);
        ffi::PyObject_GC_UnTrack(object.cast());
        if !weak_references.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        empty();
        free(object);
        ffi::Py_DECREF(class.cast());
    }
}
