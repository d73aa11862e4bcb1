//! The library's errors, from what the machine says is wrong. Law: semantics 4.

use pyo3::IntoPyObjectExt;
use std::collections::HashSet;
use std::fmt::{self, Write};

use pyo3::exceptions::{PyBaseException, PyMemoryError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyString, PyType};

use super::classes::handle;
use super::classes::mistake::mistake;
use super::classes::store::Mapping;
use super::classes::text::{named, safe_repr, type_name};
use super::found::name;
use super::names::{error_class, names};
use super::tasks;
use super::world::PyWorld;
use crate::core::fault::{Again, Bound as RunBound, Fate, Fault, Refusal};
use crate::core::limits::Bounds;
use crate::core::native::Standing;
use crate::core::step::Place;

fn make(py: Python<'_>, class: &str, message: String) -> PyErr {
    // Made where it is raised: only then does Python set its context.
    match error_class(py, class).and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, (message,)),
        Err(error) => error,
    }
}

/// An error about the state of a VM.
#[must_use]
pub fn vm_state(py: Python<'_>, message: &str) -> PyErr {
    make(py, "VMStateError", message.to_owned())
}

/// An effect that would wait, in a run that is being closed.
#[must_use]
pub fn closed(py: Python<'_>) -> PyErr {
    let message = "the run is being closed: nothing can wait in it any more";
    make(py, "RunClosedError", message.to_owned())
}

/// The error for a continuation that cannot be used.
#[must_use]
pub fn refused(py: Python<'_>, refusal: &Refusal<PyWorld>) -> PyErr {
    let message = match refusal {
        Refusal::Finished => {
            "this k belongs to a run that is over: its program was unwound with it. Run the program again".to_owned()
        }
        Refusal::Foreign => "this k belongs to another run: a continuation goes on only in the run that captured it, \
             inside the handlers of that run"
            .to_owned(),
        Refusal::Used(fate, by) => {
            let by = by.as_ref().map(|label| label.bind(py).to_string_lossy().into_owned());
            // None stands near enough to be named, or none at all.
            let by = by.map_or_else(String::new, |name| format!(", by the clause {name}"));
            let once = |done: &str| format!("this k was already {done}{by}. A k is used once: run the program again");
            match fate {
                Fate::Resumed => once("resumed"),
                Fate::ThrownInto => once("thrown into"),
                Fate::Transferred => once("transferred to"),
                Fate::Discontinued => once("discontinued"),
                Fate::Passed => format!("this k was passed outward{by}: it belongs to the next handler now"),
                Fate::Ended => format!(
                    "this k was ended without keep(){by}: the clause finished without having used it, and its body \
                     was unwound. Say k.keep() in the clause to use it later"
                ),
                Fate::Raised => {
                    format!("this k was ended{by}: the clause raised, and the exception was delivered at the perform")
                }
                Fate::Unwound => "this k was kept, nobody let it go, and the run unwound it at its end".to_owned(),
            }
        }
    };
    make(py, "ContinuationError", message)
}

/// The exception for what the machine says is wrong.
#[must_use]
pub fn raise(py: Python<'_>, fault: Fault<PyWorld>, bounds: &Bounds) -> PyErr {
    match fault {
        Fault::Unhandled { effect, handlers, walled } => unhandled(py, effect.bind(py), &handlers, walled),
        Fault::NotProgram(value, place) => {
            let wanted = match place {
                Place::Yield => "a program yields a program or an effect",
                Place::Node => "a program or an effect is evaluated",
                Place::Returned => {
                    "the function of FlatMap, Call, WithIntercept or bracket returns a program or an effect"
                }
            };
            mistake(py, value.bind(py), wanted)
        }
        Fault::Refused(refusal) => refused(py, &refusal),
        Fault::OutsideClause(node) => {
            let message = format!(
                "{node} outside a clause: it is for the clause of a handler that is answering an effect, and a wall of Seal \
                 hides those outside of it"
            );
            make(py, "ContinuationError", message)
        }
        Fault::NoContinuation => make(
            py,
            "ContinuationError",
            "a value clause has no continuation: write the clause with @handles to get one".to_owned(),
        ),
        Fault::PassAfterUse => make(
            py,
            "ContinuationError",
            "Pass() hands the clause's own k outward, and this k was used or kept already".to_owned(),
        ),
        Fault::FirstValue(value) => PyTypeError::new_err(format!(
            "a continuation that has not started takes None first, not {}",
            safe_repr(value.bind(py))
        )),
        Fault::NotRunning => make(
            py,
            "ContinuationError",
            "this handler runs its own tasks, and the effect came from a fork of it that is none of them".to_owned(),
        ),
        Fault::Closed => closed(py),
        Fault::Cancelled(scope) => {
            let made = names(py).and_then(|names| names.cancelled.bind(py).call1((scope,)));
            made.map_or_else(|error| error, PyErr::from_value)
        }
        Fault::TaskCancelled(task) => {
            make(py, "TaskCancelledError", format!("{} was cancelled", handle::told(task.bind(py))))
        }
        Fault::Again(again) => raised_again(py, *again),
        Fault::Deadlock(stuck) => deadlock(py, stuck),
        Fault::Unfinished(task) => make(
            py,
            "UnfinishedTaskError",
            format!(
                "{} was still running when the program ended, and was cancelled: wait for it, spawn it in a \
                 task_group, or spawn it with daemon=True",
                handle::told(task.bind(py))
            ),
        ),
        Fault::Completed(promise) => completed(py, promise.bind(py)),
        Fault::Broken(_) => make(
            py,
            "BrokenPromiseError",
            "the completer of this external promise is gone, and nobody can complete it any more: keep it until \
             complete() or fail() was called"
                .to_owned(),
        ),
        Fault::HeldAlready(lock) => make(
            py,
            "LockError",
            format!("this task holds {} already, and would wait for itself", safe_repr(lock.bind(py))),
        ),
        Fault::NotHeld(lock) => {
            let lock = lock.bind(py);
            let why = if lock.is_instance_of::<handle::Lock>() {
                "is not held by this task"
            } else {
                "has all its permits already"
            };
            make(py, "LockError", format!("{} {why}: Acquire comes before Release", safe_repr(lock)))
        }
        Fault::ChannelClosed(channel) => {
            make(py, "ChannelClosedError", format!("{} is closed", safe_repr(channel.bind(py))))
        }
        Fault::Unfit(effect) => unfit(py, effect.bind(py)),
        Fault::TaskEnded(value) => {
            let made = error_class(py, "TaskEndedError").and_then(|class| class.call1((value,)));
            made.map_or_else(|error| error, PyErr::from_value)
        }
        Fault::MissingKey { key, mapping } => missing(py, key.bind(py), mapping.bind(py)),
        Fault::Cycle(_) => make(
            py,
            "CycleError",
            "a lazy value of the reader was asked for while its own program is computing it".to_owned(),
        ),
        Fault::Exceeded(bound) => exceeded(py, bound, bounds),
        Fault::Memory => PyMemoryError::new_err(()),
        Fault::Internal(message) => internal(py, message),
    }
}

/// A promise that is completed a second time.
#[must_use]
pub fn completed(py: Python<'_>, promise: &Bound<'_, PyAny>) -> PyErr {
    let message = format!("{} was completed already: a promise is completed once", safe_repr(promise));
    make(py, "PromiseCompletedError", message)
}

/// A promise that is completed when its run is over.
#[must_use]
pub fn too_late(py: Python<'_>, promise: &Bound<'_, PyAny>) -> PyErr {
    let message = format!("{} comes too late: the run that waited for it is over", safe_repr(promise));
    make(py, "PromiseCompletedError", message)
}

/// What a task failed with, as it left the task: whoever waits gets it with that traceback, however often.
fn raised_again(py: Python<'_>, again: Again<PyWorld>) -> PyErr {
    let Again { error, trace, later } = again;
    // What refuses it keeps the traceback that it has.
    let _ = error.bind(py).setattr(name!(c"__traceback__"), trace);
    let raised = PyErr::from_value(error.into_bound(py).into_any());
    let known: HashSet<String> = error_notes(&raised, py).unwrap_or_default();
    for task in later {
        let task = task.bind(py);
        let note = format!("{} failed after it: {}", handle::told(task), handle::failure(task));
        if known.contains(&note) {
            continue;
        }
        // An exception that takes no notes goes without.
        let _ = raised.value(py).call_method1("add_note", (note,));
    }
    raised
}

/// The notes that an exception has already: gathered again, the same failure is told once.
fn error_notes(error: &PyErr, py: Python<'_>) -> PyResult<HashSet<String>> {
    let Some(notes) = error.value(py).getattr_opt(name!(c"__notes__"))? else { return Ok(HashSet::new()) };
    notes.try_iter()?.map(|note| note?.extract()).collect()
}

fn deadlock(py: Python<'_>, stuck: Vec<Standing<PyWorld>>) -> PyErr {
    let made = tasks::list(py, stuck).and_then(|waiting| error_class(py, "DeadlockError")?.call1((waiting,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// An effect that holds what its handler cannot work on.
fn unfit(py: Python<'_>, effect: &Bound<'_, PyAny>) -> PyErr {
    let told = py
        .import("segue._tasks")
        .and_then(|tasks| tasks.getattr("unfit"))
        .and_then(|unfit| unfit.call1((effect,)))
        .and_then(|error| Ok(error.cast_into::<PyBaseException>()?));
    told.map_or_else(|error| error, |error| PyErr::from_value(error.into_any()))
}

/// A bug of the machine, which says so.
#[must_use]
pub fn internal(py: Python<'_>, message: &str) -> PyErr {
    make(py, "InternalError", format!("{message}. This is a bug of segue, please report it"))
}

fn exceeded(py: Python<'_>, bound: RunBound, bounds: &Bounds) -> PyErr {
    let (name, value) = match bound {
        RunBound::Steps => ("steps", bounds.steps.into_py_any(py)),
        RunBound::Depth => ("depth", bounds.depth.into_py_any(py)),
        RunBound::Segments => ("segments", bounds.segments.into_py_any(py)),
        RunBound::Tasks => ("tasks", bounds.tasks.into_py_any(py)),
        RunBound::Promises => ("promises", bounds.promises.into_py_any(py)),
        RunBound::Seconds => ("seconds", bounds.time.map(|time| time.as_secs_f64()).into_py_any(py)),
    };
    let made = value.and_then(|value| names(py)?.limit_exceeded.bind(py).call1((name, value)));
    made.map_or_else(|error| error, PyErr::from_value)
}

fn unhandled(py: Python<'_>, effect: &Bound<'_, PyAny>, handlers: &[Py<PyString>], walled: bool) -> PyErr {
    let names: Vec<String> = handlers.iter().map(|name| name.bind(py).to_string_lossy().into_owned()).collect();
    let kind = type_name(effect);
    let mut message = if walled {
        format!("no handler inside the wall of Seal takes {}, and the wall does not let {kind} pass", safe_repr(effect))
    } else {
        format!("no handler in scope takes {}", safe_repr(effect))
    };
    if names.is_empty() {
        message.push_str("; there are no handlers in scope");
    } else {
        message.push_str("; in scope, innermost first, none of which takes it: ");
        let shown: Vec<&str> = names.iter().take(SHOWN_HANDLERS).map(String::as_str).collect();
        message.push_str(&shown.join(", "));
        if names.len() > SHOWN_HANDLERS {
            told(&mut message, format_args!(", … ({} in all)", names.len()));
        }
    }
    let home = effect.get_type().getattr("__segue_handler__").ok().filter(|name| !name.is_none());
    match home {
        Some(name) if !walled => {
            let name = named(&name);
            told(&mut message, format_args!(". Install the built-in one: run(program, handlers=[{name}, ...])"));
        }
        _ if walled => told(&mut message, format_args!(". Allow it: Seal([{kind}, ...], program)")),
        _ => told(&mut message, format_args!(". Install one: @answers({kind}), then run(program, handlers=[...])")),
    }
    let keywords = PyDict::new(py);
    let made = keywords
        .set_item("effect", effect)
        .and_then(|()| keywords.set_item("handlers", names))
        .and_then(|()| error_class(py, "UnhandledEffectError")?.call((message,), Some(&keywords)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Adds to a message.
fn told(message: &mut String, more: fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = message.write_fmt(more);
}

/// How many handlers a message names.
const SHOWN_HANDLERS: usize = 20;

fn missing(py: Python<'_>, key: &Bound<'_, PyAny>, mapping: &Bound<'_, PyAny>) -> PyErr {
    let mut message = format!("no key {}", safe_repr(key));
    if let Ok(mapping) = mapping.cast_exact::<Mapping>() {
        let entries = mapping.get().entries.bind(py);
        let close = close_matches(py, key, entries.as_any()).unwrap_or_default();
        if entries.is_empty() {
            message.push_str("; there are no keys at all");
        } else if close.is_empty() {
            let known: Vec<String> = entries.keys().iter().take(SHOWN_KEYS).map(|key| safe_repr(&key)).collect();
            told(&mut message, format_args!("; the keys are {}", known.join(", ")));
            if entries.len() > SHOWN_KEYS {
                told(&mut message, format_args!(", … ({} in all)", entries.len()));
            }
        } else {
            told(&mut message, format_args!("; did you mean {}?", close.join(" or ")));
        }
    }
    let keywords = PyDict::new(py);
    let made = keywords
        .set_item("key", key)
        .and_then(|()| error_class(py, "MissingKeyError")?.call((message,), Some(&keywords)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// How many keys are searched for close matches: a miss must not cost more than a store of this size.
const SEARCHED_KEYS: usize = 200;
/// How many keys a message names.
const SHOWN_KEYS: usize = 10;

fn close_matches(py: Python<'_>, key: &Bound<'_, PyAny>, entries: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let Ok(key) = key.cast::<PyString>() else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    for known in entries.try_iter()?.take(SEARCHED_KEYS) {
        if let Ok(known) = known?.cast_into::<PyString>() {
            texts.push(known);
        }
    }
    let close = py.import("difflib")?.getattr("get_close_matches")?.call1((key, texts))?;
    Ok(close.try_iter()?.filter_map(Result::ok).map(|known| safe_repr(&known)).collect())
}

/// What a function called by the machine raised: a `StopIteration` would end somebody else's generator (PEP 479).
#[must_use]
pub fn from_function(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<pyo3::exceptions::PyStopIteration>(py) {
        return error;
    }
    let wrapped = PyRuntimeError::new_err("a function called by the machine raised StopIteration");
    wrapped.set_context(py, Some(error.clone_ref(py)));
    wrapped.set_cause(py, Some(error));
    wrapped
}
