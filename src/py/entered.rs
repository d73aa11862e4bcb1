//! The context of variables that user code runs in: each task has one of its own (semantics 7).
//!
//! `Context.run` enters a context for one call. Tasks are entered and left between the steps of one loop, which only the
//! interpreter's own interface can; 3.11 to 3.14 have it.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyAny;

/// The context that is entered, beyond that of whoever runs the machine.
#[derive(Debug, Default)]
pub struct Entered {
    entered: Option<Py<PyAny>>,
    /// Where whoever runs the machine is not where its root runs.
    pub away: Option<Away>,
}

/// Another place than that of the root of a run.
#[derive(Debug)]
pub struct Away {
    /// The context that is entered there, where it is that of one of the tasks.
    pub around: Option<Py<PyAny>>,
    /// That of the root.
    pub home: Option<Py<PyAny>>,
}

impl Entered {
    /// From now on user code runs in that context; `None` is that of the root, who runs the machine most often.
    ///
    /// # Errors
    /// When somebody else has entered that context.
    #[inline]
    pub fn switch(&mut self, py: Python<'_>, wanted: Option<&Py<PyAny>>) -> PyResult<()> {
        match (&self.entered, wanted) {
            (None, None) if self.away.is_none() => Ok(()),
            (Some(entered), Some(wanted)) if entered.is(wanted) => Ok(()),
            _ => {
                let wanted = self.named(py, wanted);
                if let (Some(entered), Some(wanted)) = (&self.entered, &wanted)
                    && entered.is(wanted)
                {
                    return Ok(());
                }
                self.leave(py)?;
                if let Some(wanted) = wanted
                    && !self.is_around(&wanted)
                {
                    enter(py, &wanted)?;
                    self.entered = Some(wanted);
                }
                Ok(())
            }
        }
    }

    /// The context that is meant where the root's has no name.
    fn named(&self, py: Python<'_>, wanted: Option<&Py<PyAny>>) -> Option<Py<PyAny>> {
        let home = || self.away.as_ref().and_then(|away| away.home.as_ref());
        wanted.or_else(home).map(|named| named.clone_ref(py))
    }

    fn is_around(&self, wanted: &Py<PyAny>) -> bool {
        self.away.as_ref().and_then(|away| away.around.as_ref()).is_some_and(|around| around.is(wanted))
    }

    /// From now on user code runs in a copy of that context.
    ///
    /// # Errors
    /// When memory runs out, or the context before cannot be left.
    pub fn switch_to_copy(&mut self, py: Python<'_>, wanted: &Py<PyAny>) -> PyResult<()> {
        let copy = copy(py, wanted)?;
        self.switch(py, Some(&copy))
    }

    /// Back to the context of whoever runs the machine.
    ///
    /// # Errors
    /// When user code has left the context entered that it was to leave.
    pub fn leave(&mut self, py: Python<'_>) -> PyResult<()> {
        self.entered.take().map_or(Ok(()), |entered| exit(py, &entered))
    }

    /// A copy of a context; `None` is that of the root.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn fork(&mut self, py: Python<'_>, of: Option<&Py<PyAny>>) -> PyResult<Py<PyAny>> {
        match self.named(py, of) {
            Some(context) => copy(py, &context),
            None => {
                self.leave(py)?;
                copy_current(py)
            }
        }
    }
}

#[expect(unsafe_code, reason = "to call its method makes what is known of it known again")]
fn copy(py: Python<'_>, context: &Py<PyAny>) -> PyResult<Py<PyAny>> {
    // SAFETY: the interpreter is attached, and `context` is a context; the copy is new, or an error is set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_Copy(context.as_ptr())).map(Bound::unbind) }
}

#[expect(unsafe_code, reason = "as in `copy`")]
fn copy_current(py: Python<'_>) -> PyResult<Py<PyAny>> {
    // SAFETY: the interpreter is attached; the copy is new, or an error is set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()).map(Bound::unbind) }
}

#[expect(unsafe_code, reason = "only the interpreter's own interface enters a context for more than one call")]
fn enter(py: Python<'_>, context: &Py<PyAny>) -> PyResult<()> {
    // SAFETY: the interpreter is attached, and `context` is a context: it was copied from one.
    let entered = unsafe { ffi::PyContext_Enter(context.as_ptr()) };
    if entered == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
}

#[expect(unsafe_code, reason = "only the interpreter's own interface leaves it again")]
fn exit(py: Python<'_>, context: &Py<PyAny>) -> PyResult<()> {
    // SAFETY: as in `enter`; a context that is not the entered one is an error of the interpreter's.
    let left = unsafe { ffi::PyContext_Exit(context.as_ptr()) };
    if left == 0 { Ok(()) } else { Err(PyErr::fetch(py)) }
}
