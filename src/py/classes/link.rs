//! The owner of a child object, so that deep structures drop without native recursion.
//!
//! A program nests as deep as its user likes: a million `map`s are a chain of a million nodes, each the only owner of
//! the next. Dropping such a chain the plain way recurses once a node. A [`Link`] recurses only [`DIRECT`] levels;
//! below that it parks the object on a list of this thread, which the outermost drop empties in a loop.
//!
//! Dropping runs user code (finalizers), and a finalizer may run a whole program. That program opens a [`Scope`] of its
//! own, so that what it drops is not parked behind the drop that runs it.
//!
//! Where no interpreter can be attached any more (shutdown), `Py` itself leaks the object, which is right there.

use std::cell::{Cell, RefCell};
use std::fmt;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyInt, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::py::owners::{has_another, has_more_than};

/// Levels of drops that may stand on the native stack at once.
const DIRECT: u32 = 16;

thread_local! {
    /// Drops of links that are on this thread's stack now.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What waits for the outermost of them.
    static PARKED: RefCell<Vec<Py<PyAny>>> = const { RefCell::new(Vec::new()) };
}

/// Owns one Python object on behalf of a node.
///
/// The option is empty only while `drop` runs. Tuples and dictionaries of children are owned by links too: what the
/// interpreter does against deep recursion lets 3.13 go 10 000 levels deep, which a small stack does not hold.
pub struct Link<T = PyAny>(Option<Py<T>>);

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0).finish()
    }
}

impl<T> Link<T> {
    /// The object that is owned.
    ///
    /// # Panics
    /// Never: only `drop` empties a link.
    #[must_use]
    #[inline]
    pub fn get(&self) -> &Py<T> {
        self.0.as_ref().expect("a link is emptied by its drop only")
    }

    /// The object, bound to the interpreter.
    #[must_use]
    #[inline]
    pub fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, T> {
        self.get().bind(py)
    }

    /// A new reference to the object.
    #[must_use]
    #[inline]
    pub fn clone_ref(&self, py: Python<'_>) -> Py<T> {
        self.get().clone_ref(py)
    }
}

impl<T> Link<T> {
    /// What `drop` does where the thread is known to be attached: also while the interpreter ends.
    #[inline]
    fn let_go_if(mut self, py: Python<'_>, is_shallow: impl FnOnce(&Bound<'_, T>) -> bool) {
        let Some(object) = self.0.take() else { return };
        if is_shallow(object.bind(py)) {
            return object.drop_ref(py);
        }
        let_go_within(py, object.into_any());
    }
}

impl Link {
    /// Drops it, plainly where nothing below is deep.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        self.let_go_if(py, |object| has_more_than(1, object) || is_atom(object));
    }
}

impl Link<PyDict> {
    /// Drops it.
    pub fn let_go(self, py: Python<'_>) {
        self.let_go_if(py, |_| false);
    }
}

impl Link<PyTuple> {
    /// Drops it, plainly where nothing below is deep.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        // Who is in the tuple at each place and elsewhere too outlives it.
        let outlives = |tuple: &Bound<'_, PyTuple>, item: &Bound<'_, PyAny>| has_more_than(tuple.len(), item);
        self.let_go_if(py, |tuple| tuple.iter_borrowed().all(|item| outlives(tuple, &item) || is_atom(&item)));
    }
}

/// Whether the object is a number or a text, which hold no others.
#[inline]
fn is_atom(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyString>() || object.is_instance_of::<PyInt>()
}

impl<T> From<Py<T>> for Link<T> {
    #[inline]
    fn from(object: Py<T>) -> Self {
        Self(Some(object))
    }
}

impl<T> From<Bound<'_, T>> for Link<T> {
    #[inline]
    fn from(object: Bound<'_, T>) -> Self {
        Self(Some(object.unbind()))
    }
}

impl<T> From<&Bound<'_, T>> for Link<T> {
    #[inline]
    fn from(object: &Bound<'_, T>) -> Self {
        Self(Some(object.clone().unbind()))
    }
}

impl<'py, T> IntoPyObject<'py> for &Link<T> {
    type Target = T;
    type Output = Bound<'py, T>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.bind(py).clone())
    }
}

impl<T> Drop for Link<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(object) = self.0.take() else { return };
        if has_another(&object) {
            // It stays, and so does what it holds. If not after all, what is below is one level deeper than was counted.
            return drop(object);
        }
        // A thread that is ending has no list any more: what is left of `object` is dropped plainly.
        let _ = DEPTH.try_with(|depth| drop_within(depth, object.into_any(), drop));
    }
}

/// Drops what may be deep.
#[inline(never)]
fn let_go_within(py: Python<'_>, object: Py<PyAny>) {
    let _ = DEPTH.try_with(|depth| drop_within(depth, object, |object| object.drop_ref(py)));
}

fn drop_within(depth: &Cell<u32>, object: Py<PyAny>, drop: impl Fn(Py<PyAny>)) {
    let level = depth.get();
    if level >= DIRECT {
        // When the list is gone, `object` is dropped with the closure.
        let _ = PARKED.try_with(|parked| parked.borrow_mut().push(object));
        return;
    }
    let _level = Level::enter(depth);
    drop(object);
    if level == 0 {
        while let Ok(Some(next)) = PARKED.try_with(|parked| parked.borrow_mut().pop()) {
            drop(next);
        }
    }
}

/// Counts one drop on the stack, also when a panic passes.
struct Level<'a>(&'a Cell<u32>);

impl<'a> Level<'a> {
    fn enter(depth: &'a Cell<u32>) -> Self {
        depth.set(depth.get() + 1);
        Self(depth)
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A run's own account of drops. While it lives, drops on this thread count from zero again.
#[derive(Debug)]
#[must_use = "the scope ends where this is dropped"]
pub struct Scope {
    depth: u32,
    parked: Vec<Py<PyAny>>,
}

impl Scope {
    /// Puts the drops that are under way on this thread aside.
    pub fn enter() -> Self {
        Self {
            depth: DEPTH.try_with(|depth| depth.replace(0)).unwrap_or_default(),
            parked: PARKED.try_with(RefCell::take).unwrap_or_default(),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(self.depth));
        let aside = std::mem::take(&mut self.parked);
        if !aside.is_empty() {
            let _ = PARKED.try_with(|parked| parked.borrow_mut().extend(aside));
        }
    }
}

/// What a node holds, for the garbage collector.
pub trait Held {
    /// Shows every Python object that is owned.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    fn visit(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError>;
}

impl<T> Held for Link<T> {
    fn visit(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.0.as_ref())
    }
}

impl<T> Held for Py<T> {
    fn visit(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self)
    }
}

impl<T: Held> Held for Option<T> {
    fn visit(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.as_ref().map_or(Ok(()), |held| held.visit(visit))
    }
}
