//! What a handler is made of: the table of its clauses, and an installation of it.

use std::sync::OnceLock;

use pyo3::exceptions::{PyAttributeError, PyImportError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::core::host::Form;
use crate::core::ids::ClauseId;
use crate::core::segment::Hooks;
use crate::core::step::Hook;
use crate::py::found::name;

/// The base of all handler objects. Python's `segue.Handler` says what they can do.
#[pyclass(frozen, subclass, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct HandlerBase;

#[pymethods]
impl HandlerBase {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self
    }
}

/// Whether the object is a handler.
#[must_use]
#[inline]
pub fn is_handler(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<HandlerBase>()
}

/// Where a generator clause's yields are in tail position: `return (yield node)` outside `try` and `with`.
#[derive(Debug)]
pub enum Tail {
    /// Nowhere.
    Nowhere,
    /// At every yield.
    Everywhere,
    /// At these offsets of its bytecode.
    At(Vec<i32>),
}

/// A clause of a handler.
#[derive(Debug)]
pub struct Clause {
    /// How it is run.
    pub form: Form,
    /// Whether it makes a generator.
    pub is_generator: bool,
    /// The function; a native clause has none.
    pub function: Option<Py<PyAny>>,
    /// Whether the handler object is its first argument.
    pub bind: bool,
    /// Its name, for messages.
    pub name: Py<PyString>,
    /// Where its yields are in tail position, and the code in which that was read.
    tail: OnceLock<(Tail, Option<Py<PyAny>>)>,
}

impl Clause {
    /// Where its yields are in tail position; read from its bytecode once.
    ///
    /// # Errors
    /// What interrupts the reading: nothing is remembered then.
    pub fn tail(&self, py: Python<'_>) -> PyResult<&Tail> {
        if let Some((known, _)) = self.tail.get() {
            return Ok(known);
        }
        // Reading runs Python, which may come back here or let another thread come: nobody waits, the first one counts.
        match self.read_tail(py) {
            Ok(read) => Ok(&self.tail.get_or_init(|| read).0),
            // Whoever comes while the reader itself is being imported does without, this once.
            Err(error) if error.is_instance_of::<PyAttributeError>(py) || error.is_instance_of::<PyImportError>(py) => {
                Ok(&Tail::Nowhere)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether that is the code in which [`Clause::tail`] was read: its function may have got another one.
    pub fn was_read_in(&self, code: &Bound<'_, PyAny>) -> bool {
        self.tail.get().is_some_and(|(_, read)| read.as_ref().is_some_and(|read| read.is(code)))
    }

    fn read_tail(&self, py: Python<'_>) -> PyResult<(Tail, Option<Py<PyAny>>)> {
        let Some(function) = &self.function else { return Ok((Tail::Nowhere, None)) };
        let Some(code) = function.bind(py).getattr_opt(name!(c"__code__"))? else { return Ok((Tail::Nowhere, None)) };
        Ok((Self::tail_of(&code)?, Some(code.unbind())))
    }

    fn tail_of(code: &Bound<'_, PyAny>) -> PyResult<Tail> {
        let py = code.py();
        let tails = py.import(name!(c"segue._tail"))?;
        if tails.call_method1(name!(c"all_tail"), (code,))?.is_truthy()? {
            return Ok(Tail::Everywhere);
        }
        let offsets = tails.call_method1(name!(c"tail_offsets"), (code,))?;
        if offsets.is_none() {
            return Ok(Tail::Nowhere);
        }
        let offsets = offsets.try_iter()?.map(|offset| offset?.extract()).collect::<PyResult<Vec<i32>>>()?;
        Ok(if offsets.is_empty() { Tail::Nowhere } else { Tail::At(offsets) })
    }
}

/// A life-cycle method: the function, which takes the handler object, and whether it makes a generator.
#[derive(Debug)]
pub struct Method {
    /// The function.
    pub function: Py<PyAny>,
    /// Whether it makes a generator.
    pub is_generator: bool,
}

/// The clauses and the life cycle of a handler, as its class or its decorator wrote them down.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct HandlerTable {
    /// The clauses.
    pub clauses: Vec<Clause>,
    classes: Vec<(Py<PyType>, ClauseId)>,
    any: Option<ClauseId>,
    methods: [Option<Method>; 5],
    /// What the handler reports at the end of a run.
    pub report: Option<Method>,
    /// Which built-in handler it is.
    pub native: Option<String>,
    /// The life-cycle methods that the machine calls.
    pub hooks: Hooks,
}

#[pymethods]
impl HandlerTable {
    #[new]
    #[pyo3(signature = (clauses, enter=None, result=None, error=None, exit=None, fork=None, report=None, *, native=None))]
    #[expect(clippy::too_many_arguments, reason = "one argument for each method of the life cycle")]
    fn new(
        clauses: &Bound<'_, PyAny>,
        enter: Option<(Py<PyAny>, bool)>,
        result: Option<(Py<PyAny>, bool)>,
        error: Option<(Py<PyAny>, bool)>,
        exit: Option<(Py<PyAny>, bool)>,
        fork: Option<(Py<PyAny>, bool)>,
        report: Option<(Py<PyAny>, bool)>,
        native: Option<String>,
    ) -> PyResult<Self> {
        let mut table = Self {
            clauses: Vec::new(),
            classes: Vec::new(),
            any: None,
            methods: [enter, result, error, exit, fork].map(method),
            report: method(report),
            native,
            hooks: Hooks::none(),
        };
        let all = [Hooks::ENTER, Hooks::RESULT, Hooks::ERROR, Hooks::EXIT, Hooks::FORK];
        for (method, hook) in table.methods.iter().zip(all) {
            if method.is_some() {
                table.hooks = table.hooks.with(hook);
            }
        }
        for clause in clauses.try_iter()? {
            table.add(&clause?)?;
        }
        Ok(table)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for clause in &self.clauses {
            visit.call(&clause.function)?;
        }
        for (class, _) in &self.classes {
            visit.call(class)?;
        }
        for method in self.methods.iter().chain([&self.report]).flatten() {
            visit.call(&method.function)?;
        }
        Ok(())
    }
}

fn method(given: Option<(Py<PyAny>, bool)>) -> Option<Method> {
    given.map(|(function, is_generator)| Method { function, is_generator })
}

impl HandlerTable {
    fn add(&mut self, clause: &Bound<'_, PyAny>) -> PyResult<()> {
        type Row<'py> = (Option<Bound<'py, PyTuple>>, String, Option<Py<PyAny>>, bool, Bound<'py, PyString>, bool);
        let (classes, kind, function, is_generator, name, bind) = clause.extract::<Row<'_>>()?;
        let form = match (kind.as_str(), is_generator) {
            ("value", false) => Form::Value,
            ("value", true) => Form::ValueProgram,
            ("control", _) => Form::Control,
            ("native", _) => Form::Native,
            (other, _) => return Err(PyValueError::new_err(format!("a clause is no {other}"))),
        };
        let id = u32::try_from(self.clauses.len())
            .map_err(|_| PyTypeError::new_err("a handler has fewer than 2^32 clauses"))?;
        match classes {
            Some(classes) => {
                for class in classes.iter() {
                    self.classes.push((class.cast_into::<PyType>()?.unbind(), ClauseId(id)));
                }
            }
            None => self.any = self.any.or(Some(ClauseId(id))),
        }
        let tail = OnceLock::new();
        self.clauses.push(Clause { form, is_generator, function, bind, name: name.unbind(), tail });
        Ok(())
    }

    /// The clause for an effect: the nearest class in its MRO first, a clause for every effect last.
    #[must_use]
    pub fn select(&self, effect: &Bound<'_, PyAny>) -> Option<ClauseId> {
        let class = effect.get_type();
        if let Some((_, id)) = self.classes.iter().find(|(listed, _)| listed.is(&class)) {
            return Some(*id);
        }
        if self.classes.is_empty() {
            return self.any;
        }
        let inherited = class.mro().iter().skip(1).find_map(|base| {
            let listed = self.classes.iter().find(|(listed, _)| listed.is(&base));
            listed.map(|(_, id)| *id)
        });
        inherited.or(self.any)
    }

    /// The clause at that place.
    #[must_use]
    pub fn clause(&self, id: ClauseId) -> &Clause {
        &self.clauses[id.index()]
    }

    /// A method of the life cycle.
    #[must_use]
    pub const fn method(&self, hook: Hook) -> Option<&Method> {
        match hook {
            Hook::Enter => self.methods[0].as_ref(),
            Hook::Result => self.methods[1].as_ref(),
            Hook::Exit => self.methods[3].as_ref(),
            Hook::Fork => self.methods[4].as_ref(),
        }
    }

    /// The method `error` of the life cycle.
    #[must_use]
    pub const fn error_method(&self) -> Option<&Method> {
        self.methods[2].as_ref()
    }

    /// Whether clauses or methods work on the handler object, so that each installation has one of its own.
    #[must_use]
    pub fn is_stateful(&self) -> bool {
        self.native.is_none() && (self.clauses.iter().any(|clause| clause.bind) || self.hooks != Hooks::none())
    }
}

/// An installation of a handler: what the machine holds.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct Installed {
    /// The object that the user gave; a `Local` or a `Listen` has none.
    pub original: Option<Py<PyAny>>,
    /// The object that clauses work on.
    pub instance: Py<PyAny>,
    /// Its clauses.
    pub table: Py<HandlerTable>,
    /// Its name, for messages.
    pub name: Py<PyString>,
}

#[pymethods]
impl Installed {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.original)?;
        visit.call(&self.instance)?;
        visit.call(&self.table)
    }
}

/// A handler that was given to `run`, by its place there.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct RootHandler {
    /// The handler.
    pub resolved: Py<PyAny>,
    /// Its place, from the outermost.
    pub index: usize,
}

#[pymethods]
impl RootHandler {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.resolved)
    }
}

/// Adds the classes to the module.
///
/// # Errors
/// When the module refuses one.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Nobody names these: they are made now, for later there may be no memory to make them.
    let _ = (module.py().get_type::<Installed>(), module.py().get_type::<RootHandler>());
    module.add_class::<HandlerBase>()?;
    module.add_class::<HandlerTable>()
}
