//! The one file that runs user code. It gets a call and gives the outcome, and knows nothing of the machine that asked.

use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyDict, PyIterator, PyList, PyNone, PyString};
use pyo3::{PyTypeCheck, ffi};

use super::classes::handler::{Clause, HandlerTable, Installed, Method, RootHandler, Tail};
use super::classes::mistake::mistake;
use super::classes::nodes;
use super::classes::root_generator::RootGenerator;
use super::classes::store::{Mapping, with_thunks};
use super::classes::text::{LIMIT, escape, safe_repr, type_name};
use super::classes::vectorcall::call_by_position;
use super::context;
use super::error::from_function;
use super::found::{Found, name};
use super::generator;
use super::passage::Passage;
use super::roots::Roots;
use super::world::{ClauseCode, Code, Missing, PyWorld, Request, ends_clause, resumes_own};
use crate::core::ids::ClauseId;
use crate::core::native::Native;
use crate::core::segment::Hooks;
use crate::core::step::{Hook, Installation, Outcome, PythonCall};
use crate::effects::{EventLoop, Reader, Scheduler, Settings, State, Writer};

/// Runs it.
pub fn run(py: Python<'_>, call: PythonCall<PyWorld>, roots: &mut Roots, passage: &Passage) -> Outcome<PyWorld> {
    let outcome = match call {
        PythonCall::Send(code, value) => return send(py, code, value.bind(py)),
        PythonCall::Throw(code, error) => return throw(py, code, &error, passage),
        PythonCall::Start(call) => start(py, call.bind(py)),
        PythonCall::Call(call) => call_node(call.bind(py)),
        PythonCall::Apply(function, argument) => returned(py, function.bind(py).call1((argument,))),
        PythonCall::Clause { handler, clause, effect, k } => {
            return run_clause(py, &handler, clause, &effect, k.as_ref());
        }
        PythonCall::Install(node) => install(node.bind(py), roots),
        PythonCall::Hook(handler, hook, argument) => run_hook(py, &handler, hook, argument),
        PythonCall::ErrorHook(handler, error) => {
            let method = handler.get().table.get().error_method();
            run_method(py, &handler, method, Some(error.into_any()))
        }
        PythonCall::Adopt(handler, value) => adopt(py, &handler, value.bind(py)),
        PythonCall::Request(request) => serve(py, request).map(Outcome::Returned),
    };
    outcome.unwrap_or_else(|error| Outcome::Raised(from_function(py, error).into_value(py)))
}

/// One step of a generator.
pub fn send(py: Python<'_>, code: Code, value: &Bound<'_, PyAny>) -> Outcome<PyWorld> {
    step(py, &code, value).of(py, code)
}

/// What came of a step. Two words: it goes in registers.
#[derive(Debug)]
pub enum Sent {
    /// The generator is suspended at this.
    Yielded(Py<PyAny>),
    /// It ended, or is as good as ended.
    Returned(Py<PyAny>),
    /// It ended.
    Raised(Py<PyBaseException>),
}

impl Sent {
    /// The same with the generator whose step it was.
    pub fn of(self, py: Python<'_>, code: Code) -> Outcome<PyWorld> {
        let outcome = match self {
            Self::Yielded(value) => return Outcome::Yielded(code, value),
            Self::Returned(value) => Outcome::Returned(value),
            Self::Raised(error) => Outcome::Raised(error),
        };
        code.let_go(py);
        outcome
    }
}

/// One step of a generator, which stays where it is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "each effect makes one")]
pub fn step(py: Python<'_>, code: &Code, value: &Bound<'_, PyAny>) -> Sent {
    if code.is_given() && is_over(code.generator.bind(py)) {
        let error = PyRuntimeError::new_err("the generator that was given to run() was closed while the run went on");
        return Sent::Raised(error.into_value(py));
    }
    let generator = code.generator.bind(py);
    match generator::send(generator, value) {
        Ok(PySendResult::Next(value)) => yielded(py, code, value),
        Ok(PySendResult::Return(value)) => Sent::Returned(value.unbind()),
        Err(error) => {
            context::strip_own(generator, &error);
            Sent::Raised(error.unbind())
        }
    }
}

/// Whether the generator has no frame any more: to send into it would give `None`, as if it had returned that.
fn is_over(generator: &Bound<'_, PyIterator>) -> bool {
    generator::FRAME.read(generator.as_any()).is_ok_and(|frame| frame.is_none())
}

/// An error at the yield of a generator.
fn throw(py: Python<'_>, code: Code, error: &Py<PyBaseException>, passage: &Passage) -> Outcome<PyWorld> {
    let before = context::traceback_of(error.bind(py));
    let generator = code.generator.bind(py);
    let sent = match generator::throw(generator, error.bind(py)) {
        Ok(PySendResult::Next(value)) => yielded(py, &code, value),
        Ok(PySendResult::Return(value)) => Sent::Returned(value.unbind()),
        // The driver empties its traceback.
        Err(raised) if raised.is(error) && passage.throws(error) => Sent::Raised(raised.unbind()),
        Err(error) => {
            context::strip(&error, before.as_ref());
            context::strip_own(generator, &error);
            Sent::Raised(error.unbind())
        }
    };
    sent.of(py, code)
}

/// A generator yielded. A clause that continues its own `k` in tail position is finished there and then: what it yields
/// means the same as what it would return, and its frame does not stay (semantics 2). What may fail at the yield, a `k`
/// that was used or a `Delegate`, leaves it suspended there.
#[inline]
fn yielded(py: Python<'_>, code: &Code, value: Bound<'_, PyAny>) -> Sent {
    match code.clause() {
        Some(clause) => yielded_by_clause(py, code, clause, value),
        None => Sent::Yielded(value.unbind()),
    }
}

#[inline(never)]
fn yielded_by_clause(py: Python<'_>, code: &Code, clause: &ClauseCode, value: Bound<'_, PyAny>) -> Sent {
    if !resumes_own(&value, clause.k.as_ref()) || !is_tail(py, code, clause) {
        return Sent::Yielded(value.unbind());
    }
    match generator::send(code.generator.bind(py), &PyNone::get(py)) {
        Ok(PySendResult::Return(_)) => Sent::Returned(value.unbind()),
        Ok(PySendResult::Next(other)) => Sent::Yielded(other.unbind()),
        Err(error) => Sent::Raised(error.unbind()),
    }
}

fn is_tail(py: Python<'_>, code: &Code, clause: &ClauseCode) -> bool {
    let generator = code.generator.bind(py);
    let clause = clause.clause();
    let is_at = match clause.tail(py) {
        Ok(Tail::Nowhere) | Err(_) => false,
        Ok(Tail::Everywhere) => true,
        Ok(Tail::At(offsets)) => context::frame_of(generator).is_ok_and(|frame| offsets.contains(&frame.at())),
    };
    is_at && generator::code_of(generator).is_some_and(|code| clause.was_read_in(&code))
}

/// What a function gave.
fn returned(py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> PyResult<Outcome<PyWorld>> {
    match result {
        Ok(value) => Ok(Outcome::Returned(value.unbind())),
        Err(error) => Err(from_function(py, error)),
    }
}

/// What a function gave that is flagged as a generator function: its generator is started.
fn started(
    py: Python<'_>,
    result: PyResult<Bound<'_, PyAny>>,
    clause: Option<ClauseCode>,
) -> PyResult<Outcome<PyWorld>> {
    result.map(|value| begun(py, value, clause)).map_err(|error| from_function(py, error))
}

/// A generator is started; another value is what the function came to.
#[inline]
#[expect(unsafe_code, reason = "it is asked by its class")]
fn begun(py: Python<'_>, value: Bound<'_, PyAny>, clause: Option<ClauseCode>) -> Outcome<PyWorld> {
    if !std::ptr::eq(value.get_type_ptr(), &raw const ffi::PyGen_Type) {
        return Outcome::Returned(value.unbind());
    }
    // SAFETY: generators are iterators.
    let generator = unsafe { value.cast_into_unchecked() }.unbind();
    send(py, Code::of(generator, clause), &PyNone::get(py))
}

/// A `@do` call, or the generator that was given to `run`.
fn start(py: Python<'_>, call: &Bound<'_, PyAny>) -> PyResult<Outcome<PyWorld>> {
    if let Ok(root) = call.cast_exact::<RootGenerator>() {
        let generator = &root.get().generator;
        // Another run may have taken it since this one was set up.
        root.get().check(py)?;
        return Ok(send(py, Code::given(generator.clone_ref(py)), &PyNone::get(py)));
    }
    Ok(start_do(py, call.cast::<nodes::Call>()?.get()))
}

/// Makes the call of a `@do` function.
pub fn start_do(py: Python<'_>, node: &nodes::Call) -> Outcome<PyWorld> {
    match node.arguments.call(node.function.bind(py)) {
        Ok(value) if node.is_generator => begun(py, value, None),
        Ok(value) => Outcome::Returned(value.unbind()),
        Err(error) => Outcome::Raised(from_function(py, error).into_value(py)),
    }
}

fn call_node(call: &Bound<'_, PyAny>) -> PyResult<Outcome<PyWorld>> {
    let py = call.py();
    let node = call.cast::<nodes::Call>()?.get();
    returned(py, node.arguments.call(node.function.bind(py)))
}

/// Calls a clause; when it makes a generator, starts it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "each clause passes here")]
pub fn run_clause(
    py: Python<'_>,
    handler: &Py<Installed>,
    id: ClauseId,
    effect: &Py<PyAny>,
    k: Option<&Py<PyAny>>,
) -> Outcome<PyWorld> {
    clause_outcome(py, handler, id, effect, k)
        .unwrap_or_else(|error| Outcome::Raised(from_function(py, error).into_value(py)))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "each clause passes here")]
fn clause_outcome(
    py: Python<'_>,
    handler: &Py<Installed>,
    id: ClauseId,
    effect: &Py<PyAny>,
    k: Option<&Py<PyAny>>,
) -> PyResult<Outcome<PyWorld>> {
    let installed = handler.get();
    let clause = installed.table.get().clause(id);
    let function = clause.function.as_ref().ok_or_else(|| PyTypeError::new_err("a native clause has no function"))?;
    let function = function.bind(py);
    // A value clause has no `k` to resume in tail position.
    let is_tail = clause.is_generator && k.is_some() && !matches!(clause.tail(py)?, Tail::Nowhere);
    let result = match (clause.bind, k) {
        (false, None) => call_by_position(function, [effect]),
        (false, Some(k)) => call_by_position(function, [effect, k]),
        (true, None) => call_by_position(function, [&installed.instance, effect]),
        (true, Some(k)) => call_by_position(function, [&installed.instance, effect, k]),
    };
    if clause.is_generator {
        let k = k.map(|k| k.clone_ref(py));
        let known = is_tail.then(|| ClauseCode { handler: handler.clone_ref(py), clause: id, k });
        return started(py, result, known);
    }
    let value = result.map_err(|error| from_function(py, error))?;
    if std::ptr::eq(value.get_type_ptr(), &raw const ffi::PyCoro_Type) {
        return Err(no_coroutine(py, clause, &value));
    }
    if k.is_none() && ends_clause(&value, None) {
        return Ok(Outcome::Forwarded(value.unbind(), effect.clone_ref(py)));
    }
    Ok(Outcome::Returned(value.unbind()))
}

fn no_coroutine(py: Python<'_>, clause: &Clause, value: &Bound<'_, PyAny>) -> PyErr {
    let name = clause.name.bind(py).to_string_lossy();
    mistake(py, value, &format!("the clause {name} returns a value; async handlers are not supported"))
}

fn run_hook(
    py: Python<'_>,
    handler: &Py<Installed>,
    hook: Hook,
    argument: Option<Py<PyAny>>,
) -> PyResult<Outcome<PyWorld>> {
    run_method(py, handler, handler.get().table.get().method(hook), argument)
}

fn run_method(
    py: Python<'_>,
    handler: &Py<Installed>,
    method: Option<&Method>,
    argument: Option<Py<PyAny>>,
) -> PyResult<Outcome<PyWorld>> {
    let Some(method) = method else {
        return Ok(Outcome::Returned(argument.unwrap_or_else(|| py.None())));
    };
    let instance = &handler.get().instance;
    let result = match argument {
        Some(argument) => method.function.bind(py).call1((instance, argument)),
        None => method.function.bind(py).call1((instance,)),
    };
    if method.is_generator { started(py, result, None) } else { returned(py, result) }
}

/// Makes a handler ready: a fresh object for a class, state of its own for a built-in one.
fn install(node: &Bound<'_, PyAny>, roots: &mut Roots) -> PyResult<Outcome<PyWorld>> {
    let py = node.py();
    if let Ok(local) = node.cast::<nodes::Local>() {
        let overrides = Mapping::of(with_thunks(local.get().overrides.bind(py))?);
        let native = Reader::overrides(Py::new(py, overrides)?.into_any());
        return native_node(py, "reader", "Local", Box::new(native));
    }
    if node.is_instance_of::<nodes::Listen>() {
        let native = Writer::tee(PyList::empty(py).into_any().unbind());
        return native_node(py, "writer", "Listen", Box::new(native));
    }
    let node = node.cast::<nodes::WithHandler>()?.get();
    let given = node.resolved.bind(py);
    let root = given.cast_exact::<RootHandler>().ok().map(Bound::get);
    let resolved = root.map_or(given, |root| root.resolved.bind(py));
    let table = table_of(resolved)?;
    let instance = if table.get().is_stateful() {
        static FRESH: Found = Found::not_yet();
        FRESH.import(py, "segue._copying", "fresh")?.call1((resolved,))?.unbind()
    } else {
        resolved.clone().unbind()
    };
    let native = match &table.get().native {
        Some(kind) => Some(native_handler(kind, resolved, root, roots)?),
        None => None,
    };
    let installed = Installed {
        original: Some(node.handler.clone_ref(py)),
        instance: instance.clone_ref(py),
        name: handler_label(resolved),
        table: table.unbind(),
    };
    if let Some(root) = root {
        roots.installed(py, root.index, &installed);
    }
    let hooks = installed.table.get().hooks;
    Ok(Outcome::Installed(Installation { handler: Py::new(py, installed)?, native, hooks }))
}

fn table_of<'py>(handler: &Bound<'py, PyAny>) -> PyResult<Bound<'py, HandlerTable>> {
    let table = handler.getattr(name!(c"__segue_table__"))?;
    Ok(table.cast_into::<HandlerTable>()?)
}

/// The same as an object: the name itself where it can be shown as it is, for there may be no memory to make another.
fn handler_label(handler: &Bound<'_, PyAny>) -> Py<PyString> {
    let py = handler.py();
    let label = handler_name(handler);
    let own = handler.getattr_opt(name!(c"__name__")).ok().flatten();
    match own.map(Bound::cast_into_exact::<PyString>) {
        Some(Ok(name)) if name.to_str().is_ok_and(|name| name == label) => name.unbind(),
        _ => PyString::new(py, &label).unbind(),
    }
}

/// What a handler is called in messages: the function's name, or the class's.
fn handler_name(handler: &Bound<'_, PyAny>) -> String {
    match handler.getattr_opt(name!(c"__name__")) {
        Ok(Some(name)) if PyString::type_check(&name) => escape(&name.to_string(), LIMIT),
        _ => handler.get_type().name().map_or_else(|_| type_name(handler), |name| escape(&name.to_string(), LIMIT)),
    }
}

fn native_handler(
    kind: &str,
    handler: &Bound<'_, PyAny>,
    root: Option<&RootHandler>,
    roots: &mut Roots,
) -> PyResult<Box<dyn Native<PyWorld>>> {
    let py = handler.py();
    let settings = handler.getattr(name!(c"settings"))?;
    if kind == "event_loop" {
        return Ok(Box::new(EventLoop));
    }
    if kind == "scheduler" {
        return Ok(Box::new(Scheduler::new(&scheduler_settings(&settings)?)));
    }
    let start = settings.cast_into::<PyDict>().unwrap_or_else(|_| roots.start_of(py, kind));
    Ok(match kind {
        "state" => {
            let entries = start.copy()?;
            if let Some(root) = root {
                roots.state(root.index, entries.clone().unbind());
            }
            Box::new(State::new(Py::new(py, Mapping::of(entries))?.into_any()))
        }
        "reader" => {
            let entries = with_thunks(&start)?;
            Box::new(Reader::new(Py::new(py, Mapping::of(entries))?.into_any()))
        }
        _ => {
            let log = PyList::empty(py);
            if let Some(root) = root {
                roots.writer(root.index, log.clone().unbind());
            }
            Box::new(Writer::new(log.into_any().unbind()))
        }
    })
}

/// How a scheduler is set up: what it was called with, checked there.
fn scheduler_settings(given: &Bound<'_, PyAny>) -> PyResult<Settings> {
    if given.is_none() {
        return Ok(Settings::default());
    }
    let clock = given.get_item(name!(c"clock"))?;
    Ok(Settings {
        seed: given.get_item(name!(c"seed"))?.extract()?,
        slice: given.get_item(name!(c"slice"))?.extract()?,
        virtual_start: if clock.is_none() { None } else { Some(clock.getattr(name!(c"start"))?.extract()?) },
    })
}

/// The installation of a `Local` or a `Listen`, under the clauses of the built-in handler.
fn native_node(
    py: Python<'_>,
    handler: &str,
    name: &str,
    native: Box<dyn Native<PyWorld>>,
) -> PyResult<Outcome<PyWorld>> {
    let handler = py.import(name!(c"segue._builtin"))?.getattr(handler)?;
    let installed = Installed {
        original: None,
        table: table_of(&handler)?.unbind(),
        instance: handler.unbind(),
        name: PyString::new(py, name).unbind(),
    };
    let handler = Py::new(py, installed)?;
    Ok(Outcome::Installed(Installation { handler, native: Some(native), hooks: Hooks::none() }))
}

/// What `fork()` gave: a handler object for the fork, or nothing to share the installation.
fn adopt(py: Python<'_>, handler: &Py<Installed>, value: &Bound<'_, PyAny>) -> PyResult<Outcome<PyWorld>> {
    let installed = handler.get();
    let hooks = installed.table.get().hooks;
    if value.is_none() || value.is(&installed.instance) {
        return Ok(Outcome::Installed(Installation { handler: handler.clone_ref(py), native: None, hooks }));
    }
    let same_class = value.get_type().is(installed.instance.bind(py).get_type());
    if !same_class {
        let name = installed.name.bind(py).to_string_lossy();
        let told = safe_repr(value);
        return Err(PyTypeError::new_err(format!(
            "fork() of {name} gives another {name}, or None to share this one, and not {told}"
        )));
    }
    let fork = Installed {
        original: installed.original.as_ref().map(|original| original.clone_ref(py)),
        instance: value.clone().unbind(),
        table: installed.table.clone_ref(py),
        name: installed.name.clone_ref(py),
    };
    Ok(Outcome::Installed(Installation { handler: Py::new(py, fork)?, native: None, hooks }))
}

/// Work on a mapping whose keys may have a `__hash__` and an `__eq__` of their own.
fn serve(py: Python<'_>, request: Request) -> PyResult<Py<PyAny>> {
    match request {
        Request::Load(mapping, key) => match mapping.get().entries.bind(py).get_item(&key)? {
            Some(value) => Ok(value.unbind()),
            None => Ok(Py::new(py, Missing)?.into_any()),
        },
        Request::Store(mapping, key, value) => {
            mapping.get().admit(key.bind(py));
            mapping.get().entries.bind(py).set_item(&key, &value)?;
            Ok(py.None())
        }
        Request::Modify(mapping, key, function) => {
            let entries = mapping.get().entries.bind(py);
            let Some(old) = entries.get_item(&key)? else {
                return Ok(Py::new(py, Missing)?.into_any());
            };
            let new = function.bind(py).call1((&old,)).map_err(|error| from_function(py, error))?;
            entries.set_item(&key, new)?;
            Ok(old.unbind())
        }
    }
}

/// Ends a generator without effects: what ends the run is raised again at each of its yields. What else it raises goes to
/// `sys.unraisablehook`.
pub fn close(py: Python<'_>, code: Code, ending: &Py<PyBaseException>) {
    let generator: &Bound<'_, PyIterator> = code.generator.bind(py);
    for _ in 0..STUBBORN_YIELDS {
        match generator::throw(generator, ending.bind(py)) {
            Ok(PySendResult::Next(_effect)) => {}
            Ok(PySendResult::Return(_)) => return,
            Err(error) => {
                if !error.is(ending) {
                    PyErr::from_value(error.into_any()).write_unraisable(py, Some(generator.as_any()));
                }
                return;
            }
        }
    }
    if let Err(error) = generator.call_method0(name!(c"close")) {
        error.write_unraisable(py, Some(generator.as_any()));
    }
}

/// How many yields of a generator are met before it is given up.
const STUBBORN_YIELDS: u32 = 1000;

/// Runs `exit` of a handler without effects; what it raises goes to `sys.unraisablehook`.
pub fn exit(py: Python<'_>, handler: &Py<Installed>, ending: &Py<PyBaseException>) {
    let error = match run_hook(py, handler, Hook::Exit, None) {
        Ok(Outcome::Yielded(code, _)) => return close(py, code, ending),
        Ok(Outcome::Raised(error)) => PyErr::from_value(error.into_bound(py).into_any()),
        Ok(_) => return,
        Err(error) => error,
    };
    error.write_unraisable(py, Some(handler.get().instance.bind(py)));
}
