//! The machine's world in Python: its types, and the leaf queries about them. Nothing here runs user code.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyIterator, PyString, PyType};

use super::classes::continuation::K;
use super::classes::handler::{Clause, Installed};
use super::classes::nodes::{self, DoExpr, NodeKind};
use super::classes::root_generator::RootGenerator;
use super::classes::store::{Mapping, ThunkCell};
use super::contained::refused;
use super::context::Marks;
use super::entered::Entered;
use super::errands::{Errands, Unawaited};
use super::owners::{is_atom, is_shared};
use super::passage::Passage;
use crate::core::host::World;
use crate::core::ids::ClauseId;
use crate::effects::Handle;

mod host;
mod reduce;
mod store;

/// The types of the world.
#[derive(Debug)]
pub enum PyWorld {}

/// How many generators are suspended in this process, over all runs.
pub static LIVE_FRAMES: AtomicUsize = AtomicUsize::new(0);

/// Counts one generator as long as it lives.
#[derive(Debug)]
struct Counted(());

impl Counted {
    fn one() -> Self {
        count(1);
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        count(usize::MAX);
    }
}

/// Around zero. Where there is a GIL nobody counts meanwhile, and an atomic addition would be dear.
#[inline]
fn count(more: usize) {
    if cfg!(Py_GIL_DISABLED) {
        LIVE_FRAMES.fetch_add(more, Ordering::Relaxed);
    } else {
        LIVE_FRAMES.store(LIVE_FRAMES.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }
}

/// A suspended generator. Two words: it is moved at every step.
#[derive(Debug)]
pub struct Code {
    /// The generator.
    pub generator: Py<PyIterator>,
    special: Option<Box<Special>>,
    #[expect(dead_code, reason = "counts while it lives")]
    counted: Counted,
}

/// What is special about a generator.
#[derive(Debug)]
enum Special {
    /// The user made it: somebody else may close it meanwhile.
    Given,
    /// It is a clause's, and may yield in tail position.
    Clause(ClauseCode),
}

impl Code {
    fn new(generator: Py<PyIterator>, special: Option<Box<Special>>) -> Self {
        Self { generator, special, counted: Counted::one() }
    }

    /// A generator that is about to start; of a clause, when it may yield in tail position.
    #[must_use]
    pub fn of(generator: Py<PyIterator>, clause: Option<ClauseCode>) -> Self {
        Self::new(generator, clause.map(|clause| Box::new(Special::Clause(clause))))
    }

    /// A generator that the user made and may still hold.
    #[must_use]
    pub fn given(generator: Py<PyIterator>) -> Self {
        Self::new(generator, Some(Box::new(Special::Given)))
    }

    /// Lets it go, most often when it has ended. That asks nobody whether the thread is attached, as a drop would.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        self.generator.drop_ref(py);
    }

    /// Whether nothing is special about it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.special.is_none()
    }

    /// Whether the user made it.
    #[must_use]
    #[inline]
    pub fn is_given(&self) -> bool {
        self.special.as_deref().is_some_and(|special| matches!(special, Special::Given))
    }

    /// Of which clause it is.
    #[must_use]
    #[inline]
    pub fn clause(&self) -> Option<&ClauseCode> {
        match self.special.as_deref()? {
            Special::Clause(clause) => Some(clause),
            Special::Given => None,
        }
    }
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
    /// The clause.
    pub fn clause(&self) -> &Clause {
        self.handler.get().table.get().clause(self.clause)
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
    type Object = Handle<Self>;
}

/// A dead object.
#[derive(Debug)]
pub enum Dead {
    /// A value, an error, a handler, a class or a label.
    Object(Py<PyAny>),
    /// A generator.
    Code(Code),
    /// What was to be awaited.
    Awaitable(Unawaited),
}

impl Dead {
    /// Lets it go: that may run user code.
    pub fn let_go(self, py: Python<'_>) {
        match self {
            Self::Object(object) => object.drop_ref(py),
            Self::Code(code) => code.let_go(py),
            Self::Awaitable(unawaited) => drop(unawaited),
        }
    }
}

/// The host: the interpreter, and what belongs to the run in it.
pub struct PyHost<'a, 'py> {
    /// The interpreter.
    pub py: Python<'py>,
    /// What belongs to the run.
    pub state: &'a mut HostState,
}

/// What a run has in Python, for the machine to change and the driver to look after.
#[derive(Debug)]
pub struct HostState {
    /// What is dead: the driver empties it.
    pub trash: Vec<Dead>,
    /// `segue._errors.Discontinued`.
    pub discontinued: Py<PyAny>,
    /// What whoever drives the run is to do beside it.
    pub errands: Errands,
    /// The context that user code runs in now.
    pub entered: Entered,
    /// Where tasks were spawned last.
    pub marks: Marks,
    /// What is unwound now.
    pub passage: Passage,
}

impl HostState {
    /// That of a new run, which somebody else's loop drives or not.
    #[must_use]
    pub fn new(discontinued: Py<PyAny>, driven: bool) -> Self {
        Self {
            trash: Vec::new(),
            discontinued,
            errands: Errands::of(driven),
            entered: Entered::default(),
            marks: Marks::default(),
            passage: Passage::default(),
        }
    }
}

impl<'py> PyHost<'_, 'py> {
    #[inline]
    fn bury<T>(&mut self, object: Py<T>) {
        let object = object.into_any();
        if is_shared(&object) || is_atom(object.bind(self.py)) {
            object.drop_ref(self.py);
        } else {
            self.put_aside(Dead::Object(object));
        }
    }

    /// Takes what is dead. Where there is no memory to remember it, it is leaked: dropped in here it could run user code.
    fn put_aside(&mut self, dead: Dead) {
        if self.state.trash.len() == self.state.trash.capacity() && self.state.trash.try_reserve(1).is_err() {
            std::mem::forget(dead);
        } else {
            self.state.trash.push(dead);
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

/// Whether what a clause returned is a node for its own `k`, a `Pass` or a `Delegate`.
#[must_use]
#[inline]
pub fn ends_clause(value: &Bound<'_, PyAny>, k: Option<&Py<PyAny>>) -> bool {
    !is_static(value) && is_end(value, k)
}

/// Whether the value is of a class that the interpreter was built with, as most answers are: no node is.
#[inline]
#[expect(unsafe_code, reason = "only the class itself says so")]
fn is_static(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: it is the class of an object that lives.
    unsafe { ffi::PyType_HasFeature(value.get_type_ptr(), ffi::Py_TPFLAGS_HEAPTYPE) == 0 }
}

fn is_end(value: &Bound<'_, PyAny>, k: Option<&Py<PyAny>>) -> bool {
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

/// Makes the classes that nobody names: later there may be no memory to make them.
pub fn prepare(py: Python<'_>) {
    let _ = (py.get_type::<Mapping>(), py.get_type::<ThunkCell>());
    let _ = (py.get_type::<Missing>(), py.get_type::<RootGenerator>());
}
