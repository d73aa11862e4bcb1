//! The arguments of a call as the interpreter passes them: values in a row, of which the last have names.

use std::array;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyString, PyTuple};
use pyo3::{PyTraverseError, PyTypeCheck, PyVisit};

use super::super::link::{Held, Link};
use super::super::text::safe_repr;
use super::super::vectorcall::{call_with, new_dictionary, tuple_of};

/// How many values stand in the node itself.
const FEW: usize = 4;

/// What a call passes.
#[derive(Debug)]
pub struct Arguments {
    values: Values,
    /// No [`Link`]: an optional one would be two words, and there may be a hundred thousand calls that wait to be made.
    names: Option<Py<PyTuple>>,
}

#[derive(Debug)]
enum Values {
    /// So many of them.
    Few(u8, [Option<Py<PyAny>>; FEW]),
    /// More.
    Many(Link<PyTuple>),
}

impl Arguments {
    /// These values, of which the last have those names.
    ///
    /// # Errors
    /// When memory is exhausted.
    #[inline]
    pub fn new(py: Python<'_>, values: &[Bound<'_, PyAny>], names: Option<Bound<'_, PyTuple>>) -> PyResult<Self> {
        let names = names.map(Bound::unbind);
        if values.len() <= FEW {
            let few = array::from_fn(|place| values.get(place).map(|value| value.clone().unbind()));
            #[expect(clippy::cast_possible_truncation, reason = "they are few")]
            return Ok(Self { values: Values::Few(values.len() as u8, few), names });
        }
        Ok(Self { values: Values::Many(tuple_of(py, values)?.into()), names })
    }

    /// Those that a function in Rust was called with.
    ///
    /// # Errors
    /// `TypeError` when a name is no text; when memory is exhausted.
    pub fn gathered(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = args.py();
        let Some(kwargs) = kwargs else { return Self::new(py, args.as_slice(), None) };
        let (names, last): (Vec<_>, Vec<_>) = kwargs.iter().unzip();
        if let Some(name) = names.iter().find(|name| !PyString::type_check(name)) {
            let told = safe_repr(name);
            return Err(PyTypeError::new_err(format!("the name of an argument is a string, got {told}")));
        }
        let values: Vec<_> = args.iter().chain(last).collect();
        Self::new(py, &values, Some(tuple_of(py, &names)?))
    }

    /// The values in a row, those by position first.
    #[inline]
    #[expect(unsafe_code, reason = "to see references that stand in an array as such")]
    fn values<'a, 'py>(&'a self, py: Python<'py>) -> &'a [Bound<'py, PyAny>] {
        match &self.values {
            // SAFETY: the first so many places hold an object, and each reference, bound or not, is a pointer to one.
            Values::Few(count, few) => unsafe { std::slice::from_raw_parts(few.as_ptr().cast(), usize::from(*count)) },
            Values::Many(tuple) => tuple.bind(py).as_slice(),
        }
    }

    fn names<'a, 'py>(&'a self, py: Python<'py>) -> &'a [Bound<'py, PyAny>] {
        self.names.as_ref().map_or(&[], |names| names.bind(py).as_slice())
    }

    /// The values by position.
    #[inline]
    pub fn by_position<'a, 'py>(&'a self, py: Python<'py>) -> &'a [Bound<'py, PyAny>] {
        let values = self.values(py);
        &values[..values.len() - self.names(py).len()]
    }

    /// Those that have names, with their names.
    pub fn by_name<'a, 'py>(
        &'a self,
        py: Python<'py>,
    ) -> impl Iterator<Item = (&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>)>
    where
        'py: 'a,
    {
        self.names(py).iter().zip(&self.values(py)[self.by_position(py).len()..])
    }

    /// A new tuple of the values by position.
    ///
    /// # Errors
    /// When memory is exhausted.
    pub fn tuple<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.by_position(py))
    }

    /// A new dictionary of those that have names.
    ///
    /// # Errors
    /// When memory is exhausted.
    pub fn dictionary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let made = new_dictionary(py)?;
        self.by_name(py).try_for_each(|(name, value)| made.set_item(name, value))?;
        Ok(made)
    }

    /// Calls a function with them.
    ///
    /// # Errors
    /// What it raises.
    #[inline]
    #[expect(unsafe_code, reason = "they stand in a row")]
    pub fn call<'py>(&self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let (values, by_position) = (self.values(py).as_ptr().cast(), self.by_position(py).len());
        let names = self.names.as_ref().map_or(std::ptr::null_mut(), Py::as_ptr);
        // SAFETY: the values and their names live as long as the node does.
        unsafe { call_with(function, values, by_position, names) }
    }

    /// Lets go of them: what they hold may be deep.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        match self.values {
            Values::Few(_, few) => few.into_iter().flatten().for_each(|value| Link::from(value).let_go(py)),
            Values::Many(tuple) => tuple.let_go(py),
        }
        if let Some(names) = self.names {
            Link::from(names).let_go(py);
        }
    }
}

impl Held for Arguments {
    fn visit(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Names that were unpacked from a dictionary may be of a class of the user's.
        self.names.visit(visit)?;
        match &self.values {
            Values::Few(_, few) => few.iter().flatten().try_for_each(|value| visit.call(value)),
            Values::Many(tuple) => tuple.visit(visit),
        }
    }
}
