//! An await is begun as `await` would begin it, with the plain awaitables of the interpreter at their floor (semantics 8).

use std::ptr;

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyBool, PyIterator, PyNone, PyType};

use super::classes::begun::Begun;
use super::error::from_function;
use super::found::{Found, name};
use super::generator;
use super::slot::{Method, Slot};

/// What came of an await that gave no value at once.
pub enum Unready {
    /// It is ready, and somebody asks for attention first.
    Later(Py<PyAny>),
    /// It waits: here is the rest.
    Waits(Begun),
    /// It was not begun.
    NotBegun(Py<PyAny>),
    /// It raised.
    Raised(Py<PyBaseException>),
}

/// Begins to await something: gives the value, if that is ready, and otherwise says what came of it. What only the loop's own
/// `await` can tell about is left to that.
#[inline]
pub fn begin(awaitable: &Bound<'_, PyAny>, unready: &mut Option<Unready>) -> Option<Py<PyAny>> {
    if is_coroutine(awaitable) {
        return begin_coroutine(awaitable, unready);
    }
    let iterator = match awaited(awaitable).transpose() {
        Ok(given) => given.and_then(|given| given.cast_into::<PyIterator>().ok()),
        Err(error) => return not_at_once(unready, raised(awaitable.py(), error)),
    };
    match iterator {
        Some(iterator) => begin_with(&iterator, || Ok(iterator.clone()), unready),
        None => not_at_once(unready, Unready::NotBegun(awaitable.clone().unbind())),
    }
}

/// Whether it is a coroutine of the interpreter's.
#[inline]
pub fn is_coroutine(awaitable: &Bound<'_, PyAny>) -> bool {
    ptr::eq(awaitable.get_type_ptr(), &raw const ffi::PyCoro_Type)
}

/// What a coroutine awaits, nothing where it does not.
static AWAITED: Slot = Slot::new(c"cr_await");

/// A coroutine makes its step without what its `__await__` puts around it, as under `await`. One that is suspended
/// already, whoever awaits it, is left to the loop, which says so.
#[inline]
fn begin_coroutine(coroutine: &Bound<'_, PyAny>, unready: &mut Option<Unready>) -> Option<Py<PyAny>> {
    match AWAITED.read(coroutine) {
        Ok(awaits) if awaits.is_none() => {
            let rest = || Ok(awaited(coroutine).expect("a coroutine can be awaited")?.cast_into()?);
            begin_with(coroutine, rest, unready)
        }
        Ok(_) => not_at_once(unready, Unready::NotBegun(coroutine.clone().unbind())),
        Err(error) => not_at_once(unready, raised(coroutine.py(), error)),
    }
}

/// Makes the first step of a coroutine or an iterator; the rest is asked for when it waits.
#[inline]
#[expect(unsafe_code, reason = "a coroutine has a step, and is no iterator")]
fn begin_with<'py>(
    awaited: &Bound<'py, PyAny>,
    rest: impl FnOnce() -> PyResult<Bound<'py, PyIterator>>,
    unready: &mut Option<Unready>,
) -> Option<Py<PyAny>> {
    let py = awaited.py();
    // SAFETY: to send takes what is an iterator, or steps by what its class has for `await`.
    let stepped = generator::send(unsafe { awaited.cast_unchecked() }, PyNone::get(py).as_any());
    let first = match stepped {
        Ok(PySendResult::Return(value)) => return Some(value.unbind()),
        Ok(PySendResult::Next(first)) => first.unbind(),
        Err(error) => return not_at_once(unready, Unready::Raised(error.unbind())),
    };
    let begun = rest().map(|iterator| Begun { iterator: iterator.unbind(), first });
    not_at_once(unready, begun.map_or_else(|error| raised(py, error), Unready::Waits))
}

#[cold]
fn raised(py: Python<'_>, error: PyErr) -> Unready {
    Unready::Raised(from_function(py, error).into_value(py))
}

#[cold]
fn not_at_once(unready: &mut Option<Unready>, came: Unready) -> Option<Py<PyAny>> {
    *unready = Some(came);
    None
}

/// What `__await__` gives, where the class has one.
#[expect(unsafe_code, reason = "by its name it would be looked up, and wrapped")]
fn awaited<'py>(awaitable: &Bound<'py, PyAny>) -> Option<PyResult<Bound<'py, PyAny>>> {
    // SAFETY: the class lives as long as the object; its function gives a new reference, or an error is set.
    unsafe {
        let functions = (*awaitable.get_type_ptr()).tp_as_async.as_ref()?;
        let await_ = functions.am_await?;
        Some(Bound::from_owned_ptr_or_err(awaitable.py(), await_(awaitable.as_ptr())))
    }
}

/// A class of asyncio's own futures, in C: that it makes an iterator to await what is done is nobody's concern.
struct Future {
    class: Py<PyType>,
    done: Method,
    result: Method,
}

static FUTURES: Found<Vec<Future>> = Found::not_yet();

/// What a future of asyncio's that is done came to: what is awaited and ready is most often such a one. Others are to be
/// [begun](begin).
#[inline]
#[expect(unsafe_code, reason = "calls what the class has in its table")]
pub fn result_of(awaitable: &Bound<'_, PyAny>, unready: &mut Option<Unready>) -> Option<Py<PyAny>> {
    let py = awaitable.py();
    let known = match FUTURES.known(py) {
        Some(known) => known,
        None => Future::look_up(py)?,
    };
    let class = awaitable.get_type_ptr();
    let future = known.iter().find(|it| ptr::eq(it.class.as_ptr(), class.cast()))?;
    // SAFETY: both are methods of the object's own class.
    unsafe {
        match future.done.call(awaitable) {
            Ok(done) if done.is(PyBool::new(py, true)) => {}
            _ => return None,
        }
        match future.result.call(awaitable) {
            Ok(value) => Some(value.unbind()),
            // It gives its error away with what it knows of it: to ask again would give less.
            Err(error) => not_at_once(unready, raised(py, error)),
        }
    }
}

impl Future {
    /// They are there as soon as somebody has imported asyncio.
    #[cold]
    fn look_up(py: Python<'_>) -> Option<&'static Vec<Self>> {
        let modules = py.import(name!(c"sys")).and_then(|sys| sys.getattr(name!(c"modules"))).ok()?;
        let module = modules.get_item(name!(c"_asyncio")).ok()?;
        let known = |name| {
            let class = module.getattr(name).ok()?.cast_into::<PyType>().ok()?;
            let (done, result) = (Method::find(&class, c"done")?, Method::find(&class, c"result")?);
            Some(Self { class: class.unbind(), done, result })
        };
        Some(FUTURES.settle(py, ["Future", "Task"].into_iter().filter_map(known).collect()))
    }
}
