//! The base of effects: frozen data (semantics 2).
//!
//! The metaclass of `segue.Effect` gives each class the names of its fields (`__segue_fields__`), the defaults of the last
//! of them (`__segue_rest__`), a binder for keywords and errors, made at first need (`__segue_bind__`), and one descriptor a
//! field, see [`fields`]. What is done at each effect is in [`slots`].

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::nodes::{flat_map, map};
use super::text::{CallText, type_name};
use super::vectorcall::tuple_of;
use crate::py::found::name;
use crate::py::{leaving, stack::inside_value};

mod fields;
mod slots;

/// An effect: what a program asks for. Frozen, compared by class and fields.
///
/// The values of the fields stand behind this, in the order of the class: see [`slots`].
#[pyclass(frozen, subclass, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct EffectBase {
    _length: usize,
}

#[pymethods]
impl EffectBase {
    /// Makes nothing: classes that have fields make effects by `slots`.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Err(PyTypeError::new_err(ABSTRACT))
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let equal = match op {
            CompareOp::Eq | CompareOp::Ne => match other.cast::<Self>() {
                Ok(effect) if slf.get_type().is(effect.get_type()) => {
                    slf.is(effect) || inside_value(py, || tuple(slf)?.eq(tuple(effect)?))?
                }
                _ => return Ok(py.NotImplemented()),
            },
            _ => return Ok(py.NotImplemented()),
        };
        Ok((equal == matches!(op, CompareOp::Eq)).into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<u64> {
        let mut hasher = DefaultHasher::new();
        slf.get_type().hash()?.hash(&mut hasher);
        inside_value(slf.py(), || tuple(slf)?.hash())?.hash(&mut hasher);
        Ok(hasher.finish())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        CallText::of(&type_name(slf.as_any()), |call| {
            let class = slf.get_type();
            let names = field_names(&class).and_then(|names| names.extract::<Vec<String>>()).unwrap_or_default();
            let hidden = class.getattr(name!(c"__segue_hidden__"));
            // What cannot be told is hidden.
            let hidden = hidden.and_then(|hidden| hidden.extract()).unwrap_or_else(|_| names.clone());
            for (name, value) in names.iter().zip(fields_of(slf).unwrap_or_default()) {
                if hidden.contains(name) { call.hidden(name) } else { call.part(Some(name), value) }
            }
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), tuple(slf)?))
    }

    fn __setattr__(slf: &Bound<'_, Self>, name: &str, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(frozen(slf, "set", name))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<()> {
        Err(frozen(slf, "delete", name))
    }

    /// How many bytes it takes, without what it refers to.
    fn __sizeof__(slf: &Bound<'_, Self>) -> usize {
        slots::size(slf)
    }

    /// The program whose result is `f(answer)`.
    fn map(slf: &Bound<'_, Self>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        map(slf.as_any(), f)
    }

    /// The program that goes on as the program or effect that `f(answer)` returns.
    fn flat_map(slf: &Bound<'_, Self>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        flat_map(slf.as_any(), f)
    }

    /// The fields are shown by the slot that takes the place of this.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the signature is pyo3's")]
    fn __traverse__(&self, _visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}

/// Whether the value is an effect, by its real class.
#[must_use]
#[inline]
pub fn is_effect(value: &Bound<'_, PyAny>) -> bool {
    slots::is_plain(value) || value.is_instance_of::<EffectBase>()
}

/// The fields of an effect, if it is one.
#[must_use]
#[inline]
#[expect(unsafe_code, reason = "they stand behind the object")]
pub fn fields_of<'a, 'py>(value: &'a Bound<'py, PyAny>) -> Option<&'a [Bound<'py, PyAny>]> {
    // SAFETY: it is an effect.
    is_effect(value).then(|| unsafe { slots::slice(value) })
}

/// A new tuple of the fields.
fn tuple<'py>(effect: &Bound<'py, EffectBase>) -> PyResult<Bound<'py, PyTuple>> {
    tuple_of(effect.py(), fields_of(effect).unwrap_or_default())
}

/// The values of the fields from what a class was called with: by position, by keyword and from defaults.
fn values<'py>(
    cls: &Bound<'py, PyType>,
    names: &Bound<'py, PyTuple>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyTuple>> {
    if kwargs.is_none() && args.len() == names.len() {
        return Ok(args.clone());
    }
    let _inside = leaving::enter(cls.py());
    Ok(cls.getattr(name!(c"__segue_bind__"))?.call(args, kwargs)?.cast_into()?)
}

const ABSTRACT: &str = "EffectBase is abstract: subclass segue.Effect and annotate the fields";

/// The names of the fields of an effect class.
fn field_names<'py>(cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyTuple>> {
    let names = cls.getattr(name!(c"__segue_fields__")).map_err(|_| PyTypeError::new_err(ABSTRACT))?;
    Ok(names.cast_into::<PyTuple>()?)
}

fn frozen(effect: &Bound<'_, EffectBase>, verb: &str, name: &str) -> PyErr {
    let class = type_name(effect.as_any());
    PyAttributeError::new_err(format!("cannot {verb} {name}: effects are frozen; make a new {class}(...) instead"))
}

/// Adds the classes of this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<EffectBase>()?;
    slots::prepare_base(module.py());
    fields::register(module)?;
    module.add_function(wrap_pyfunction!(slots::prepare, module)?)?;
    module.add_function(wrap_pyfunction!(slots::finish, module)?)
}
