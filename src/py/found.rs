//! What is looked up or made once, for the whole process.

use std::ffi::CStr;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyAny, PyString};
use pyo3::{Borrowed, ffi};

/// What is looked up in Python once.
///
/// Looking up runs Python, which may come back here, let another thread come, or fork: nobody waits for anybody, and the
/// first one counts. pyo3's `get_or_init`, and its `intern!`, let the interpreter go and take it again while they have the
/// cell: if another thread forks just then, it is never ready in the child.
pub struct Found<T = Py<PyAny>>(PyOnceLock<T>);

impl<T> Found<T> {
    /// Not looked up yet.
    #[must_use]
    pub const fn not_yet() -> Self {
        Self(PyOnceLock::new())
    }

    /// What was found.
    ///
    /// # Errors
    /// What the first look-up raises; the next one looks again.
    #[inline]
    pub fn get(&self, py: Python<'_>, look_up: impl FnOnce(Python<'_>) -> PyResult<T>) -> PyResult<&T> {
        match self.known(py) {
            Some(known) => Ok(known),
            None => Ok(self.settle(py, look_up(py)?)),
        }
    }

    /// What was found, if anybody looked.
    #[inline]
    pub fn known(&self, py: Python<'_>) -> Option<&T> {
        self.0.get(py)
    }

    /// This was found: gives it, or what was found before.
    pub fn settle(&self, py: Python<'_>, found: T) -> &T {
        drop(self.0.set(py, found));
        self.0.get(py).expect("it was set, now or before")
    }
}

impl Found {
    /// A name of a module.
    ///
    /// # Errors
    /// When there is no such module, or none of that name in it.
    #[inline]
    pub fn import<'py>(&self, py: Python<'py>, module: &str, name: &str) -> PyResult<&Bound<'py, PyAny>> {
        Ok(self.get(py, |py| Ok(py.import(module)?.getattr(name)?.unbind()))?.bind(py))
    }
}

/// A name, as the interned string that look-ups are quickest with. It is given where pyo3 takes a string.
pub struct Name {
    text: &'static CStr,
    found: Found<Py<PyString>>,
}

impl Name {
    /// The name, which is made when it is needed first.
    #[must_use]
    pub const fn new(text: &'static CStr) -> Self {
        Self { text, found: Found::not_yet() }
    }

    #[cold]
    #[expect(unsafe_code, reason = "pyo3 panics where there is no memory for it")]
    fn make(&self, py: Python<'_>) -> PyResult<Py<PyString>> {
        // SAFETY: it gives a new reference to a string, or null with an error set.
        unsafe {
            let made = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_InternFromString(self.text.as_ptr()))?;
            Ok(made.cast_into_unchecked::<PyString>().unbind())
        }
    }
}

impl<'py> IntoPyObject<'py> for &'static Name {
    type Target = PyString;
    type Output = Borrowed<'static, 'py, PyString>;
    type Error = PyErr;

    #[inline]
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        self.found.get(py, |py| self.make(py)).map(|name| name.bind_borrowed(py))
    }
}

/// A [`Name`], made once at this place.
macro_rules! name {
    ($text:literal) => {{
        static NAME: $crate::py::found::Name = $crate::py::found::Name::new($text);
        &NAME
    }};
}

pub(crate) use name;
