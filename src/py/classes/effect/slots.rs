//! The slots of effect classes that are used at each effect: to make one, to let one go, and to read a field of it.
//!
//! What a class statement and pyo3 put there serves any class. An effect is one tuple and a place for weak references, so
//! that its class gets slots for just that. Whatever is not plain goes to the slots of before: an `__init__` or a `__new__`
//! of the class's own, a `__del__`, instances that have more in them, wrong arguments.

use std::mem::offset_of;
use std::ptr::fn_addr_eq;

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use super::super::link::Link;
use super::super::spare::Spare;
use super::super::vectorcall::{Given, answered, tuple_of};
use super::{EffectBase, EffectField, field_names};

/// An effect as it stands in memory. [`prepare`] compares it with what the class says.
#[repr(C)]
struct Layout {
    object: PyObject,
    contents: Contents,
}

#[repr(C)]
struct Contents {
    effect: EffectBase,
    weak_references: *mut PyObject,
}

static SPARE: Spare = Spare::new();

/// The slots that effect classes have without this.
struct General {
    new: Option<ffi::newfunc>,
    init: Option<ffi::initproc>,
    call: Option<ffi::ternaryfunc>,
    dealloc: ffi::destructor,
    base_dealloc: ffi::destructor,
}

static GENERAL: PyOnceLock<General> = PyOnceLock::new();

/// Gives a new class of effects, with so many fields, its slots, if it is plain.
#[pyfunction]
#[pyo3(name = "prepare_effect", signature = (cls, fields, /))]
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub(super) fn prepare(cls: &Bound<'_, PyType>, fields: usize) {
    let py = cls.py();
    let base = py.get_type::<EffectBase>();
    let (of, base_of) = (cls.as_type_ptr(), base.as_type_ptr());
    // SAFETY: both classes live, their metaclass too; nobody has called the new one yet, and the functions have the
    // signatures of their fields.
    unsafe {
        let (Some(dealloc), Some(base_dealloc)) = ((*of).tp_dealloc, (*base_of).tp_dealloc) else { return };
        let general = GENERAL.get_or_init(py, || General {
            new: (*base_of).tp_new,
            init: (*base_of).tp_init,
            call: ffi::PyType_Type.tp_call,
            dealloc,
            base_dealloc,
        });
        if !has_layout(of) || !general.makes_only(of) {
            return;
        }
        (*of).tp_vectorcall = match fields {
            0 => Some(by_position::<0>),
            1 => Some(by_position::<1>),
            2 => Some(by_position::<2>),
            3 => Some(by_position::<3>),
            4 => Some(by_position::<4>),
            5 => Some(by_position::<5>),
            6 => Some(by_position::<6>),
            7 => Some(by_position::<7>),
            8 => Some(by_position::<8>),
            _ => None,
        };
        // Later versions let a metaclass that is written in Python inherit it.
        #[cfg(not(Py_3_12))]
        {
            (*ffi::Py_TYPE(of.cast())).tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
        }
        if (*of).tp_finalize.is_none() && fn_addr_eq(dealloc, general.dealloc) {
            (*of).tp_dealloc = Some(let_go);
        }
    }
}

/// Whether the value is an effect of a plain class. Those of others are effects too.
#[inline]
pub fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    is_let_go(value.get_type_ptr())
}

/// Whether what the class makes is let go by what [`prepare`] gave it.
#[inline]
#[expect(unsafe_code, reason = "only the class itself says so")]
fn is_let_go(class: *mut PyTypeObject) -> bool {
    // SAFETY: it is the class of an object that lives.
    unsafe { (*class).tp_dealloc }.is_some_and(|own| fn_addr_eq(own, let_go as ffi::destructor))
}

/// Whether instances of the class are laid out so, with nothing more.
#[expect(unsafe_code, reason = "only the class itself says so")]
unsafe fn has_layout(class: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's class lives.
    unsafe {
        (*class).tp_basicsize.cast_unsigned() == size_of::<Layout>()
            && (*class).tp_weaklistoffset.cast_unsigned() == offset_of!(Layout, contents.weak_references)
            && (*class).tp_dictoffset == 0
    }
}

impl General {
    /// Whether calling the class makes an effect of what it is called with, and does nothing else.
    #[inline]
    #[expect(unsafe_code, reason = "only the class itself says so")]
    unsafe fn makes_only(&self, class: *mut PyTypeObject) -> bool {
        // SAFETY: the caller's class lives, its metaclass too.
        let (new, init, call) = unsafe { ((*class).tp_new, (*class).tp_init, (*ffi::Py_TYPE(class.cast())).tp_call) };
        let (Some(new), Some(init), Some(call)) = (new, init, call) else { return false };
        self.new.is_some_and(|it| fn_addr_eq(it, new))
            && self.init.is_some_and(|it| fn_addr_eq(it, init))
            && self.call.is_some_and(|it| fn_addr_eq(it, call))
    }
}

/// Calls a class of effects that have so many fields.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn by_position<const FIELDS: usize>(
    class: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, and keeps to the protocol; the class lives meanwhile.
    unsafe {
        let py = Python::assume_attached();
        let given = Given::new(class, arguments, flagged, names);
        if GENERAL.get(py).is_some_and(|general| general.makes_only(class.cast())) {
            if given.only_by_position() == Some(FIELDS) {
                return make(class.cast(), tuple_of(FIELDS, |place| *arguments.add(place)));
            }
            let bound = Bound::from_borrowed_ptr(py, class).cast_into_unchecked();
            if let Ok(defaults) = defaults(&bound) {
                let required = FIELDS.saturating_sub(defaults.len());
                match given.only_by_position() {
                    Some(count) if (required..FIELDS).contains(&count) => {
                        let default = |place: usize| ffi::PyTuple_GET_ITEM(defaults.as_ptr(), place.cast_signed());
                        let field = |place| {
                            if place < count { *arguments.add(place) } else { default(place - required) }
                        };
                        return make(class.cast(), tuple_of(FIELDS, field));
                    }
                    Some(_) => {}
                    None => {
                        if let Ok(Some(fields)) = bind::<FIELDS>(&bound, &given, &defaults) {
                            return make(class.cast(), tuple_of(FIELDS, |place| fields[place].as_ptr()));
                        }
                    }
                }
            }
        }
        answered(py, given.call(py))
    }
}

/// The defaults of the last fields.
fn defaults<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyTuple>> {
    Ok(class.getattr(intern!(class.py(), "__segue_rest__"))?.cast_into()?)
}

/// The values of the fields from arguments, keywords and defaults. Nothing where that is an error, which the general way tells.
fn bind<'py, const FIELDS: usize>(
    class: &Bound<'py, PyType>,
    given: &Given,
    defaults: &Bound<'py, PyTuple>,
) -> PyResult<Option<[Bound<'py, PyAny>; FIELDS]>> {
    let py = class.py();
    let mut fields: [Option<Bound<'py, PyAny>>; FIELDS] = std::array::from_fn(|_| None);
    let count = given.count();
    if count > FIELDS {
        return Ok(None);
    }
    for (place, field) in fields.iter_mut().enumerate().take(count) {
        *field = Some(given.argument(py, place));
    }
    if let Some(named) = given.named(py) {
        let names = field_names(class)?;
        for (keyword, name) in named.iter().enumerate() {
            // Both are names of the language, of which each is one object.
            let place = names.iter_borrowed().position(|known| known.is(&name));
            let Some(field @ None) = place.and_then(|place| fields.get_mut(place)) else { return Ok(None) };
            *field = Some(given.argument(py, count + keyword));
        }
    }
    let required = FIELDS.saturating_sub(defaults.len());
    for (place, field) in fields.iter_mut().enumerate() {
        if field.is_none() {
            let Some(default) = place.checked_sub(required) else { return Ok(None) };
            *field = Some(defaults.get_item(default)?);
        }
    }
    Ok(Some(fields.map(|field| field.expect("each has a value"))))
}

/// A new effect of a plain class, around a tuple that is taken. Null passes.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare` found")]
unsafe fn make(class: *mut PyTypeObject, fields: *mut PyObject) -> *mut PyObject {
    // SAFETY: the class has that layout; the tuple is the caller's, and moves into the effect.
    unsafe {
        let py = Python::assume_attached();
        let Some(fields) = Bound::from_owned_ptr_or_opt(py, fields) else { return std::ptr::null_mut() };
        let effect = EffectBase { fields: Link::from(fields.cast_into_unchecked::<PyTuple>()) };
        let kept = SPARE.take(py, class);
        let made = kept.unwrap_or_else(|| ffi::PyType_GenericAlloc(class, 0));
        if made.is_null() {
            effect.fields.let_go(py);
            return made;
        }
        let contents = &raw mut (*made.cast::<Layout>()).contents;
        contents.write(Contents { effect, weak_references: std::ptr::null_mut() });
        if kept.is_some() {
            ffi::PyObject_GC_Track(made.cast());
        }
        made
    }
}

/// The last reference to an effect of a plain class is gone.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn let_go(object: *mut PyObject) {
    // SAFETY: the interpreter calls this in an attached thread, with an object of a class that `prepare` saw or of a
    // subclass. Nobody else has it, so that what it holds may be moved out; its memory and its reference to the class go last.
    unsafe {
        let py = Python::assume_attached();
        let class = ffi::Py_TYPE(object);
        let Some(general) = GENERAL.get(py) else { return };
        if !is_let_go(class) {
            // A subclass with more in it did its part.
            return (general.base_dealloc)(object);
        }
        if (*class).tp_finalize.is_some() {
            // The class got a `__del__` meanwhile.
            (*class).tp_dealloc = Some(general.dealloc);
            return (general.dealloc)(object);
        }
        let contents = &raw const (*object.cast::<Layout>()).contents;
        SPARE.let_go(py, object, (*contents).weak_references, || {
            let EffectBase { fields } = (&raw const (*contents).effect).read();
            fields.let_go(py);
        });
    }
}

/// Gives the descriptor of fields its slot.
#[expect(unsafe_code, reason = "only the class itself has a place for it")]
pub(super) fn prepare_field(py: Python<'_>) {
    let class = py.get_type::<EffectField>().as_type_ptr();
    // SAFETY: the class is this module's, it has no instances yet, and the function has the signature of the field.
    unsafe {
        let _ = GENERAL_GET.set(py, (*class).tp_descr_get);
        (*class).tp_descr_get = Some(read);
    }
}

/// What pyo3 put there.
static GENERAL_GET: PyOnceLock<Option<ffi::descrgetfunc>> = PyOnceLock::new();

/// Reads a field of an effect of a plain class, or what the general slot reads.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn read(field: *mut PyObject, instance: *mut PyObject, owner: *mut PyObject) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, with one of these descriptors; both objects live
    // meanwhile. Who is let go by `let_go` has the layout.
    unsafe {
        let py = Python::assume_attached();
        if !instance.is_null() && is_plain(&Bound::from_borrowed_ptr(py, instance)) {
            let index = Bound::from_borrowed_ptr(py, field).cast_into_unchecked::<EffectField>().get().index;
            let fields = (*instance.cast::<Layout>()).contents.effect.fields.bind(py);
            if index < fields.len() {
                return ffi::Py_NewRef(ffi::PyTuple_GET_ITEM(fields.as_ptr(), index.cast_signed()));
            }
        }
        match GENERAL_GET.get(py) {
            Some(Some(general)) => general(field, instance, owner),
            _ => ffi::Py_NewRef(field),
        }
    }
}
