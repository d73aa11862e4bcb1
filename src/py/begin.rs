//! An await is begun as `await` would begin it, with the plain awaitables of the interpreter at their floor (semantics 8).

use std::ptr;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyAny, PyBool, PyIterator, PyType};
use pyo3::{ffi, intern};

use super::classes::begun::Begun;
use super::slot::{Method, Slot};

/// What came of beginning an await.
pub enum Begin {
    /// It was ready.
    Ready(Py<PyAny>),
    /// It waits: here is the rest.
    Waits(Py<Begun>),
    /// It was not begun.
    Not(Py<PyAny>),
}

/// Begins to await something. What only the loop's own `await` can tell about is left to that.
///
/// # Errors
/// What it raises before it waits.
#[inline]
pub fn begin(awaitable: Bound<'_, PyAny>) -> PyResult<Begin> {
    if is_coroutine(&awaitable) {
        return begin_coroutine(awaitable);
    }
    let Some(iterator) = awaited(&awaitable) else { return Ok(Begin::Not(awaitable.unbind())) };
    match iterator?.cast_into::<PyIterator>() {
        Ok(iterator) => begin_with(&iterator, || Ok(iterator.clone())),
        Err(_) => Ok(Begin::Not(awaitable.unbind())),
    }
}

#[inline]
fn is_coroutine(awaitable: &Bound<'_, PyAny>) -> bool {
    ptr::eq(awaitable.get_type_ptr(), &raw const ffi::PyCoro_Type)
}

/// What a coroutine awaits, nothing where it does not.
static AWAITED: Slot = Slot::new(c"cr_await");

/// A coroutine makes its step without what its `__await__` puts around it, as under `await`. One that is suspended
/// already, whoever awaits it, is left to the loop, which says so.
#[inline]
fn begin_coroutine(coroutine: Bound<'_, PyAny>) -> PyResult<Begin> {
    if !AWAITED.read(&coroutine)?.is_none() {
        return Ok(Begin::Not(coroutine.unbind()));
    }
    begin_with(&coroutine, || Ok(awaited(&coroutine).expect("a coroutine can be awaited")?.cast_into()?))
}

/// Makes the first step of a coroutine or an iterator; the rest is asked for when it waits.
#[inline]
fn begin_with<'py>(
    awaited: &Bound<'py, PyAny>,
    rest: impl FnOnce() -> PyResult<Bound<'py, PyIterator>>,
) -> PyResult<Begin> {
    let py = awaited.py();
    match first_step(awaited)? {
        PySendResult::Return(value) => Ok(Begin::Ready(value.unbind())),
        PySendResult::Next(first) => {
            Ok(Begin::Waits(Py::new(py, Begun { iterator: rest()?.unbind(), first: first.unbind() })?))
        }
    }
}

/// The first step of a coroutine or an iterator.
#[expect(unsafe_code, reason = "a coroutine has a step, and is no iterator")]
fn first_step<'py>(awaited: &Bound<'py, PyAny>) -> PyResult<PySendResult<'py>> {
    // SAFETY: it takes what is an iterator, or steps by what its class has for `await`.
    unsafe { awaited.cast_unchecked::<PyIterator>() }.send(awaited.py().None().bind(awaited.py()))
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

static FUTURES: PyOnceLock<Vec<Future>> = PyOnceLock::new();

/// What a future of asyncio's that is done came to, where that is no error: what is awaited and ready is most often such a
/// one. The others are to be [begun](begin).
#[inline]
#[expect(unsafe_code, reason = "calls what the class has in its table")]
pub fn result_of(awaitable: &Bound<'_, PyAny>) -> Option<Py<PyAny>> {
    if is_coroutine(awaitable) {
        return None;
    }
    let py = awaitable.py();
    let known = match FUTURES.get(py) {
        Some(known) => known,
        None => Future::look_up(py)?,
    };
    let class = awaitable.get_type_ptr();
    let future = known.iter().find(|it| ptr::eq(it.class.as_ptr(), class.cast()))?;
    // SAFETY: both are methods of the object's own class.
    unsafe {
        if !future.done.call(awaitable)?.is(PyBool::new(py, true)) {
            return None;
        }
        future.result.call(awaitable).map(Bound::unbind)
    }
}

impl Future {
    /// They are there as soon as somebody has imported asyncio.
    #[cold]
    fn look_up(py: Python<'_>) -> Option<&'static Vec<Self>> {
        let modules = py.import(intern!(py, "sys")).and_then(|sys| sys.getattr(intern!(py, "modules"))).ok()?;
        let module = modules.get_item(intern!(py, "_asyncio")).ok()?;
        let known = |name| {
            let class = module.getattr(name).ok()?.cast_into::<PyType>().ok()?;
            let (done, result) = (Method::find(&class, c"done")?, Method::find(&class, c"result")?);
            Some(Self { class: class.unbind(), done, result })
        };
        Some(FUTURES.get_or_init(py, || ["Future", "Task"].into_iter().filter_map(known).collect()))
    }
}
