//! Attributes of the interpreter's own objects, read by the function that its class has for them: to look a name up takes
//! longer than what is found there.

use std::ffi::{CStr, c_char};
use std::ptr;

use pyo3::ffi::{self, PyTypeObject};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyType};

use super::found::Found;

/// An attribute of generators, coroutines, tracebacks or code.
pub struct Slot {
    name: &'static CStr,
    found: Found<Option<Place>>,
}

/// Where an attribute stands.
struct Place {
    class: *mut PyTypeObject,
    entry: Entry,
}

/// What the class has in its tables.
#[derive(Clone, Copy)]
enum Entry {
    Getter(ffi::getter),
    Member(*mut ffi::PyMemberDef),
}

// SAFETY: the class is one of the interpreter's, which lives for ever.
#[expect(unsafe_code, reason = "a pointer to what lives for ever")]
unsafe impl Send for Place {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a pointer to what lives for ever")]
unsafe impl Sync for Place {}

impl Slot {
    /// The attribute of that name.
    #[must_use]
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, found: Found::not_yet() }
    }

    /// Reads it of an object. What is none of them is asked as any object is.
    ///
    /// # Errors
    /// What reading it raises.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each await of a coroutine reads one")]
    #[expect(unsafe_code, reason = "calls what the class has in its table")]
    pub fn read<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = object.py();
        let found = match self.found.known(py) {
            Some(found) => found.as_ref(),
            None => self.look_up(py),
        };
        match found {
            // SAFETY: the entry is one of the object's class, and a getter closes over nothing; both give a new reference,
            // or an error is set.
            Some(found) if found.class == object.get_type_ptr() => unsafe {
                let read = match found.entry {
                    Entry::Getter(getter) => getter(object.as_ptr(), ptr::null_mut()),
                    Entry::Member(member) => ffi::PyMember_GetOne(object.as_ptr().cast(), member),
                };
                Bound::from_owned_ptr_or_err(py, read)
            },
            _ => self.by_name(object),
        }
    }

    #[cold]
    fn look_up(&self, py: Python<'_>) -> Option<&Place> {
        self.found.settle(py, find(self.name)).as_ref()
    }

    #[cold]
    fn by_name<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        object.getattr(self.name.to_str().expect("names of attributes are plain"))
    }
}

#[expect(unsafe_code, reason = "only the class itself has it")]
fn find(name: &CStr) -> Option<Place> {
    let classes = [
        &raw mut ffi::PyGen_Type,
        &raw mut ffi::PyCoro_Type,
        &raw mut ffi::PyTraceBack_Type,
        &raw mut ffi::PyCode_Type,
    ];
    for class in classes {
        // SAFETY: the class lives for ever, and an entry without a name ends a table.
        unsafe {
            if let Some(entry) = named((*class).tp_getset, name, |entry| (*entry).name) {
                return (*entry).get.map(|getter| Place { class, entry: Entry::Getter(getter) });
            }
            if let Some(entry) = named((*class).tp_members, name, |entry| (*entry).name) {
                return Some(Place { class, entry: Entry::Member(entry) });
            }
        }
    }
    None
}

/// The entry of that name in a table of a class, or nothing.
///
/// # Safety
/// An entry without a name ends the table, if there is one, and that function reads their names.
#[expect(unsafe_code, reason = "tables have no lengths")]
unsafe fn named<T>(table: *mut T, name: &CStr, name_of: impl Fn(*mut T) -> *const c_char) -> Option<*mut T> {
    let mut entry = table;
    // SAFETY: the entries up to that without a name are there.
    unsafe {
        while !entry.is_null() && !name_of(entry).is_null() {
            if CStr::from_ptr(name_of(entry)) == name {
                return Some(entry);
            }
            entry = entry.add(1);
        }
    }
    None
}

/// A method of generators that takes one argument.
pub struct OneArgument {
    name: &'static CStr,
    found: Found<Option<ffi::PyCFunctionFast>>,
}

impl OneArgument {
    /// The method of that name.
    #[must_use]
    pub const fn new(name: &'static CStr) -> Self {
        Self { name, found: Found::not_yet() }
    }

    /// Calls it on an object: gives what the interpreter does, a new reference, or null when an error is set. What is no
    /// generator is called as any object is.
    #[expect(unsafe_code, reason = "calls what the class has in its table")]
    pub fn call(&self, object: &Bound<'_, PyAny>, argument: &Bound<'_, PyAny>) -> *mut ffi::PyObject {
        let py = object.py();
        let class = &raw mut ffi::PyGen_Type;
        let found = match self.found.known(py) {
            Some(found) => found,
            None => self.found.settle(py, find_method(class, self.name)),
        };
        match found {
            // SAFETY: the entry is one of the object's class, and there is one argument.
            Some(method) if object.get_type_ptr() == class => unsafe {
                method(object.as_ptr(), [argument.as_ptr()].as_mut_ptr(), 1)
            },
            _ => {
                let name = self.name.to_str().expect("names of attributes are plain");
                let called = object.call_method1(name, (argument,));
                called.map_or_else(
                    |error| {
                        error.restore(py);
                        ptr::null_mut()
                    },
                    Bound::into_ptr,
                )
            }
        }
    }
}

/// The method of that name in a class's own table, if it takes its arguments in a row.
#[cold]
#[expect(unsafe_code, reason = "only the class itself has it")]
fn find_method(class: *mut PyTypeObject, name: &CStr) -> Option<ffi::PyCFunctionFast> {
    // SAFETY: the class lives for ever; an entry without a name ends its table, and the flags say which function is there.
    unsafe {
        let entry = named((*class).tp_methods, name, |entry| (*entry).ml_name)?;
        ((*entry).ml_flags == ffi::METH_FASTCALL).then(|| (*entry).ml_meth.PyCFunctionFast)
    }
}

/// A method of a class in C that takes nothing.
pub struct Method(ffi::PyCFunction);

impl Method {
    /// The method of that name in the class's own table.
    #[must_use]
    #[expect(unsafe_code, reason = "only the class itself has it")]
    pub fn find(class: &Bound<'_, PyType>, name: &CStr) -> Option<Self> {
        // SAFETY: the class lives; an entry without a name ends its table, and the flags say which function is there.
        unsafe {
            let entry = named((*class.as_type_ptr()).tp_methods, name, |entry| (*entry).ml_name)?;
            ((*entry).ml_flags == ffi::METH_NOARGS).then(|| Self((*entry).ml_meth.PyCFunction))
        }
    }

    /// Calls it on an object.
    ///
    /// # Errors
    /// What it raises.
    ///
    /// # Safety
    /// The class in whose table it was found is the object's.
    #[inline]
    #[expect(unsafe_code, reason = "calls what the class has in its table")]
    pub unsafe fn call<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: it gives a new reference, or an error is set; the class is the caller's word.
        unsafe { Bound::from_owned_ptr_or_err(object.py(), (self.0)(object.as_ptr(), ptr::null_mut())) }
    }
}
