//! How a run is set up: its program, and the handlers around it.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyMapping};

use crate::py::classes::handler::{HandlerTable, RootHandler};
use crate::py::classes::limits::Limits;
use crate::py::classes::mistake::mistake;
use crate::py::classes::nodes;
use crate::py::classes::root_generator::RootGenerator;
use crate::py::classes::text::safe_repr;
use crate::py::found::name;
use crate::py::names::names;
use crate::py::roots::Roots;

/// The argument `handlers`, which may be left out but is never `None`.
pub struct Given<'py>(Option<Bound<'py, PyAny>>);

/// No handlers were given.
pub const NONE_GIVEN: Given<'static> = Given(None);

impl<'py> Given<'py> {
    /// What was given.
    #[must_use]
    pub const fn as_ref(&self) -> Option<&Bound<'py, PyAny>> {
        self.0.as_ref()
    }
}

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = std::convert::Infallible;

    fn extract(given: pyo3::Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
        Ok(Self(Some(given.to_owned())))
    }
}

/// How a run is set up.
pub struct Setting<'a, 'py> {
    /// What `handlers` was.
    pub handlers: Option<&'a Bound<'py, PyAny>>,
    /// What `env` was.
    pub env: Option<&'a Bound<'py, PyAny>>,
    /// What `store` was.
    pub store: Option<&'a Bound<'py, PyAny>>,
    /// Whether steps are recorded.
    pub trace: bool,
    /// Whether steps are events.
    pub stepping: bool,
    /// Whether somebody else's loop drives the run.
    pub driven: bool,
    /// The bounds.
    pub limits: Option<&'a Limits>,
}

/// The program of a run, which may be a generator, once.
///
/// # Errors
/// When it is neither.
pub fn root_program(program: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = program.py();
    if nodes::is_program(program) {
        return Ok(program.clone().unbind());
    }
    if program.get_type().is(&names(py)?.generator) {
        return Ok(Py::new(py, RootGenerator::claim(program)?)?.into_any());
    }
    Err(mistake(py, program, "run() takes a program, an effect, or once a generator"))
}

type Pair = (Py<PyAny>, Py<PyAny>);

/// The handlers of a run, each with its place; `env` and `store` are what each `reader` and `state` without settings of
/// its own starts from, and one is installed outermost when there is none (semantics 5).
///
/// # Errors
/// When the arguments are wrong, and what looking at them raises.
pub fn root_handlers(py: Python<'_>, setting: &Setting<'_, '_>, roots: &mut Roots) -> PyResult<Vec<Pair>> {
    let mut given = match setting.handlers {
        Some(handlers) => nodes::handler_list(py, handlers)?,
        None => Vec::new(),
    };
    for (kind, word, start) in [("reader", "env", setting.env), ("state", "store", setting.store)] {
        let Some(start) = start.filter(|start| !start.is_none()) else { continue };
        let start = py.import(name!(c"builtins"))?.getattr("dict")?.call1((mapping(start, word)?,))?;
        roots.start(kind, start.cast_into::<PyDict>()?.unbind());
        let (mut bare, mut configured) = (false, false);
        for (_, handler) in &given {
            if kind_of(handler.bind(py))?.as_deref() == Some(kind) {
                let is_bare = handler.bind(py).getattr(name!(c"settings"))?.is_none();
                bare |= is_bare;
                configured |= !is_bare;
            }
        }
        if configured && !bare {
            return Err(PyTypeError::new_err(format!(
                "{word}= is what a {kind} without settings starts from, and each {kind} in handlers has its own: \
                 give the values to {kind}(...), or leave {word} out"
            )));
        }
        if !bare {
            let handler = py.import(name!(c"segue._builtin"))?.getattr(kind)?.unbind();
            given.insert(0, (handler.clone_ref(py), handler));
        }
    }
    if setting.driven {
        // What no handler of the program awaits, the loop does.
        let handler = py.import(name!(c"segue._awaiting"))?.getattr(name!(c"event_loop"))?.unbind();
        given.insert(0, (handler.clone_ref(py), handler));
    }
    given
        .into_iter()
        .enumerate()
        .map(|(index, (original, resolved))| Ok((original, Py::new(py, RootHandler { resolved, index })?.into_any())))
        .collect()
}

fn mapping<'a, 'py>(given: &'a Bound<'py, PyAny>, word: &str) -> PyResult<&'a Bound<'py, PyAny>> {
    if given.cast::<PyMapping>().is_ok() {
        return Ok(given);
    }
    Err(PyTypeError::new_err(format!("{word} is a mapping, got {}", safe_repr(given))))
}

/// Which built-in handler it is.
fn kind_of(handler: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let table = handler.getattr(name!(c"__segue_table__"))?;
    let table = table.cast::<HandlerTable>()?;
    Ok(table.get().native.clone())
}
