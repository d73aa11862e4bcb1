//! The slots of what is made at each call and each effect, nodes and continuations: to make one, and to let one go.
//!
//! What pyo3 puts there serves any class. These classes have no subclasses and no finalisers.

use std::mem::offset_of;

use pyo3::PyTypeInfo;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::spare::Spare;

/// A class whose instances come and go all the time.
pub trait Fleeting: PyTypeInfo {
    /// What stands in front of the place for weak references.
    type Front;
    /// What stands behind it.
    type Back;

    /// The memory of those that were let go.
    fn spare() -> &'static Spare;

    /// Lets go of what an instance holds.
    fn let_go(py: Python<'_>, front: Self::Front, back: Self::Back);
}

/// An instance as it stands in memory. [`prepare`] compares it with what the class says.
#[repr(C)]
struct Layout<T: Fleeting> {
    object: PyObject,
    front: T::Front,
    weak_references: *mut PyObject,
    back: T::Back,
}

/// Gives the class its slots.
///
/// # Panics
/// When its instances are laid out in another way.
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub(super) fn prepare<T: Fleeting>(py: Python<'_>) {
    let class = py.get_type::<T>().as_type_ptr();
    // SAFETY: the class is this module's, it has no instances yet, and the function has the signature of the field.
    unsafe {
        assert_eq!((*class).tp_basicsize.cast_unsigned(), size_of::<Layout<T>>(), "an instance has nothing more");
        assert_eq!(
            (*class).tp_weaklistoffset.cast_unsigned(),
            offset_of!(Layout<T>, weak_references),
            "an instance's layout"
        );
        (*class).tp_dealloc = Some(let_go::<T>);
    }
}

/// A new object of the class, in memory of one that was let go where there is some.
///
/// # Errors
/// When memory is exhausted.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare` found")]
pub(super) fn make<T: Fleeting>(py: Python<'_>, front: T::Front, back: T::Back) -> PyResult<Py<PyAny>> {
    let class = T::type_object_raw(py);
    // SAFETY: the class has that layout; the memory is nobody else's, and written before anybody sees it.
    unsafe {
        let made = T::spare().take(py, class).unwrap_or_else(|| ffi::PyObject_GC_New(class));
        if made.is_null() {
            return Err(PyErr::fetch(py));
        }
        let layout = made.cast::<Layout<T>>();
        (&raw mut (*layout).front).write(front);
        (&raw mut (*layout).weak_references).write(std::ptr::null_mut());
        (&raw mut (*layout).back).write(back);
        ffi::PyObject_GC_Track(made.cast());
        Ok(Bound::from_owned_ptr(py, made).unbind())
    }
}

/// The last reference to an object is gone.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn let_go<T: Fleeting>(object: *mut PyObject) {
    // SAFETY: the interpreter calls this in an attached thread, with an object of the class. Nobody else has it, so that
    // what it holds may be moved out; its memory and its reference to the class go last.
    unsafe {
        let py = Python::assume_attached();
        let layout = object.cast::<Layout<T>>();
        T::spare().let_go(py, object, (*layout).weak_references, || {
            T::let_go(py, (&raw const (*layout).front).read(), (&raw const (*layout).back).read());
        });
    }
}
