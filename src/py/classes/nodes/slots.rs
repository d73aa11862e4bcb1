//! The slots of the nodes that are made at each call and each effect: to make one, and to let one go.
//!
//! What pyo3 puts there serves any class. These nodes have no subclasses and no finalisers.

use std::mem::offset_of;

use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;

use super::super::spare::Spare;
use super::{DoExpr, Node, NodeKind};

/// A node class whose instances come and go all the time.
pub trait Fleeting: Node {
    /// Which node it is.
    const KIND: NodeKind;

    /// The memory of those that were let go.
    fn spare() -> &'static Spare;

    /// Lets go of what a node holds.
    fn let_go(self, py: Python<'_>);
}

/// A node as it stands in memory. [`prepare`] compares it with what the class says.
#[repr(C)]
struct Layout<T> {
    object: PyObject,
    base: DoExpr,
    weak_references: *mut PyObject,
    node: T,
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
        assert_eq!((*class).tp_basicsize.cast_unsigned(), size_of::<Layout<T>>(), "a node is its base and itself");
        assert_eq!(
            (*class).tp_weaklistoffset.cast_unsigned(),
            offset_of!(Layout<T>, weak_references),
            "a node's layout"
        );
        (*class).tp_dealloc = Some(let_go::<T>);
    }
}

/// A new Python object for a node, in memory of one that was let go where there is some.
///
/// # Errors
/// When memory is exhausted.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare` found")]
pub(super) fn make<T: Fleeting>(py: Python<'_>, node: T) -> PyResult<Py<PyAny>> {
    let class = T::type_object_raw(py);
    // SAFETY: the class has that layout; the memory is nobody else's, and written before anybody sees it.
    unsafe {
        let made = T::spare().take(py, class).unwrap_or_else(|| ffi::PyObject_GC_New(class));
        if made.is_null() {
            return Err(PyErr::fetch(py));
        }
        let layout = made.cast::<Layout<T>>();
        (&raw mut (*layout).base).write(DoExpr { kind: T::KIND });
        (&raw mut (*layout).weak_references).write(std::ptr::null_mut());
        (&raw mut (*layout).node).write(node);
        ffi::PyObject_GC_Track(made.cast());
        Ok(Bound::from_owned_ptr(py, made).unbind())
    }
}

/// The last reference to a node is gone.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn let_go<T: Fleeting>(object: *mut PyObject) {
    // SAFETY: the interpreter calls this in an attached thread, with an object of the class. Nobody else has it, so that
    // the node may be moved out; its memory and its reference to the class go last.
    unsafe {
        let py = Python::assume_attached();
        let layout = object.cast::<Layout<T>>();
        T::spare().let_go(py, object, (*layout).weak_references, || (&raw const (*layout).node).read().let_go(py));
    }
}
