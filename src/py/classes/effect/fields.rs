//! How the fields of an effect are read: as `__slots__` are, by a descriptor that the interpreter sees through.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::Mutex;

use pyo3::exceptions::{PyAttributeError, PyIndexError, PyTypeError};
use pyo3::ffi::{self, PyMemberDef};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyModule, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::super::text::type_name;
use super::{EffectBase, fields_of, slots};
use crate::core::mailbox::locked;
use crate::py::found::Found;

/// What the interpreter reads one of the first fields by. It wants them to live for ever, so each is made once, for all classes
/// with a field of that name at that place.
static MEMBERS: Mutex<BTreeMap<(CString, usize), Member>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy)]
struct Member(*mut PyMemberDef);

// SAFETY: it lives for ever, and nobody writes to it.
#[expect(unsafe_code, reason = "a pointer to what lives for ever")]
unsafe impl Send for Member {}

/// The descriptor of a field: what a class of effects gets under the name of its field at `index`.
///
/// The first fields that have no default are members, as those of `__slots__` are: bytecode that has met the class
/// reads them without a call.
///
/// # Errors
/// The class is none of effects, or the name is none.
#[pyfunction]
#[pyo3(signature = (cls, name, index, /, *default))]
fn effect_field(
    cls: &Bound<'_, PyType>,
    name: &str,
    index: usize,
    default: &Bound<'_, PyTuple>,
) -> PyResult<Py<PyAny>> {
    let py = cls.py();
    if !cls.is_subclass_of::<EffectBase>()? {
        return Err(PyTypeError::new_err("a field is one of a class of effects"));
    }
    if index >= slots::PLACES || !default.is_empty() {
        let default = default.iter().next().map(Bound::unbind);
        return Ok(Py::new(py, EffectField { index, default })?.into_any());
    }
    member(cls, CString::new(name)?, index)
}

/// A member of the class: each of its instances has a place for it, see [`slots::PLACES`].
#[expect(unsafe_code, reason = "the interpreter's own descriptor")]
fn member(cls: &Bound<'_, PyType>, name: CString, index: usize) -> PyResult<Py<PyAny>> {
    let made = |(name, _): &(CString, usize)| {
        Member(Box::leak(Box::new(PyMemberDef {
            name: name.clone().into_raw(),
            type_code: ffi::Py_T_OBJECT_EX,
            offset: slots::offset(index).cast_signed(),
            flags: ffi::Py_READONLY,
            doc: std::ptr::null(),
        })))
    };
    let known = *locked(&MEMBERS).entry((name, index)).or_insert_with_key(made);
    // SAFETY: the class lives, and the definition for ever; it gives a new reference, or an error is set.
    unsafe {
        let descriptor = ffi::PyDescr_NewMember(cls.as_type_ptr(), known.0);
        Ok(Bound::from_owned_ptr_or_err(cls.py(), descriptor)?.unbind())
    }
}

/// Reads a field of an effect that has a default, or stands far behind. On the class it gives the default of the field, or
/// itself when there is none.
#[pyclass(frozen, weakref, module = "segue._vm")]
#[derive(Debug)]
struct EffectField {
    index: usize,
    default: Option<Py<PyAny>>,
}

#[pymethods]
impl EffectField {
    /// Where the value stands in the tuple of fields.
    #[getter]
    fn index(&self) -> usize {
        self.index
    }

    fn __get__(
        slf: &Bound<'_, Self>,
        instance: Option<&Bound<'_, PyAny>>,
        _owner: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let field = slf.get();
        let Some(instance) = instance else {
            let on_class = field.default.as_ref().map(|default| default.clone_ref(py));
            return Ok(on_class.unwrap_or_else(|| slf.clone().into_any().unbind()));
        };
        let fields =
            fields_of(instance).ok_or_else(|| PyTypeError::new_err(format!("{} is no effect", type_name(instance))))?;
        let value = fields.get(field.index).ok_or_else(|| PyIndexError::new_err("the effect has no such field"))?;
        Ok(value.clone().unbind())
    }

    /// Fields are frozen; and what says so is asked before the dictionary of an instance that has one.
    #[expect(clippy::unused_self, reason = "the signature is pyo3's")]
    fn __set__(&self, effect: &Bound<'_, PyAny>, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(read_only(effect))
    }

    #[expect(clippy::unused_self, reason = "the signature is pyo3's")]
    fn __delete__(&self, effect: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(read_only(effect))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.default)
    }
}

fn read_only(effect: &Bound<'_, PyAny>) -> PyErr {
    PyAttributeError::new_err(format!("the fields of a {} are frozen; make a new one instead", type_name(effect)))
}

/// What pyo3 put there.
static GENERAL_GET: Found<Option<ffi::descrgetfunc>> = Found::not_yet();

/// Gives the class its slot.
#[expect(unsafe_code, reason = "only the class itself has a place for it")]
fn prepare(py: Python<'_>) {
    let class = py.get_type::<EffectField>().as_type_ptr();
    // SAFETY: the class is this module's, it has no instances yet, and the function has the signature of the field.
    unsafe {
        GENERAL_GET.settle(py, (*class).tp_descr_get);
        (*class).tp_descr_get = Some(read);
    }
}

/// Reads a field of an effect of a plain class, or what the general slot reads.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn read(
    field: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this in an attached thread, with one of these descriptors; both objects live
    // meanwhile. What is plain is an effect.
    unsafe {
        let py = Python::assume_attached();
        if let Some(effect) = Bound::from_borrowed_ptr_or_opt(py, instance)
            && slots::is_plain(&effect)
        {
            let index = Bound::from_borrowed_ptr(py, field).cast_into_unchecked::<EffectField>().get().index;
            if let Some(value) = slots::slice(&effect).get(index) {
                return value.clone().into_ptr();
            }
        }
        match GENERAL_GET.known(py) {
            Some(Some(general)) => general(field, instance, owner),
            _ => ffi::Py_NewRef(field),
        }
    }
}

/// Adds what is in this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EffectField>()?;
    prepare(module.py());
    module.add_function(wrap_pyfunction!(effect_field, module)?)
}
