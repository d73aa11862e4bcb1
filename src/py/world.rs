//! The machine's world in Python: its types, and the leaf queries about them. Nothing here runs user code.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyList, PyString, PyTuple, PyType};

use super::classes::continuation::K;
use super::classes::effect::EffectBase;
use super::classes::handler::{Installed, Tail};
use super::classes::nodes::{self, DoExpr, NodeKind};
use super::classes::outcome;
use super::classes::root_generator::RootGenerator;
use super::classes::store::{Mapping, Progress, ThunkCell};
use super::contained::refused;
use super::context;
use crate::core::continuation::ContinuationCell;
use crate::core::ctrl::Ctrl;
use crate::core::frame::Resumption;
use crate::core::host::{Form, Host, World};
use crate::core::ids::ClauseId;
use crate::core::native::{Load, Store, Thunk};

/// The types of the world.
#[derive(Debug)]
pub enum PyWorld {}

/// How many generators are suspended in this process, over all runs.
pub static LIVE_FRAMES: AtomicUsize = AtomicUsize::new(0);

/// Counts one generator as long as it lives.
#[derive(Debug)]
pub struct Counted(());

impl Counted {
    fn one() -> Self {
        LIVE_FRAMES.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE_FRAMES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Code {
    /// A generator that is about to start.
    #[must_use]
    pub fn of(generator: Py<PyIterator>, clause: Option<Box<ClauseCode>>) -> Self {
        Self { generator, clause, is_given: false, counted: Counted::one() }
    }

    /// A generator that the user made and may still hold.
    #[must_use]
    pub fn given(generator: Py<PyIterator>) -> Self {
        Self { is_given: true, ..Self::of(generator, None) }
    }
}

/// A suspended generator.
#[derive(Debug)]
pub struct Code {
    /// The generator.
    pub generator: Py<PyIterator>,
    /// The installation whose clause it is, with the clause's place and the address of its own `k`: for tail yields.
    pub clause: Option<Box<ClauseCode>>,
    /// Whether the user made it: then somebody else may close it meanwhile.
    pub is_given: bool,
    #[expect(dead_code, reason = "counts while it lives")]
    counted: Counted,
}

/// What is known of a generator clause that may yield in tail position.
#[derive(Debug)]
pub struct ClauseCode {
    /// The handler.
    pub handler: Py<Installed>,
    /// The clause.
    pub clause: ClauseId,
    /// Its own `k`.
    pub k: Option<Py<PyAny>>,
}

impl ClauseCode {
    /// Where its yields are in tail position.
    pub fn tail<'a>(&'a self, py: Python<'a>) -> PyResult<&'a Tail> {
        self.handler.get().table.get().clause(self.clause).tail(py)
    }
}

/// Work on a mapping that may run user code.
#[derive(Debug)]
pub enum Request {
    /// The value under a key.
    Load(Py<Mapping>, Py<PyAny>),
    /// Puts a value under a key.
    Store(Py<Mapping>, Py<PyAny>, Py<PyAny>),
    /// Replaces a value by a function of it; gives the old one.
    Modify(Py<Mapping>, Py<PyAny>, Py<PyAny>),
}

/// What a request says when there is no such key.
#[pyclass(frozen, module = "segue._vm")]
#[derive(Debug)]
pub struct Missing;

impl World for PyWorld {
    type Value = Py<PyAny>;
    type Error = Py<PyBaseException>;
    type Code = Code;
    type ClassId = usize;
    type Class = Py<PyType>;
    type Handler = Py<Installed>;
    type Call = Py<PyAny>;
    type Label = Py<PyString>;
    type Request = Request;
}

/// A dead object.
#[derive(Debug)]
#[expect(dead_code, reason = "held until it is dropped")]
pub enum Dead {
    /// A value, an error, a handler, a class or a label.
    Object(Py<PyAny>),
    /// A generator.
    Code(Code),
}

/// The host: the interpreter, and the trash that the driver empties.
pub struct PyHost<'a, 'py> {
    /// The interpreter.
    pub py: Python<'py>,
    /// What is dead.
    pub trash: &'a mut Vec<Dead>,
    /// `segue._errors.Discontinued`.
    pub discontinued: &'a Py<PyAny>,
}

impl<'py> PyHost<'_, 'py> {
    fn bury<T>(&mut self, object: Py<T>) {
        self.put_aside(Dead::Object(object.into_any()));
    }

    /// Takes what is dead. Where there is no memory to remember it, it is leaked: dropped in here it could run user code.
    fn put_aside(&mut self, dead: Dead) {
        if self.trash.len() == self.trash.capacity() && self.trash.try_reserve(1).is_err() {
            std::mem::forget(dead);
        } else {
            self.trash.push(dead);
        }
    }

    /// What the interpreter made; without it the run cannot go on.
    fn made<T>(&self, made: PyResult<T>) -> T {
        made.unwrap_or_else(|error| refused(self.py, error))
    }

    fn mapping<'v>(&self, value: &'v Py<PyAny>) -> &'v Bound<'py, Mapping> {
        value.bind(self.py).cast_exact::<Mapping>().expect("a native handler works on a mapping")
    }
}

impl Store<PyWorld> for PyHost<'_, '_> {
    fn discard(&mut self, value: Py<PyAny>) {
        self.put_aside(Dead::Object(value));
    }

    fn share(&self, value: &Py<PyAny>) -> Py<PyAny> {
        value.clone_ref(self.py)
    }

    fn unit(&self) -> Py<PyAny> {
        self.py.None()
    }

    fn is_unit(&self, value: &Py<PyAny>) -> bool {
        value.is_none(self.py)
    }

    fn field(&self, effect: &Py<PyAny>, index: usize) -> Py<PyAny> {
        let fields = effect.bind(self.py).cast::<EffectBase>().ok();
        let field = fields.and_then(|effect| effect.get().fields.bind(self.py).get_item(index).ok());
        field.map_or_else(|| self.py.None(), Bound::unbind)
    }

    fn load(&mut self, mapping: &Py<PyAny>, key: &Py<PyAny>) -> Load<PyWorld> {
        let mapping = self.mapping(mapping);
        if !mapping.get().serves(key.bind(self.py)) {
            return Load::Request(Request::Load(mapping.clone().unbind(), key.clone_ref(self.py)));
        }
        match mapping.get().entries.bind(self.py).get_item(key) {
            Ok(Some(value)) => Load::Found(value.unbind()),
            Ok(None) => Load::Missing,
            Err(_) => Load::Request(Request::Load(mapping.clone().unbind(), key.clone_ref(self.py))),
        }
    }

    fn store(&mut self, mapping: &Py<PyAny>, key: Py<PyAny>, value: Py<PyAny>) -> Option<Request> {
        let mapping = self.mapping(mapping);
        if !mapping.get().serves(key.bind(self.py)) {
            return Some(Request::Store(mapping.clone().unbind(), key, value));
        }
        let entries = mapping.get().entries.bind(self.py);
        // The old value must not die in here: its finaliser is user code.
        if let Ok(Some(old)) = entries.get_item(&key) {
            self.put_aside(Dead::Object(old.unbind()));
        }
        if entries.set_item(&key, &value).is_err() {
            return Some(Request::Store(mapping.clone().unbind(), key, value));
        }
        self.put_aside(Dead::Object(key));
        self.put_aside(Dead::Object(value));
        None
    }

    fn modify(&mut self, mapping: &Py<PyAny>, key: Py<PyAny>, function: Py<PyAny>) -> Request {
        Request::Modify(self.mapping(mapping).clone().unbind(), key, function)
    }

    fn is_missing(&self, value: &Py<PyAny>) -> bool {
        value.bind(self.py).is_exact_instance_of::<Missing>()
    }

    fn copy(&mut self, mapping: &Py<PyAny>) -> Py<PyAny> {
        let copied = self.mapping(mapping).get().copied(self.py).and_then(|copy| Py::new(self.py, copy));
        self.made(copied).into_any()
    }

    fn append(&mut self, list: &Py<PyAny>, value: Py<PyAny>) {
        if let Ok(list) = list.bind(self.py).cast_exact::<PyList>() {
            self.made(list.append(&value));
        }
        self.put_aside(Dead::Object(value));
    }

    fn pair(&mut self, first: Py<PyAny>, second: Py<PyAny>) -> Py<PyAny> {
        self.made((first, second).into_pyobject(self.py)).into_any().unbind()
    }

    fn thunk(&mut self, value: &Py<PyAny>) -> Thunk<PyWorld> {
        let Ok(cell) = value.bind(self.py).cast_exact::<ThunkCell>() else { return Thunk::Plain };
        let cell = cell.get();
        match &*cell.progress() {
            Progress::Fresh => Thunk::Fresh(cell.lazy.get().program.clone_ref(self.py)),
            Progress::Running => Thunk::Running,
            Progress::Done(value) => Thunk::Done(value.clone_ref(self.py)),
        }
    }

    fn start_thunk(&mut self, thunk: &Py<PyAny>) {
        if let Ok(cell) = thunk.bind(self.py).cast_exact::<ThunkCell>() {
            *cell.get().progress() = Progress::Running;
        }
    }

    fn settle_thunk(&mut self, thunk: &Py<PyAny>, value: Option<Py<PyAny>>) {
        if let Ok(cell) = thunk.bind(self.py).cast_exact::<ThunkCell>() {
            *cell.get().progress() = value.map_or(Progress::Fresh, Progress::Done);
        }
    }
}

impl Host<PyWorld> for PyHost<'_, '_> {
    fn classify(&mut self, value: Py<PyAny>) -> Ctrl<PyWorld> {
        let py = self.py;
        let bound = value.bind(py);
        if bound.is_instance_of::<EffectBase>() {
            return Ctrl::Perform(value);
        }
        let ctrl = match bound.cast::<DoExpr>() {
            Ok(node) => match node.get().kind {
                NodeKind::Call => {
                    let is_do = bound.cast::<nodes::Call>().is_ok_and(|call| call.get().is_do);
                    return if is_do { Ctrl::Do(value) } else { Ctrl::Call(value) };
                }
                kind => self.reduce(bound, kind),
            },
            Err(_) if bound.is_exact_instance_of::<RootGenerator>() => return Ctrl::Do(value),
            Err(_) => return Ctrl::NotProgram(value),
        };
        self.put_aside(Dead::Object(value));
        ctrl
    }

    fn class_of(&self, effect: &Py<PyAny>) -> usize {
        effect.bind(self.py).get_type_ptr() as usize
    }

    fn hold_class(&self, effect: &Py<PyAny>) -> Py<PyType> {
        effect.bind(self.py).get_type().unbind()
    }

    fn select(&self, handler: &Py<Installed>, effect: &Py<PyAny>) -> Option<ClauseId> {
        handler.get().table.get().select(effect.bind(self.py))
    }

    fn form(&self, handler: &Py<Installed>, clause: ClauseId) -> Form {
        handler.get().table.get().clause(clause).form
    }

    fn allows(&self, allow: &Py<PyAny>, effect: &Py<PyAny>) -> bool {
        let class = effect.bind(self.py).get_type();
        allow.bind(self.py).cast::<PyTuple>().is_ok_and(|allow| allow.iter().any(|listed| listed.is(&class)))
    }

    fn ends_clause(&self, value: &Py<PyAny>, k: Option<&Py<PyAny>>) -> bool {
        ends_clause(value.bind(self.py), k)
    }

    fn clone_value(&self, value: &Py<PyAny>) -> Py<PyAny> {
        value.clone_ref(self.py)
    }

    fn clone_error(&self, error: &Py<PyBaseException>) -> Py<PyBaseException> {
        error.clone_ref(self.py)
    }

    fn clone_handler(&self, handler: &Py<Installed>) -> Py<Installed> {
        handler.clone_ref(self.py)
    }

    fn label(&self, handler: &Py<Installed>, clause: ClauseId) -> Py<PyString> {
        handler.get().table.get().clause(clause).name.clone_ref(self.py)
    }

    fn same_error(&self, one: &Py<PyBaseException>, other: &Py<PyBaseException>) -> bool {
        one.is(other)
    }

    fn is_exception(&self, error: &Py<PyBaseException>) -> bool {
        error.bind(self.py).is_instance_of::<PyException>()
    }

    fn discontinued(&mut self) -> Py<PyBaseException> {
        let made = self.discontinued.bind(self.py).call0();
        match made.and_then(|made| Ok(made.cast_into::<PyBaseException>()?)) {
            Ok(made) => made.unbind(),
            Err(error) => error.into_value(self.py),
        }
    }

    fn chain_context(&mut self, error: &Py<PyBaseException>, earlier: Py<PyBaseException>) {
        context::chain(self.py, error, &earlier);
        self.bury(earlier);
    }

    fn clone_label(&self, label: &Py<PyString>) -> Py<PyString> {
        label.clone_ref(self.py)
    }

    fn same_value(&self, one: &Py<PyAny>, other: &Py<PyAny>) -> bool {
        one.is(other)
    }

    fn make_k(&mut self, cell: ContinuationCell<PyWorld>) -> Py<PyAny> {
        self.made(Py::new(self.py, K { cell })).into_any()
    }

    fn cell<'a>(&'a self, k: &'a Py<PyAny>) -> &'a ContinuationCell<PyWorld> {
        // Nodes check at once that they are given a `K`.
        let k = k.bind(self.py).cast_exact::<K>().expect("a node for a continuation holds a K");
        &k.get().cell
    }

    fn ok(&mut self, value: Py<PyAny>) -> Py<PyAny> {
        self.made(Py::new(self.py, outcome::Ok::of(value))).into_any()
    }

    fn err(&mut self, error: Py<PyBaseException>) -> Py<PyAny> {
        self.made(Py::new(self.py, outcome::Err::of(error))).into_any()
    }

    fn sequence(&mut self, values: Vec<Py<PyAny>>) -> Py<PyAny> {
        self.made(PyList::new(self.py, values)).into_any().unbind()
    }

    fn handler_object(&self, handler: &Py<Installed>) -> Option<Py<PyAny>> {
        handler.get().original.as_ref().map(|original| original.clone_ref(self.py))
    }

    fn describe_code(&mut self, code: &Code) -> Py<PyAny> {
        context::program_line(self.py, code)
    }

    fn describe_clause(&mut self, label: Option<Py<PyString>>, effect: &Py<PyAny>) -> Py<PyAny> {
        context::clause_line(self.py, label, effect)
    }

    fn describe_handler(&mut self, handler: &Py<Installed>) -> Py<PyAny> {
        context::handler_line(self.py, handler)
    }

    fn handler_label(&self, handler: &Py<Installed>) -> Py<PyString> {
        handler.get().name.clone_ref(self.py)
    }

    fn show_call(&self, call: &Py<PyAny>) -> Py<PyAny> {
        call.clone_ref(self.py)
    }

    fn discard_call(&mut self, call: Py<PyAny>) {
        self.bury(call);
    }

    fn discard_error(&mut self, error: Py<PyBaseException>) {
        self.bury(error);
    }

    fn discard_code(&mut self, code: Code) {
        self.put_aside(Dead::Code(code));
    }

    fn discard_handler(&mut self, handler: Py<Installed>) {
        self.bury(handler);
    }

    fn discard_class(&mut self, class: Py<PyType>) {
        self.bury(class);
    }

    fn discard_label(&mut self, label: Py<PyString>) {
        self.bury(label);
    }
}

/// Whether what a clause returned is a node for its own `k`, a `Pass` or a `Delegate`.
#[must_use]
pub fn ends_clause(value: &Bound<'_, PyAny>, k: Option<&Py<PyAny>>) -> bool {
    let Ok(node) = value.cast::<DoExpr>() else { return false };
    match node.get().kind {
        NodeKind::Pass | NodeKind::Delegate => true,
        NodeKind::Discontinue => matches!((value.cast::<nodes::Discontinue>(), k),
            (Ok(node), Some(k)) if node.get().k.get().is(k)),
        _ => continues(value, node.get().kind, k),
    }
}

/// Whether what a clause yielded continues its own `k`, which can still be used.
#[must_use]
pub fn resumes_own(value: &Bound<'_, PyAny>, k: Option<&Py<PyAny>>) -> bool {
    value.cast::<DoExpr>().is_ok_and(|node| continues(value, node.get().kind, k))
        && k.is_some_and(|k| k.bind(value.py()).cast_exact::<K>().is_ok_and(|k| !k.get().cell.is_used()))
}

fn continues(value: &Bound<'_, PyAny>, kind: NodeKind, k: Option<&Py<PyAny>>) -> bool {
    let target = match kind {
        NodeKind::Resume => value.cast::<nodes::Resume>().map(|node| node.get().k.get()),
        NodeKind::ResumeThrow => value.cast::<nodes::ResumeThrow>().map(|node| node.get().k.get()),
        NodeKind::Transfer => value.cast::<nodes::Transfer>().map(|node| node.get().k.get()),
        NodeKind::TransferThrow => value.cast::<nodes::TransferThrow>().map(|node| node.get().k.get()),
        _ => return false,
    };
    matches!((target, k), (Ok(target), Some(k)) if target.is(k))
}

impl PyHost<'_, '_> {
    /// The control node of a node object: its parts, each a reference of its own.
    fn reduce(&self, value: &Bound<'_, PyAny>, kind: NodeKind) -> Ctrl<PyWorld> {
        parts(self.py, value, kind).unwrap_or_else(|_| Ctrl::NotProgram(value.clone().unbind()))
    }
}

fn parts(py: Python<'_>, value: &Bound<'_, PyAny>, kind: NodeKind) -> PyResult<Ctrl<PyWorld>> {
    let whole = || value.clone().unbind();
    Ok(match kind {
        NodeKind::Pure => Ctrl::Pure(value.cast::<nodes::Pure>()?.get().value.clone_ref(py)),
        NodeKind::Map => {
            let node = value.cast::<nodes::Map>()?.get();
            Ctrl::Map(node.program.clone_ref(py), node.function.clone_ref(py))
        }
        NodeKind::FlatMap => {
            let node = value.cast::<nodes::FlatMap>()?.get();
            Ctrl::FlatMap(node.program.clone_ref(py), node.function.clone_ref(py))
        }
        NodeKind::Call => Ctrl::Call(whole()),
        NodeKind::Perform => Ctrl::Perform(value.cast::<nodes::Perform>()?.get().effect.clone_ref(py)),
        NodeKind::WithHandler => {
            let program = value.cast::<nodes::WithHandler>()?.get().program.clone_ref(py);
            Ctrl::WithHandler { node: whole(), program }
        }
        NodeKind::Local => {
            let program = value.cast::<nodes::Local>()?.get().program.clone_ref(py);
            Ctrl::WithHandler { node: whole(), program }
        }
        NodeKind::Listen => {
            let program = value.cast::<nodes::Listen>()?.get().program.clone_ref(py);
            Ctrl::WithHandler { node: whole(), program }
        }
        NodeKind::WithIntercept => {
            let node = value.cast::<nodes::WithIntercept>()?.get();
            Ctrl::WithIntercept(node.function.clone_ref(py), node.program.clone_ref(py))
        }
        NodeKind::Seal => {
            let node = value.cast::<nodes::Seal>()?.get();
            Ctrl::Seal(node.allow.clone_ref(py).into_any(), node.program.clone_ref(py))
        }
        NodeKind::Try => Ctrl::Try(value.cast::<nodes::Try>()?.get().program.clone_ref(py)),
        NodeKind::Bracket => {
            let node = value.cast::<nodes::Bracket>()?.get();
            Ctrl::Bracket {
                acquire: node.acquire.clone_ref(py),
                usage: node.r#use.clone_ref(py),
                release: node.release.clone_ref(py),
            }
        }
        NodeKind::Resume => {
            let node = value.cast::<nodes::Resume>()?.get();
            Ctrl::Resume(node.k.clone_ref(py), Resumption::Value(node.value.clone_ref(py)))
        }
        NodeKind::ResumeThrow => {
            let node = value.cast::<nodes::ResumeThrow>()?.get();
            Ctrl::Resume(node.k.clone_ref(py), Resumption::Error(node.error.clone_ref(py)))
        }
        NodeKind::Transfer => {
            let node = value.cast::<nodes::Transfer>()?.get();
            Ctrl::Transfer(node.k.clone_ref(py), Resumption::Value(node.value.clone_ref(py)))
        }
        NodeKind::TransferThrow => {
            let node = value.cast::<nodes::TransferThrow>()?.get();
            Ctrl::Transfer(node.k.clone_ref(py), Resumption::Error(node.error.clone_ref(py)))
        }
        NodeKind::Discontinue => Ctrl::Discontinue(value.cast::<nodes::Discontinue>()?.get().k.clone_ref(py)),
        NodeKind::Delegate => Ctrl::Delegate,
        NodeKind::Pass => Ctrl::Pass,
        NodeKind::GetContinuation => Ctrl::GetContinuation,
        NodeKind::GetHandlers => {
            let k = value.cast::<nodes::GetHandlers>()?.get().k.as_ref().map(|k| k.clone_ref(py));
            Ctrl::GetHandlers(k)
        }
        NodeKind::GetExecutionContext => Ctrl::GetExecutionContext,
        NodeKind::CreateContinuation => {
            Ctrl::CreateContinuation(value.cast::<nodes::CreateContinuation>()?.get().program.clone_ref(py))
        }
        NodeKind::Inherit => {
            let node = value.cast::<nodes::Inherit>()?.get();
            Ctrl::Inherit(node.k.clone_ref(py), node.program.clone_ref(py))
        }
        NodeKind::PythonAsyncSyntaxEscape => {
            Ctrl::Escape(value.cast::<nodes::PythonAsyncSyntaxEscape>()?.get().action.clone_ref(py))
        }
    })
}

/// Makes the classes that nobody names: later there may be no memory to make them.
pub fn prepare(py: Python<'_>) {
    let _ = (py.get_type::<Mapping>(), py.get_type::<ThunkCell>());
    let _ = (py.get_type::<Missing>(), py.get_type::<RootGenerator>());
}
