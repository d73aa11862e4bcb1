//! What an unwinding only passes through: programs that are suspended where no block of theirs is open are let go, and not
//! thrown into.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBytes};

use super::generator::code_of;
use super::owners::is_held_by;
use super::slot::Slot;

/// Where the blocks of code are.
static TABLE: Slot = Slot::new(c"co_exceptiontable");

/// The unwindings of the run, as long as they last, and which programs let the newest pass.
#[derive(Debug, Default)]
pub struct Passage {
    /// The errors that they throw, the newest last: for comparison only. Whoever throws one has a reference to it.
    thrown: Vec<usize>,
    /// The code that was looked at last, which has no block at all. Most often the next program is of the same function.
    blank: Option<Py<PyAny>>,
}

impl Passage {
    /// An unwinding begins with that error.
    pub fn begins(&mut self, thrown: &Bound<'_, PyBaseException>) {
        // Without memory for it the unwinding throws into every program.
        if self.thrown.try_reserve(1).is_ok() {
            self.thrown.push(thrown.as_ptr().addr());
        }
    }

    /// The machine lets an error go: that of an unwinding, when it is over.
    #[inline]
    pub fn ends(&mut self, error: &Py<PyBaseException>) {
        if self.thrown.is_empty() {
            return;
        }
        if let Some(place) = self.thrown.iter().rposition(|thrown| *thrown == error.as_ptr().addr()) {
            self.thrown.remove(place);
        }
    }

    /// Whether the error is that of the newest unwinding.
    pub fn throws(&self, error: &Py<PyBaseException>) -> bool {
        self.thrown.last() == Some(&error.as_ptr().addr())
    }

    /// Whether the error is that of the newest unwinding, and the program would not see it. A user's own error is thrown into each
    /// program: its traceback says where it came by.
    pub fn is_open(&mut self, generator: &Bound<'_, PyAny>, error: &Py<PyBaseException>) -> bool {
        self.throws(error)
            && is_held_by(1, generator)
            && code_of(generator).is_some_and(|code| is_at_its_own(generator) && self.is_blank(code))
    }

    /// Whether code has no `try` and no `with`.
    fn is_blank(&mut self, code: Bound<'_, PyAny>) -> bool {
        if self.blank.as_ref().is_some_and(|known| known.is(&code)) {
            return true;
        }
        let is_blank =
            TABLE.read(&code).is_ok_and(|table| table.cast::<PyBytes>().is_ok_and(|table| is_empty(table.as_bytes())));
        if is_blank {
            self.blank = Some(code.unbind());
        }
        is_blank
    }
}

/// Whether the generator waits at a `yield` of its own: what it delegates to may have blocks.
#[cfg(not(Py_3_12))]
fn is_at_its_own(generator: &Bound<'_, PyAny>) -> bool {
    static DELEGATE: Slot = Slot::new(c"gi_yieldfrom");
    DELEGATE.read(generator).is_ok_and(|delegate| delegate.is_none())
}

/// The same: here `yield from` is a block in the table.
#[cfg(Py_3_12)]
const fn is_at_its_own(_generator: &Bound<'_, PyAny>) -> bool {
    true
}

/// Whether no block is in the table of a code object.
const fn is_empty(table: &[u8]) -> bool {
    if cfg!(Py_3_12) {
        // One is around each generator, for a `StopIteration`: its handler has a stack of depth 0 and keeps the place, so that the
        // last byte is `0 << 1 | 1`. The start of an entry has the highest bit.
        matches!(table, [start, rest @ .., 1] if *start & 0x80 != 0 && !has_start(rest))
    } else {
        table.is_empty()
    }
}

/// Whether an entry begins in there.
const fn has_start(mut table: &[u8]) -> bool {
    while let [byte, rest @ ..] = table {
        if *byte & 0x80 != 0 {
            return true;
        }
        table = rest;
    }
    false
}
