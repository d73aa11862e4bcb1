//! The slots of the scheduler's objects, which come and go with each task: to make one, and to let one go.
//!
//! What pyo3 puts there serves any class. These have no subclasses, no finalisers and nothing beside their base; one that
//! holds more than a value goes to the slot of before.

use std::mem::{needs_drop, offset_of};
use std::sync::Mutex;

use pyo3::PyTypeInfo;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::{Handle, Inner};
use crate::py::classes::link::Link;
use crate::py::classes::spare::Spare;
use crate::py::found::Found;
use crate::py::world::PyWorld;

/// A handle as it stands in memory. [`prepare`] compares it with what the class says.
#[repr(C)]
struct Layout {
    object: PyObject,
    handle: Handle,
    weak_references: *mut PyObject,
}

static SPARE: Spare = Spare::new();

/// What pyo3 put there: the same for all of them.
static GENERAL: Found<ffi::destructor> = Found::not_yet();

/// Gives a class its slots.
///
/// # Panics
/// When its instances are laid out in another way.
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub(super) fn prepare(class: &Bound<'_, PyType>) {
    let of = class.as_type_ptr();
    // SAFETY: the class is this module's, it has no instances yet, and the function has the signature of the field.
    unsafe {
        assert_eq!((*of).tp_basicsize.cast_unsigned(), size_of::<Layout>(), "a handle has nothing beside its base");
        assert_eq!((*of).tp_weaklistoffset.cast_unsigned(), offset_of!(Layout, weak_references), "a handle's layout");
        let general = (*of).tp_dealloc.expect("a class has a deallocator");
        let known = GENERAL.settle(class.py(), general);
        if std::ptr::fn_addr_eq(*known, general) {
            (*of).tp_dealloc = Some(let_go);
        }
    }
}

/// A new object of the class, around what the scheduler made.
///
/// # Errors
/// When memory is exhausted.
#[expect(unsafe_code, reason = "the layout is what `prepare` found")]
pub(super) fn make<T: PyTypeInfo>(py: Python<'_>, object: Inner<PyWorld>) -> PyResult<Py<PyAny>> {
    let class = T::type_object_raw(py);
    // SAFETY: the class has that layout; the memory is nobody else's, and written before anybody sees it.
    unsafe {
        let made = SPARE.take(py, class).unwrap_or_else(|| ffi::PyObject_GC_New(class));
        if made.is_null() {
            return Err(PyErr::fetch(py));
        }
        let layout = made.cast::<Layout>();
        (&raw mut (*layout).handle).write(Handle { object: Some(object) });
        (&raw mut (*layout).weak_references).write(std::ptr::null_mut());
        ffi::PyObject_GC_Track(made.cast());
        Ok(Bound::from_owned_ptr(py, made).unbind())
    }
}

/// The last reference to a handle is gone.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn let_go(object: *mut PyObject) {
    // SAFETY: the interpreter calls this in an attached thread, with an object of a class that `prepare` saw. Nobody else
    // has it; when its value was moved out nothing is left whose drop would need to know that the thread is attached.
    unsafe {
        let py = Python::assume_attached();
        let layout = object.cast::<Layout>();
        let only = (*layout).handle.object.as_mut().and_then(Inner::take_only_value);
        match (only, GENERAL.known(py)) {
            (Some(value), _) => SPARE.let_go(py, object, (*layout).weak_references, || {
                // On some systems a lock has memory of its own.
                if const { needs_drop::<Mutex<()>>() } {
                    (&raw mut (*layout).handle).drop_in_place();
                }
                if let Some(value) = value {
                    Link::from(value).let_go(py);
                }
            }),
            (None, Some(general)) => general(object),
            (None, None) => {}
        }
    }
}
