//! How effects stand in memory, and the slots of their classes: to make one, and to let one go.
//!
//! The fields stand in the effect itself, as the items of a tuple do, so that it is one object. What a class statement and
//! pyo3 put into a class serves any class; one of effects that is plain gets slots for just what it is. Whatever is not plain
//! goes to the slots of before: an `__init__` or a `__new__` of the class's own, a `__del__`, instances that have more in
//! them, wrong arguments.

use std::ffi::{c_int, c_void};
use std::mem::offset_of;
use std::ptr::fn_addr_eq;

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::super::link::Link;
use super::super::spare::{self, Spare};
use super::super::vectorcall::{Given, answered, make_immutable};
use super::{EffectBase, field_names, values};
use crate::py::found::{Found, name};

/// An effect as it stands in memory, an object of variable size. [`prepare_base`] compares it with what the class says.
#[repr(C)]
struct Layout {
    /// Says how many fields there are.
    object: ffi::PyVarObject,
    weak_references: *mut PyObject,
    fields: [*mut PyObject; 0],
}

/// The most fields that the function for calls by position takes.
const MOST: usize = 8;

/// How many places for fields an effect has at least. Those that are not its fields are empty, or one is its dictionary's:
/// whatever becomes of classes, who reads one of the first places of an effect reads its own memory.
pub(super) const PLACES: usize = 4;

/// The memory of plain effects, by their number of places beyond the first.
static SPARE: [Spare; MOST - PLACES + 1] = [const { Spare::new() }; MOST - PLACES + 1];

/// How many places an effect with so many fields has.
const fn places(fields: usize) -> usize {
    if fields < PLACES { PLACES } else { fields }
}

/// The memory of plain effects with so many fields.
fn spare(fields: usize) -> Option<&'static Spare> {
    SPARE.get(places(fields) - PLACES)
}

/// How far from the head of an effect the field stands.
pub(super) const fn offset(place: usize) -> usize {
    offset_of!(Layout, fields) + place * size_of::<*mut PyObject>()
}

/// The slots that effect classes have without this.
struct General {
    new: Option<ffi::newfunc>,
    init: Option<ffi::initproc>,
    call: Option<ffi::ternaryfunc>,
    /// What pyo3 makes of [`EffectBase::new`].
    abstract_new: Option<ffi::newfunc>,
}

static GENERAL: Found<General> = Found::not_yet();

/// What a class statement puts there to let an object go.
static GENERAL_DEALLOC: Found<ffi::destructor> = Found::not_yet();

/// A class that nobody changes any more, and its defaults.
struct Finished {
    class: Py<PyType>,
    defaults: Py<PyTuple>,
}

/// The first finished class with defaults, by its number of fields: few have any.
static FINISHED: [Found<Finished>; MOST + 1] = [const { Found::not_yet() }; MOST + 1];

/// Gives the base of all effects its slots.
///
/// # Panics
/// When its instances are laid out in another way.
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub(super) fn prepare_base(py: Python<'_>) {
    let class = py.get_type::<EffectBase>().as_type_ptr();
    // SAFETY: the class is this module's, it has no instances and no subclasses yet, and the functions have the signatures
    // of their fields.
    unsafe {
        assert!(has_layout(class), "an effect is its head and its fields");
        let abstract_new = (*class).tp_new.replace(new);
        (*class).tp_itemsize = size_of::<*mut PyObject>().cast_signed();
        (*class).tp_dealloc = Some(let_go);
        (*class).tp_traverse = Some(traverse);
        let call = ffi::PyType_Type.tp_call;
        GENERAL.settle(py, General { new: (*class).tp_new, init: (*class).tp_init, call, abstract_new });
    }
}

/// Gives a new class of effects its slots, if it is plain.
///
/// # Errors
/// It is no class of effects.
#[pyfunction]
#[pyo3(name = "prepare_effect", signature = (cls, /))]
#[expect(unsafe_code, reason = "only the class itself has a place for them")]
pub(super) fn prepare(cls: &Bound<'_, PyType>) -> PyResult<()> {
    let (class, fields) = (cls.as_type_ptr(), field_names(cls)?.len());
    // SAFETY: the class lives, its metaclass too; nobody has called it yet, and the functions have the signatures of their
    // fields.
    unsafe {
        if !has_layout(class) || !makes_only(cls.py(), class) {
            return Ok(());
        }
        (*class).tp_vectorcall = call_of::<false>(fields);
        // Later versions let a metaclass that is written in Python inherit it.
        #[cfg(not(Py_3_12))]
        {
            (*ffi::Py_TYPE(class.cast())).tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
        }
        let Some(dealloc) = (*class).tp_dealloc else { return Ok(()) };
        let general = GENERAL_DEALLOC.settle(cls.py(), dealloc);
        if (*class).tp_finalize.is_none() && fn_addr_eq(dealloc, *general) {
            (*class).tp_dealloc = Some(let_go);
        }
    }
    Ok(())
}

/// The function that calls a class of effects which have so many fields.
fn call_of<const IS_FINISHED: bool>(fields: usize) -> Option<ffi::vectorcallfunc> {
    Some(match fields {
        0 => by_position::<0, IS_FINISHED>,
        1 => by_position::<1, IS_FINISHED>,
        2 => by_position::<2, IS_FINISHED>,
        3 => by_position::<3, IS_FINISHED>,
        4 => by_position::<4, IS_FINISHED>,
        5 => by_position::<5, IS_FINISHED>,
        6 => by_position::<6, IS_FINISHED>,
        7 => by_position::<7, IS_FINISHED>,
        8 => by_position::<8, IS_FINISHED>,
        _ => return None,
    })
}

/// Says that nobody changes the built-in class any more.
///
/// # Errors
/// It is no class of effects.
#[pyfunction]
#[pyo3(name = "finish_effect", signature = (cls, /))]
#[expect(unsafe_code, reason = "only the class itself says so")]
pub(super) fn finish(cls: &Bound<'_, PyType>) -> PyResult<()> {
    let (class, fields) = (cls.as_type_ptr(), field_names(cls)?.len());
    // SAFETY: the package is being imported, and the class lives.
    unsafe {
        if (*class).tp_vectorcall.is_some() && makes_only(cls.py(), class) {
            (*class).tp_vectorcall = call_of::<true>(fields);
            let defaults = defaults(cls, fields)?;
            if let Some(first) = FINISHED.get(fields).filter(|_| !defaults.is_empty()) {
                first.settle(cls.py(), Finished { class: cls.clone().unbind(), defaults: defaults.unbind() });
            }
        }
        make_immutable(cls);
    }
    Ok(())
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
///
/// # Safety
/// The class lives.
#[expect(unsafe_code, reason = "only the class itself says so")]
unsafe fn has_layout(class: *mut PyTypeObject) -> bool {
    // SAFETY: the caller's class lives.
    unsafe {
        (*class).tp_basicsize.cast_unsigned() == size_of::<Layout>()
            && (*class).tp_weaklistoffset.cast_unsigned() == offset_of!(Layout, weak_references)
            && (*class).tp_dictoffset == 0
    }
}

/// Whether calling the class makes an effect of what it is called with, and does nothing else.
///
/// # Safety
/// The class and its metaclass live.
#[inline]
#[expect(unsafe_code, reason = "only the class itself says so")]
unsafe fn makes_only(py: Python<'_>, class: *mut PyTypeObject) -> bool {
    let Some(general) = GENERAL.known(py) else { return false };
    // SAFETY: the caller's class lives, its metaclass too.
    let (new, init, call) = unsafe { ((*class).tp_new, (*class).tp_init, (*ffi::Py_TYPE(class.cast())).tp_call) };
    let (Some(new), Some(init), Some(call)) = (new, init, call) else { return false };
    general.new.is_some_and(|it| fn_addr_eq(it, new))
        && general.init.is_some_and(|it| fn_addr_eq(it, init))
        && general.call.is_some_and(|it| fn_addr_eq(it, call))
}

/// Calls a class of effects that have so many fields. What it does is settled where nobody changes the class any more.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn by_position<const FIELDS: usize, const IS_FINISHED: bool>(
    class: *mut PyObject,
    arguments: *const *mut PyObject,
    flagged: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, and keeps to the protocol; the class lives meanwhile.
    unsafe {
        let py = Python::assume_attached();
        let given = Given::new(class, arguments, flagged, names);
        if given.only_by_position() == Some(FIELDS) && (IS_FINISHED || makes_only(py, class.cast())) {
            return make(py, class.cast(), FIELDS, |place| *arguments.add(place));
        }
        with_defaults(py, class.cast(), FIELDS, &given, IS_FINISHED)
    }
}

/// The same with keywords and defaults. Whatever that does not come to goes the general way.
///
/// # Safety
/// It is a class of effects that lives, whose slots [`prepare`] set for so many fields.
#[inline(never)]
#[expect(unsafe_code, reason = "the class is a pointer")]
unsafe fn with_defaults(
    py: Python<'_>,
    class: *mut PyTypeObject,
    fields: usize,
    given: &Given,
    is_finished: bool,
) -> *mut PyObject {
    // SAFETY: the caller's class lives, and has so many fields; there are as many arguments and defaults as are asked for.
    unsafe {
        if !is_finished && !makes_only(py, class) {
            return answered(py, given.call(py));
        }
        let bound = Bound::from_borrowed_ptr(py, class.cast()).cast_into_unchecked();
        let defaults = match defaults(&bound, fields) {
            Ok(defaults) => defaults,
            Err(error) => return answered(py, Err(error)),
        };
        let required = fields.saturating_sub(defaults.len());
        let default = |place: usize| ffi::PyTuple_GET_ITEM(defaults.as_ptr(), (place - required).cast_signed());
        match given.only_by_position() {
            Some(count) if (required..fields).contains(&count) => {
                let field = |place| if place < count { given.argument(py, place).as_ptr() } else { default(place) };
                make(py, class, fields, field)
            }
            None => match bind(&bound, fields, required, given) {
                Ok(Some(values)) => {
                    let field = |place: usize| values[place].as_ref().map_or_else(|| default(place), Bound::as_ptr);
                    make(py, class, fields, field)
                }
                Ok(None) => answered(py, given.call(py)),
                Err(error) => answered(py, Err(error)),
            },
            Some(_) => answered(py, given.call(py)),
        }
    }
}

/// The defaults of the last of so many fields.
fn defaults<'py>(class: &Bound<'py, PyType>, fields: usize) -> PyResult<Bound<'py, PyTuple>> {
    let py = class.py();
    let finished = FINISHED.get(fields).and_then(|first| first.known(py));
    match finished.filter(|known| known.class.is(class)) {
        Some(known) => Ok(known.defaults.bind(py).clone()),
        None => Ok(class.getattr(name!(c"__segue_rest__"))?.cast_into()?),
    }
}

/// The values of the fields that are given, by position and by keyword. Nothing where that is an error, which the general
/// way tells.
fn bind<'py>(
    class: &Bound<'py, PyType>,
    fields: usize,
    required: usize,
    given: &Given,
) -> PyResult<Option<[Option<Bound<'py, PyAny>>; MOST]>> {
    let py = class.py();
    let count = given.count();
    if count > fields {
        return Ok(None);
    }
    let mut values = [const { None }; MOST];
    let (by_position, by_name) = given.all(py).split_at(count);
    for (value, argument) in values.iter_mut().zip(by_position) {
        *value = Some(argument.clone());
    }
    let names = field_names(class)?;
    for (keyword, argument) in given.named(py).iter().flatten().zip(by_name) {
        // Both are names of the language, of which each is one object.
        let place = names.iter_borrowed().position(|name| name.is(&keyword));
        let place = place.and_then(|place| values[..fields].get_mut(place));
        let Some(value @ None) = place else { return Ok(None) };
        *value = Some(argument.clone());
    }
    Ok(values[..required].iter().all(Option::is_some).then_some(values))
}

/// A new effect of a plain class with so many fields, or null when memory is exhausted.
///
/// # Safety
/// The class lives and has the layout of effects, and `field` gives objects that live for each place.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare` found")]
unsafe fn make(
    py: Python<'_>,
    class: *mut PyTypeObject,
    length: usize,
    field: impl Fn(usize) -> *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the class has that layout; the memory is nobody else's, and written before anybody sees it.
    unsafe {
        // Memory that was kept may say that its object was finalised already.
        let spare = spare(length).filter(|_| (*class).tp_finalize.is_none());
        let kept = spare.and_then(|spare| spare.take(py, class));
        let new = || ffi::PyObject_GC_NewVar(class, places(length).cast_signed());
        let made = kept.unwrap_or_else(new).cast::<Layout>();
        if !made.is_null() {
            (&raw mut (*made).object.ob_size).write(length.cast_signed());
            (&raw mut (*made).weak_references).write(std::ptr::null_mut());
            fill(made, length, field);
            ffi::PyObject_GC_Track(made.cast());
        }
        made.cast()
    }
}

/// Writes the fields of a new effect.
///
/// # Safety
/// It has places for so many, which nobody has written yet, and `field` gives objects that live.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare_base` found")]
unsafe fn fill(made: *mut Layout, length: usize, field: impl Fn(usize) -> *mut PyObject) {
    // SAFETY: the caller's effect has so many places, and the fields live.
    unsafe {
        for place in 0..length {
            fields(made).add(place).write(ffi::Py_NewRef(field(place)));
        }
        for place in length..PLACES {
            fields(made).add(place).write(std::ptr::null_mut());
        }
    }
}

/// Makes an effect of any class.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn new(class: *mut PyTypeObject, args: *mut PyObject, kwargs: *mut PyObject) -> *mut PyObject {
    // SAFETY: the interpreter calls this in an attached thread, with a tuple and a dictionary or null; all of it lives
    // meanwhile. What a class allocates has room for as many as it was asked for, with nulls.
    unsafe {
        let py = Python::assume_attached();
        let cls = Bound::from_borrowed_ptr(py, class.cast()).cast_into_unchecked::<PyType>();
        let Ok(names) = field_names(&cls) else {
            return GENERAL.known(py).and_then(|general| general.abstract_new).expect("pyo3 makes one")(
                class, args, kwargs,
            );
        };
        let args = Bound::from_borrowed_ptr(py, args).cast_into_unchecked();
        let kwargs = Bound::from_borrowed_ptr_or_opt(py, kwargs).map(|kwargs| kwargs.cast_into_unchecked());
        let given = match values(&cls, &names, &args, kwargs.as_ref()) {
            Ok(given) => given,
            Err(error) => return answered(py, Err(error)),
        };
        let alloc = (*class).tp_alloc.expect("each class has one");
        let made = alloc(class, places(given.len()).cast_signed()).cast::<Layout>();
        if !made.is_null() {
            (&raw mut (*made).object.ob_size).write(given.len().cast_signed());
            fill(made, given.len(), |place| ffi::PyTuple_GET_ITEM(given.as_ptr(), place.cast_signed()));
        }
        made.cast()
    }
}

/// The last reference to an effect is gone.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn let_go(object: *mut PyObject) {
    // SAFETY: the interpreter calls this in an attached thread, with an effect. Nobody else has it, so that what it holds
    // may be moved out; its memory and its reference to the class go last.
    unsafe {
        let py = Python::assume_attached();
        let class = ffi::Py_TYPE(object);
        let is_plain = is_let_go(class);
        if is_plain
            && (*class).tp_finalize.is_some()
            && let Some(general) = GENERAL_DEALLOC.known(py)
        {
            // The class got a `__del__` meanwhile.
            (*class).tp_dealloc = Some(*general);
            return general(object);
        }
        let layout = object.cast::<Layout>();
        let length = count(layout);
        let empty = || {
            for place in 0..length {
                let field = *fields(layout).add(place);
                if !field.is_null() {
                    if ffi::Py_REFCNT(field) > 1 {
                        ffi::Py_DECREF(field);
                    } else {
                        Link::from(Bound::from_owned_ptr(py, field)).let_go(py);
                    }
                }
            }
        };
        match spare(length) {
            Some(spare) if is_plain => spare.let_go(py, object, (*layout).weak_references, empty),
            // Too large, or a subclass with more in it, which did its part.
            _ => spare::end(object, (*layout).weak_references, empty, |dead| ffi::PyObject_GC_Del(dead.cast())),
        }
    }
}

/// Shows the garbage collector what an effect holds. Later versions than 3.8 want the class shown too.
#[expect(unsafe_code, reason = "the interpreter calls it")]
unsafe extern "C" fn traverse(object: *mut PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: the interpreter calls this with an effect; one that is being made has nulls.
    unsafe {
        let layout = object.cast::<Layout>();
        for place in 0..count(layout) {
            let field = *fields(layout).add(place);
            if !field.is_null() {
                let stop = visit(field, argument);
                if stop != 0 {
                    return stop;
                }
            }
        }
        visit(ffi::Py_TYPE(object).cast(), argument)
    }
}

/// How many fields the effect has.
///
/// # Safety
/// It is an effect that lives.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare_base` found")]
unsafe fn count(effect: *mut Layout) -> usize {
    // SAFETY: the caller's effect lives.
    unsafe { (*effect).object.ob_size.cast_unsigned() }
}

/// Where its fields begin.
///
/// # Safety
/// As for [`count`].
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare_base` found")]
unsafe fn fields(effect: *mut Layout) -> *mut *mut PyObject {
    // SAFETY: the caller's effect has a place for it.
    unsafe { (&raw mut (*effect).fields).cast() }
}

/// The fields of an effect.
///
/// # Safety
/// The object is an effect.
#[inline]
#[expect(unsafe_code, reason = "the layout is what `prepare_base` found")]
pub(super) unsafe fn slice<'a, 'py>(effect: &'a Bound<'py, PyAny>) -> &'a [Bound<'py, PyAny>] {
    let layout = effect.as_ptr().cast::<Layout>();
    // SAFETY: the caller's object is an effect, which keeps its fields as long as it lives; a bound reference is a pointer.
    unsafe { std::slice::from_raw_parts(fields(layout).cast(), count(layout)) }
}

/// How many bytes an effect takes.
#[expect(unsafe_code, reason = "only the class itself says so")]
pub(super) fn size(effect: &Bound<'_, EffectBase>) -> usize {
    // SAFETY: the effect and its class live.
    let (basic, fields) = unsafe { ((*effect.get_type_ptr()).tp_basicsize, count(effect.as_ptr().cast())) };
    basic.cast_unsigned() + places(fields) * size_of::<*mut PyObject>()
}
