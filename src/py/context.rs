//! Lines of an execution context, and the context of exceptions: read from live frames, on request or on the error path.

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyFrame, PyIterator, PyString, PyTraceback};

use super::classes::handler::Installed;
use super::classes::text::type_name;
use super::found::name;
use super::generator::{FRAME, code_of};
use super::names::{library_code, names};
use super::slot::Slot;
use super::world::Code;

/// Makes `earlier` the context of `error`, unless it has one already or the two are the same.
pub fn chain(py: Python<'_>, error: &Py<PyBaseException>, earlier: &Py<PyBaseException>) {
    let raised = PyErr::from_value(error.bind(py).clone().into_any());
    if error.is(earlier) || raised.context(py).is_some() {
        return;
    }
    // A cycle of contexts would hang every formatter: `earlier` must not lead back to `error`.
    let mut link = Some(PyErr::from_value(earlier.bind(py).clone().into_any()));
    for _ in 0..MAX_CHAIN {
        let Some(next) = link.and_then(|link| link.context(py)) else { break };
        if next.value(py).is(error) {
            return;
        }
        link = Some(next);
    }
    raised.set_context(py, Some(PyErr::from_value(earlier.bind(py).clone().into_any())));
}

/// How far a chain of contexts is looked through.
const MAX_CHAIN: usize = 1000;

/// Takes the library's own frames out of what a throw added to a traceback: `yield from effect` has one of its iterator.
/// The entries from `before` on were there already.
pub fn strip(error: &Bound<'_, PyBaseException>, before: Option<&Bound<'_, PyTraceback>>) {
    let py = error.py();
    let Ok(names) = names(py) else { return };
    let mut last: Option<Bound<'_, PyTraceback>> = None;
    let mut entry = traceback_of(error);
    while let Some(here) = entry {
        if before.is_some_and(|before| before.is(&here)) {
            return;
        }
        let next = next_of(&here);
        let is_ours = || {
            let code = here.getattr(name!(c"tb_frame")).and_then(|frame| frame.getattr(name!(c"f_code")));
            code.is_ok_and(|code| names.iterators.iter().any(|iterator| iterator.is(&code)))
        };
        match &last {
            // The first entry is the generator that was thrown into: the user's.
            Some(last) if is_ours() => {
                let rest = next.as_ref().map_or_else(|| py.None(), |next| next.clone().into_any().unbind());
                if last.setattr(name!(c"tb_next"), rest).is_err() {
                    return;
                }
            }
            _ => last = Some(here),
        }
        entry = next;
    }
}

/// Takes the frame of the library's own program out of what left it: the innermost programs are the user's.
pub fn strip_own(generator: &Bound<'_, PyAny>, error: &Bound<'_, PyBaseException>) {
    let py = error.py();
    let Ok(own) = library_code(py) else { return };
    let code = code_of(generator);
    if code.is_some_and(|code| own.iter().any(|known| known.is(&code)))
        && let Some(entry) = traceback_of(error)
    {
        let _ = error.setattr(name!(c"__traceback__"), next_of(&entry));
    }
}

/// How far an error has come.
#[must_use]
#[expect(unsafe_code, reason = "to make a `PyErr` of it takes a lock")]
pub fn traceback_of<'py>(error: &Bound<'py, PyBaseException>) -> Option<Bound<'py, PyTraceback>> {
    // SAFETY: it is an exception, and gives a new reference or none.
    let trace = unsafe { Bound::from_owned_ptr_or_opt(error.py(), ffi::PyException_GetTraceback(error.as_ptr())) };
    trace?.cast_into().ok()
}

/// Nobody is to see how far it has come.
#[expect(unsafe_code, reason = "an exception may refuse it as an attribute")]
pub fn forget_traceback(error: &Bound<'_, PyBaseException>) {
    // SAFETY: it is an exception, and nothing is what it may have.
    unsafe { ffi::PyException_SetTraceback(error.as_ptr(), ffi::Py_None()) };
}

fn next_of<'py>(entry: &Bound<'py, PyTraceback>) -> Option<Bound<'py, PyTraceback>> {
    NEXT.read(entry.as_any()).ok()?.cast_into::<PyTraceback>().ok()
}

fn line<'py>(py: Python<'py>, kind: &str, name: Bound<'py, PyAny>, place: (Py<PyAny>, Py<PyAny>)) -> Py<PyAny> {
    let class = py.import(name!(c"segue._result")).and_then(|module| module.getattr(name!(c"ContextLine")));
    let made = class.and_then(|class| class.call1((kind, name, place.0, place.1)));
    made.map_or_else(|_| py.None(), Bound::unbind)
}

/// What an error passed through after that.
static NEXT: Slot = Slot::new(c"tb_next");

/// The frame of a generator that is suspended.
pub struct Suspended<'py>(Bound<'py, PyFrame>);

/// The frame of a generator.
///
/// # Errors
/// It is over.
pub fn frame_of<'py>(generator: &Bound<'py, PyIterator>) -> PyResult<Suspended<'py>> {
    let frame = FRAME.read(generator.as_any())?;
    Ok(Suspended(frame.cast_into()?))
}

#[expect(unsafe_code, reason = "to ask for its attributes makes objects of them")]
impl<'py> Suspended<'py> {
    /// Its code.
    fn code(&self) -> Bound<'py, PyAny> {
        // SAFETY: it is a frame, whose code is never null.
        unsafe { Bound::from_owned_ptr(self.0.py(), ffi::PyFrame_GetCode(self.0.as_ptr().cast()).cast()) }
    }

    /// Where in its code it is: `f_lasti`.
    #[must_use]
    pub fn at(&self) -> i32 {
        // SAFETY: it is a frame.
        unsafe { ffi::PyFrame_GetLasti(self.0.as_ptr().cast()) }
    }
}

/// The last place that was marked: tasks are spawned in loops, at the same place again.
#[derive(Debug, Default)]
pub struct Marks(Option<Py<Mark>>);

impl Marks {
    /// Where code is suspended: its code object and the place in it, which lead to a line when somebody asks.
    pub fn mark(&mut self, py: Python<'_>, code: &Code) -> Py<PyAny> {
        self.place(py, code).map_or_else(|_| py.None(), Py::into_any)
    }

    fn place(&mut self, py: Python<'_>, code: &Code) -> PyResult<Py<Mark>> {
        let frame = frame_of(code.generator.bind(py))?;
        let (code, at) = (frame.code(), frame.at());
        if let Some(last) = &self.0
            && last.get().at == at
            && last.get().code.is(&code)
        {
            return Ok(last.clone_ref(py));
        }
        let mark = Py::new(py, Mark { code: code.unbind(), at })?;
        self.0 = Some(mark.clone_ref(py));
        Ok(mark)
    }
}

/// A place in code. A code object holds no other objects but constants and names: the collector need not see it.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct Mark {
    code: Py<PyAny>,
    at: i32,
}

/// The line of a marked place. What is no mark stays as it is.
pub fn marked_line(py: Python<'_>, mark: &Py<PyAny>) -> Py<PyAny> {
    let Ok(mark) = mark.bind(py).cast_exact::<Mark>() else { return mark.clone_ref(py) };
    let (code, at) = (mark.get().code.bind(py), mark.get().at);
    let name = code.getattr(name!(c"co_qualname")).unwrap_or_else(|_| py.None().into_bound(py));
    let file = code.getattr(name!(c"co_filename")).map_or_else(|_| py.None(), Bound::unbind);
    let number = line_at(code, at).unwrap_or_else(|_| py.None());
    line(py, "program", name, (file, number))
}

fn line_at(code: &Bound<'_, PyAny>, at: i32) -> PyResult<Py<PyAny>> {
    for entry in code.call_method0(name!(c"co_lines"))?.try_iter()? {
        let (start, end, line) = entry?.extract::<(i32, i32, Py<PyAny>)>()?;
        if (start..end).contains(&at) {
            return Ok(line);
        }
    }
    Ok(code.py().None())
}

/// A suspended program: its name, file and line.
pub fn program_line(py: Python<'_>, code: &Code) -> Py<PyAny> {
    let generator = code.generator.bind(py);
    let name = generator.getattr(name!(c"__qualname__")).unwrap_or_else(|_| py.None().into_bound(py));
    let file = generator
        .getattr(name!(c"gi_code"))
        .and_then(|code| code.getattr(name!(c"co_filename")))
        .map_or_else(|_| py.None(), Bound::unbind);
    let number = generator
        .getattr(name!(c"gi_frame"))
        .and_then(|frame| frame.getattr(name!(c"f_lineno")))
        .map_or_else(|_| py.None(), Bound::unbind);
    line(py, "program", name, (file, number))
}

/// A clause at work.
pub fn clause_line(py: Python<'_>, label: Option<Py<PyString>>, effect: &Py<PyAny>) -> Py<PyAny> {
    let effect = type_name(effect.bind(py));
    let text = match label {
        Some(label) => format!("{} for {effect}", label.bind(py).to_string_lossy()),
        None => format!("a clause for {effect}"),
    };
    line(py, "clause", PyString::new(py, &text).into_any(), (py.None(), py.None()))
}

/// A handler in scope: its name, and where its first clause is written.
pub fn handler_line(py: Python<'_>, handler: &Py<Installed>) -> Py<PyAny> {
    let installed = handler.get();
    let code = installed.table.get().clauses.iter().find_map(|clause| {
        clause.function.as_ref().and_then(|function| function.bind(py).getattr(name!(c"__code__")).ok())
    });
    let place = code.map_or_else(
        || (py.None(), py.None()),
        |code| {
            let file = code.getattr(name!(c"co_filename")).map_or_else(|_| py.None(), Bound::unbind);
            let number = code.getattr(name!(c"co_firstlineno")).map_or_else(|_| py.None(), Bound::unbind);
            (file, number)
        },
    );
    line(py, "handler", installed.name.bind(py).clone().into_any(), place)
}
