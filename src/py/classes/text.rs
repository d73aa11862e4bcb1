//! Text about Python values for messages and `repr`s: bounded, escaped, and never raising.
//!
//! What a user's `__repr__` does is not trusted: what it raises is caught, what it returns is cut and its control
//! characters are escaped. An interrupt (Ctrl-C) that lands in one is not lost: it is set again.

use std::cell::Cell;
use std::fmt::Write as _;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString};

use crate::py::found::{Found, name};
use crate::py::leaving;

/// Longest text about one value, in characters.
pub const LIMIT: usize = 200;
/// Nodes and effects that are shown inside each other.
const NESTING: u32 = 3;

thread_local! {
    /// `repr`s of nodes and effects that are on this thread's stack now, whatever stands between them.
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// `repr(value)` in at most [`LIMIT`] characters.
#[must_use]
pub fn safe_repr(value: &Bound<'_, PyAny>) -> String {
    match shortened(value) {
        Ok(text) => escape(&text.to_string_lossy(), LIMIT),
        Err(error) => {
            let why = type_name(error.value(value.py()).as_any());
            rearm(value.py(), &error);
            escape(&format!("<{} object, repr raised {why}>", type_name(value)), LIMIT)
        }
    }
}

/// The name of the value's real type.
#[must_use]
pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    named(value.get_type().as_any())
}

/// The qualified name of a class or function, or something to stand for it.
#[must_use]
pub fn named(value: &Bound<'_, PyAny>) -> String {
    let py = value.py();
    value
        .getattr(name!(c"__qualname__"))
        .and_then(|name| Ok(escape(&name.cast::<PyString>()?.to_string_lossy(), LIMIT)))
        .unwrap_or_else(|error| {
            rearm(py, &error);
            "object".to_owned()
        })
}

/// Escapes what would act on a terminal or hide text, and cuts after `limit` characters.
#[must_use]
pub fn escape(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    let mut count = 0;
    // Where to cut, should the rest not fit.
    let mut cut = 0;
    for character in text.chars() {
        let shown = match character {
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            hidden if hides(hidden) => match u32::from(hidden) {
                code @ 0..=0xff => format!("\\x{code:02x}"),
                code @ 0x100..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            },
            plain => plain.to_string(),
        };
        count += shown.chars().count();
        if count > limit {
            out.truncate(cut);
            out.push('…');
            return out;
        }
        out.push_str(&shown);
        if count < limit {
            cut = out.len();
        }
    }
    out
}

/// Control characters, line and paragraph separators, and the format characters of Unicode (category Cf): what acts,
/// turns the direction of writing, or is not seen.
fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// `repr` through `segue._text`: big and deep containers cost no more than small ones.
fn shortened<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    static BOUNDED: Found = Found::not_yet();
    let py = value.py();
    let _inside = leaving::enter(py);
    let bounded = BOUNDED.get(py, |py| Ok(py.import("segue._text")?.getattr("BoundedRepr")?.call0()?.unbind()))?;
    Ok(bounded.bind(py).call_method1(name!(c"repr"), (value,))?.cast_into::<PyString>()?)
}

/// Sets an interrupt again that a formatting caught.
fn rearm(py: Python<'_>, error: &PyErr) {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        let _ = py.import("_thread").and_then(|thread| thread.call_method0("interrupt_main"));
    }
}

/// `name(part, label=part)` for nodes and effects, in at most [`LIMIT`] characters and [`NESTING`] levels.
#[derive(Debug)]
pub struct CallText {
    text: String,
    parts: usize,
    full: bool,
}

impl CallText {
    /// Shows `name(...)` with the parts that `show` gives, or `…` when this is nested too deep.
    pub fn of(name: &str, show: impl FnOnce(&mut Self)) -> String {
        let level = NESTED.with(|nested| nested.replace(nested.get() + 1));
        let mut call = Self { text: format!("{name}("), parts: 0, full: level >= NESTING };
        if call.full {
            call.text.push('…');
        } else {
            show(&mut call);
        }
        NESTED.with(|nested| nested.set(level));
        call.text.push(')');
        call.text
    }

    /// Adds one argument.
    pub fn part(&mut self, label: Option<&str>, value: &Bound<'_, PyAny>) {
        self.add(label, || safe_repr(value));
    }

    /// Adds one argument whose value is nobody's business.
    pub fn hidden(&mut self, label: &str) {
        self.add(Some(label), || "…".to_owned());
    }

    fn add(&mut self, label: Option<&str>, show: impl FnOnce() -> String) {
        if self.full {
            return;
        }
        if self.parts > 0 {
            self.text.push_str(", ");
        }
        self.parts += 1;
        let mut part = String::new();
        if let Some(label) = label {
            // Writing to a string does not fail.
            let _ = write!(part, "{label}=");
        }
        part.push_str(&show());
        let room = LIMIT.saturating_sub(self.text.chars().count() + 2);
        self.full = part.chars().count() > room;
        self.text.push_str(&escape(&part, room.max(1)));
    }
}
