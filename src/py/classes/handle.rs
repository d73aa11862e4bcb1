//! The objects that a scheduler gives out (semantics 7): tasks, promises, locks, channels.

use std::sync::Arc;

use pyo3::exceptions::{PyBaseException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyString, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::link::Link;
use super::text::{safe_repr, type_name};
use crate::core::native::Held;
use crate::effects::{Handle as Inner, Inbox, Settled, Settling, Thing};
use crate::py::error;
use crate::py::world::PyWorld;

mod slots;

/// The base of what a scheduler gives out: tasks, promises, locks, events, channels and scopes.
///
/// An effect on a handle goes to the scheduler that made it. One that is written elsewhere subclasses `Handle`; those of
/// the built-in scheduler have no public constructor. Handles can be neither copied nor pickled. Law: semantics 7.
///
/// Raises:
///     `TypeError`: It is copied or pickled.
///
/// Example:
///
/// ```python
/// >>> from segue import Handle, Wait
/// >>> class Ticket(Handle): ...
/// >>> isinstance(Wait(Ticket()).target, Handle)
/// True
///
/// ```
#[pyclass(frozen, subclass, weakref, module = "segue._vm")]
pub struct Handle {
    /// What it is of the built-in scheduler.
    pub object: Option<Inner<PyWorld>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A chain of handles, each the value of the next, is as long as memory allows: it is dropped in a loop.
        for value in self.object.as_mut().map(Inner::take_values).into_iter().flatten() {
            drop(Link::from(value));
        }
    }
}

impl Handle {
    fn inner(&self) -> Option<&Inner<PyWorld>> {
        self.object.as_ref()
    }

    fn see<T>(slf: &Bound<'_, Self>, see: impl FnOnce(&Thing<PyWorld>) -> Option<T>) -> PyResult<T> {
        let seen = slf.get().inner().and_then(|inner| see(&inner.thing()));
        seen.ok_or_else(|| PyTypeError::new_err(format!("{} is no handle of that kind", type_name(slf.as_any()))))
    }
}

#[pymethods]
impl Handle {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    const fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { object: None }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let shown = slf.get().inner().map(|inner| shown(slf.py(), &inner.thing()));
        let shown = shown.unwrap_or_else(|| format!("{} at {:#x}", type_name(slf.as_any()), slf.as_ptr() as usize));
        format!("<{shown}>")
    }

    fn __copy__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Err(no_copy(slf))
    }

    fn __deepcopy__(slf: &Bound<'_, Self>, _memo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(no_copy(slf))
    }

    fn __reduce_ex__(slf: &Bound<'_, Self>, _protocol: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(no_copy(slf))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let mut stopped = Ok(());
        if let Some(object) = &self.object {
            object.visit(&mut |held| {
                if stopped.is_ok() {
                    stopped = match held {
                        Held::Value(value) => visit.call(value),
                        Held::Error(error) => visit.call(error),
                    };
                }
            });
        }
        stopped
    }

    fn __clear__(&self) {
        if let Some(object) = &self.object {
            object.clear();
        }
    }
}

/// The handle in a value, if it is one, for as long as somebody owns the value.
#[must_use]
#[inline]
#[expect(unsafe_code, reason = "what is bound to the interpreter lives no longer than its token")]
pub fn of<'v>(py: Python<'_>, value: &'v Py<PyAny>) -> Option<&'v Handle> {
    // Most handles are tasks, and their class is found at once.
    let bound = value.bind(py);
    if !bound.is_exact_instance_of::<Task>() && !bound.is_instance_of::<Handle>() {
        return None;
    }
    // SAFETY: it is a handle, and a `Py` is one pointer, whatever it points to.
    Some(unsafe { &*std::ptr::from_ref(value).cast::<Py<Handle>>() }.get())
}

fn no_copy(handle: &Bound<'_, Handle>) -> PyErr {
    let kind = type_name(handle.as_any());
    PyTypeError::new_err(format!("a {kind} cannot be copied or pickled: it is part of a run of this process"))
}

fn stage(settling: &Settling<PyWorld>) -> &'static str {
    match &settling.settled {
        None => "pending",
        Some(Settled::Value(_)) => "done",
        Some(Settled::Error(..)) => "failed",
        Some(Settled::Cancelled) => "cancelled",
        Some(Settled::Broken) => "broken",
    }
}

fn task_name(py: Python<'_>, name: Option<&Py<PyAny>>, number: u32) -> String {
    match name.map(|name| name.bind(py)) {
        Some(name) => name.cast::<PyString>().map_or_else(|_| safe_repr(name), |name| name.to_string_lossy().into()),
        None if number == 0 => "root".to_owned(),
        None => format!("task-{number}"),
    }
}

fn shown(py: Python<'_>, thing: &Thing<PyWorld>) -> String {
    match thing {
        Thing::Task { name, number, settling, .. } => {
            format!("Task {:?} {}", task_name(py, name.as_ref(), *number), stage(settling))
        }
        Thing::Promise { settling, .. } => format!("Promise {}", stage(settling)),
        Thing::Completer { used, .. } => format!("ExternalPromise {}", if *used { "done" } else { "pending" }),
        Thing::Semaphore { free, permits, .. } => format!("Semaphore {free} of {permits} free"),
        Thing::Lock { owner, .. } => format!("Lock {}", if owner.is_some() { "held" } else { "free" }),
        Thing::Event { set, .. } => format!("Event {}", if *set { "set" } else { "not set" }),
        Thing::Channel { capacity, values, closed, .. } => {
            let open = if *closed { "closed" } else { "open" };
            format!("Channel {open}, {} of {capacity} in it", values.len())
        }
        Thing::Scope { .. } => "Scope".to_owned(),
    }
}

/// What a handle of the built-in scheduler stands for.
fn within<T>(value: &Bound<'_, PyAny>, look: impl FnOnce(&Thing<PyWorld>) -> Option<T>) -> Option<T> {
    look(&value.cast::<Handle>().ok()?.get().inner()?.thing())
}

fn known_name(value: &Bound<'_, PyAny>) -> Option<String> {
    within(value, |thing| match thing {
        Thing::Task { name, number, .. } => Some(task_name(value.py(), name.as_ref(), *number)),
        _ => None,
    })
}

/// The name of a task.
#[must_use]
pub fn name_of(value: &Bound<'_, PyAny>) -> String {
    known_name(value).unwrap_or_else(|| safe_repr(value))
}

/// What a message calls it: the task 'name', or what its representation says.
#[must_use]
pub fn told(value: &Bound<'_, PyAny>) -> String {
    known_name(value).map_or_else(|| safe_repr(value), |name| format!("the task '{name}'"))
}

/// What a task failed with, for a note.
#[must_use]
pub fn failure(value: &Bound<'_, PyAny>) -> String {
    let error = within(value, |thing| match thing {
        Thing::Task { settling, .. } | Thing::Promise { settling, .. } => match &settling.settled {
            Some(Settled::Error(error, _)) => Some(error.clone_ref(value.py())),
            _ => None,
        },
        _ => None,
    });
    error.map_or_else(|| "unknown".to_owned(), |error| safe_repr(error.bind(value.py())))
}

/// What a task waits with, in words: its effect; or the promise, where the effect would keep who is to complete it.
#[must_use]
pub fn awaited(what: &Bound<'_, PyAny>) -> String {
    if what.is_none() {
        "a scheduler of its own".to_owned()
    } else if what.is_instance_of::<Handle>() {
        format!("Wait(target={})", safe_repr(what))
    } else {
        safe_repr(what)
    }
}

/// What a task has come to.
#[must_use]
pub fn stage_of(task: &Bound<'_, PyAny>) -> &'static str {
    let stage = within(task, |thing| match thing {
        Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Some(stage(settling)),
        _ => None,
    });
    stage.unwrap_or("done")
}

/// The number of the scheduler that made it.
#[must_use]
pub fn scheduler_of(value: &Bound<'_, PyAny>) -> Option<u64> {
    Some(value.cast::<Handle>().ok()?.get().inner()?.scheduler)
}

/// A task: a program that runs beside others. `Spawn` gives one.
///
/// Attributes:
///     name: What its spawner called it.
///     done: Whether it has finished: with a value, an error, or cancelled.
///
/// Example:
///
/// ```python
/// >>> from segue import Pure, Spawn, run, scheduler
/// >>> run(Spawn(Pure(1), name="one", daemon=True), handlers=[scheduler]).value.name
/// 'one'
///
/// ```
#[pyclass(frozen, extends = Handle, generic, module = "segue._vm")]
pub struct Task;

#[pymethods]
impl Task {
    /// What its spawner called it.
    #[getter]
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        let py = slf.py();
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Task { name, number, .. } => Some(task_name(py, name.as_ref(), *number)),
            _ => None,
        })
    }

    /// Whether it has finished: with a value, an error, or cancelled.
    #[getter]
    fn done(slf: &Bound<'_, Self>) -> PyResult<bool> {
        is_settled(slf.as_super())
    }
}

fn is_settled(handle: &Bound<'_, Handle>) -> PyResult<bool> {
    Handle::see(handle, |thing| match thing {
        Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Some(settling.settled.is_some()),
        _ => None,
    })
}

/// A promise: something to wait for that somebody completes. `CreatePromise` gives one.
///
/// Attributes:
///     done: Whether it was completed.
///
/// Example:
///
/// ```python
/// >>> from segue import CreatePromise, run, scheduler
/// >>> run(CreatePromise(), handlers=[scheduler]).value
/// <Promise pending>
///
/// ```
#[pyclass(frozen, extends = Handle, generic, module = "segue._vm")]
pub struct Promise;

#[pymethods]
impl Promise {
    /// Whether it was completed.
    #[getter]
    fn done(slf: &Bound<'_, Self>) -> PyResult<bool> {
        is_settled(slf.as_super())
    }
}

/// The completer of a promise that comes from outside of the run. `CreateExternalPromise` gives one.
///
/// When nobody holds it any more, those who wait for its promise get a `BrokenPromiseError`.
///
/// Attributes:
///     promise: What tasks wait for.
///     done: Whether it was completed.
///
/// Example:
///
/// ```python
/// >>> from segue import CreateExternalPromise, do, run, scheduler, Wait
/// >>> @do
/// ... def program():
/// ...     external = yield CreateExternalPromise()
/// ...     external.complete(1)
/// ...     return (yield Wait(external.promise))
/// >>> run(program(), handlers=[scheduler]).value
/// 1
///
/// ```
#[pyclass(frozen, extends = Handle, generic, module = "segue._vm")]
pub struct ExternalPromise;

#[pymethods]
impl ExternalPromise {
    /// What tasks wait for.
    #[getter]
    fn promise(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Completer { promise, .. } => Some(promise.clone_ref(py)),
            _ => None,
        })
    }

    /// Whether it was completed.
    #[getter]
    fn done(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Completer { used, .. } => Some(*used),
            _ => None,
        })
    }

    /// Completes the promise. May be called from any thread.
    ///
    /// Args:
    ///     value: What it comes to.
    ///
    /// Raises:
    ///     `PromiseCompletedError`: It was completed already, or its run is over.
    #[pyo3(signature = (value = None, /))]
    fn complete(slf: &Bound<'_, Self>, value: Option<Py<PyAny>>) -> PyResult<()> {
        let py = slf.py();
        complete(slf.as_super(), Settled::Value(value.unwrap_or_else(|| py.None())))
    }

    /// Fails the promise. May be called from any thread.
    ///
    /// Args:
    ///     exc: The exception that is raised at those who wait.
    ///
    /// Raises:
    ///     `PromiseCompletedError`: It was completed already, or its run is over.
    ///     `TypeError`: `exc` is no exception.
    #[pyo3(signature = (exc, /))]
    fn fail(slf: &Bound<'_, Self>, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        if !exc.is_instance_of::<PyBaseException>() {
            return Err(PyTypeError::new_err(format!("fail() takes an exception, got {}", safe_repr(exc))));
        }
        complete(slf.as_super(), failed(slf.py(), PyErr::from_value(exc.clone())))
    }
}

/// The bell of the run is rung with no lock held: who is woken may call anything.
fn complete(handle: &Bound<'_, Handle>, settled: Settled<PyWorld>) -> PyResult<()> {
    let py = handle.py();
    let Some(inner) = handle.get().inner() else { return Err(no_copy(handle)) };
    let Some((promise, inbox)) = use_up(py, inner) else { return Err(error::completed(py, handle.as_any())) };
    inbox.post(promise, settled).map_err(|_| error::too_late(py, handle.as_any()))
}

/// A failure by that error, as far as it has come.
pub fn failed(py: Python<'_>, error: PyErr) -> Settled<PyWorld> {
    let trace = error.traceback(py).map_or_else(|| py.None(), |trace| trace.into_any().unbind());
    Settled::Error(error.into_value(py), trace)
}

/// What was awaited for that completer came to that: whoever awaited sees to it that the run goes on. Where nobody waits
/// any more nothing happens.
pub fn came(py: Python<'_>, completer: &Py<PyAny>, settled: Settled<PyWorld>) {
    let taken = of(py, completer).and_then(Handle::inner).and_then(|inner| use_up(py, inner));
    if let Some((promise, inbox)) = taken {
        drop(inbox.post_quietly(promise, settled));
    }
}

/// A completer is used once: gives its promise, and how that is told.
fn use_up(py: Python<'_>, completer: &Inner<PyWorld>) -> Option<(Py<PyAny>, Arc<Inbox<PyWorld>>)> {
    match &mut *completer.thing() {
        Thing::Completer { used: used @ false, promise, inbox } => {
            *used = true;
            Some((promise.clone_ref(py), Arc::clone(inbox)))
        }
        _ => None,
    }
}

/// Permits that several tasks may hold. `CreateSemaphore` gives one.
///
/// Attributes:
///     permits: How many permits nobody holds now.
///
/// Example:
///
/// ```python
/// >>> from segue import CreateSemaphore, run, scheduler
/// >>> run(CreateSemaphore(3), handlers=[scheduler]).value.permits
/// 3
///
/// ```
#[pyclass(frozen, extends = Handle, module = "segue._vm")]
pub struct Semaphore;

#[pymethods]
impl Semaphore {
    /// How many permits nobody holds now.
    #[getter]
    fn permits(slf: &Bound<'_, Self>) -> PyResult<u64> {
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Semaphore { free, .. } => Some(*free),
            _ => None,
        })
    }
}

/// What one task holds at a time. `CreateLock` gives one.
///
/// Attributes:
///     locked: Whether a task holds it.
///
/// Example:
///
/// ```python
/// >>> from segue import CreateLock, run, scheduler
/// >>> run(CreateLock(), handlers=[scheduler]).value.locked
/// False
///
/// ```
#[pyclass(frozen, extends = Handle, module = "segue._vm")]
pub struct Lock;

#[pymethods]
impl Lock {
    /// Whether a task holds it.
    #[getter]
    fn locked(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Lock { owner, .. } => Some(owner.is_some()),
            _ => None,
        })
    }
}

/// What tasks wait for until somebody sets it. `CreateEvent` gives one.
///
/// Attributes:
///     `is_set`: Whether it is set.
///
/// Example:
///
/// ```python
/// >>> from segue import CreateEvent, run, scheduler
/// >>> run(CreateEvent(), handlers=[scheduler]).value.is_set
/// False
///
/// ```
#[pyclass(frozen, extends = Handle, module = "segue._vm")]
pub struct Event;

#[pymethods]
impl Event {
    /// Whether it is set.
    #[getter]
    fn is_set(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Event { set, .. } => Some(*set),
            _ => None,
        })
    }
}

/// Values on their way from tasks to tasks. `CreateChannel` gives one.
///
/// Attributes:
///     closed: Whether nothing is sent any more.
///
/// Example:
///
/// ```python
/// >>> from segue import CreateChannel, run, scheduler
/// >>> run(CreateChannel(2), handlers=[scheduler]).value
/// <Channel open, 0 of 2 in it>
///
/// ```
#[pyclass(frozen, extends = Handle, generic, module = "segue._vm")]
pub struct Channel;

#[pymethods]
impl Channel {
    /// Whether nothing is sent any more.
    #[getter]
    fn closed(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Handle::see(slf.as_super(), |thing| match thing {
            Thing::Channel { closed, .. } => Some(*closed),
            _ => None,
        })
    }
}

/// A stretch of a task that can be cancelled alone. `OpenScope` gives one.
///
/// Example:
///
/// ```python
/// >>> from segue import OpenScope, run, scheduler
/// >>> run(OpenScope(), handlers=[scheduler]).value
/// <Scope>
///
/// ```
#[pyclass(frozen, extends = Handle, module = "segue._vm")]
pub struct Scope;

/// The Python object for an object of the scheduler.
///
/// # Errors
/// When memory runs out.
pub fn make(py: Python<'_>, mut object: Inner<PyWorld>) -> PyResult<Py<PyAny>> {
    let make = match object.own_thing() {
        Thing::Task { .. } => slots::make::<Task>,
        Thing::Promise { .. } => slots::make::<Promise>,
        Thing::Completer { .. } => slots::make::<ExternalPromise>,
        Thing::Semaphore { .. } => slots::make::<Semaphore>,
        Thing::Lock { .. } => slots::make::<Lock>,
        Thing::Event { .. } => slots::make::<Event>,
        Thing::Channel { .. } => slots::make::<Channel>,
        Thing::Scope { .. } => slots::make::<Scope>,
    };
    make(py, object)
}

/// Adds the classes to the module.
///
/// # Errors
/// When the module refuses one.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<Handle>()?;
    let classes: [Bound<'_, PyType>; 8] = [
        py.get_type::<Task>(),
        py.get_type::<Promise>(),
        py.get_type::<ExternalPromise>(),
        py.get_type::<Semaphore>(),
        py.get_type::<Lock>(),
        py.get_type::<Event>(),
        py.get_type::<Channel>(),
        py.get_type::<Scope>(),
    ];
    classes.iter().try_for_each(|class| {
        slots::prepare(class);
        module.add(class.name()?, class)
    })
}
