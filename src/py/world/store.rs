//! What native handlers ask of the world.

use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::{
    PyAny, PyBool, PyBoolMethods, PyFloat, PyInt, PyList, PyString, PyTuple, PyWeakrefMethods, PyWeakrefReference,
};

use super::{Dead, Missing, PyHost, PyWorld, Request};
use crate::core::native::{Errand, Load, Seen, Store, Thunk};
use crate::effects::Handle;
use crate::py::classes::effect::fields_of;
use crate::py::classes::handle;
use crate::py::classes::nodes;
use crate::py::classes::store::{Progress, ThunkCell};
use crate::py::errands::Unawaited;
use crate::py::found::name;
use crate::py::names::names;
use crate::py::owners::is_atom;

impl Store<PyWorld> for PyHost<'_, '_> {
    fn discard(&mut self, value: Py<PyAny>) {
        self.bury(value);
    }

    fn discard_error(&mut self, error: Py<PyBaseException>) {
        self.state.passage.ends(&error);
        self.bury(error);
    }

    fn clone_error(&self, error: &Py<PyBaseException>) -> Py<PyBaseException> {
        error.clone_ref(self.py)
    }

    fn share(&self, value: &Py<PyAny>) -> Py<PyAny> {
        value.clone_ref(self.py)
    }

    fn discard_awaitable(&mut self, awaitable: Py<PyAny>) {
        self.put_aside(Dead::Awaitable(Unawaited::new(awaitable)));
    }

    fn weak(&mut self, value: &Py<PyAny>) -> Py<PyAny> {
        let weak = PyWeakrefReference::new(value.bind(self.py));
        // Without memory it is held.
        weak.map_or_else(|_| value.clone_ref(self.py), |weak| weak.into_any().unbind())
    }

    fn strong(&self, weak: &Py<PyAny>) -> Option<Py<PyAny>> {
        match weak.bind(self.py).cast_exact::<PyWeakrefReference>() {
            Ok(weak) => weak.upgrade().map(Bound::unbind),
            Err(_) => Some(weak.clone_ref(self.py)),
        }
    }

    fn unit(&self) -> Py<PyAny> {
        self.py.None()
    }

    fn is_unit(&self, value: &Py<PyAny>) -> bool {
        value.is_none(self.py)
    }

    #[inline]
    fn fields<'v>(&self, effect: &'v Py<PyAny>) -> &'v [Py<PyAny>] {
        fields_of(effect.bind(self.py)).map_or(&[], |fields| owned_by(effect, fields))
    }

    #[inline]
    fn field(&self, effect: &Py<PyAny>, index: usize) -> Py<PyAny> {
        self.fields(effect).get(index).map_or_else(|| self.py.None(), |field| field.clone_ref(self.py))
    }

    #[inline]
    fn is_same(&self, one: &Py<PyAny>, other: &Py<PyAny>) -> bool {
        one.is(other)
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

    fn peek(&mut self, mapping: &Py<PyAny>, key: &Py<PyAny>) -> Option<Py<PyAny>> {
        let mapping = self.mapping(mapping).get();
        if !mapping.serves(key.bind(self.py)) {
            return None;
        }
        Some(mapping.entries.bind(self.py).get_item(key).ok()??.unbind())
    }

    fn poke(&mut self, mapping: &Py<PyAny>, key: &Py<PyAny>, value: &Py<PyAny>) -> bool {
        let mapping = self.mapping(mapping).get();
        if !mapping.serves(key.bind(self.py)) {
            return false;
        }
        let entries = mapping.entries.bind(self.py);
        // The old value must not die in here: its finaliser is user code.
        if let Ok(Some(old)) = entries.get_item(key) {
            self.bury(old.unbind());
        }
        entries.set_item(key, value).is_ok()
    }

    fn replace(&mut self, mapping: &Py<PyAny>, key: &Py<PyAny>, value: &Py<PyAny>) -> bool {
        self.mapping(mapping).get().entries.bind(self.py).set_item(key, value).is_ok()
    }

    fn store(&mut self, mapping: &Py<PyAny>, key: Py<PyAny>, value: Py<PyAny>) -> Option<Request> {
        let mapping = self.mapping(mapping);
        if !mapping.get().serves(key.bind(self.py)) {
            return Some(Request::Store(mapping.clone().unbind(), key, value));
        }
        let entries = mapping.get().entries.bind(self.py);
        // The old value must not die in here: its finaliser is user code.
        if let Ok(Some(old)) = entries.get_item(&key) {
            self.bury(old.unbind());
        }
        if entries.set_item(&key, &value).is_err() {
            return Some(Request::Store(mapping.clone().unbind(), key, value));
        }
        self.bury(key);
        self.bury(value);
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
        self.bury(value);
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

    fn is_exception(&self, error: &Py<PyBaseException>) -> bool {
        error.bind(self.py).is_instance_of::<PyException>()
    }

    fn cancelled_scope(&self, error: &Py<PyBaseException>) -> Option<Py<PyAny>> {
        let (error, names) = (error.bind(self.py), names(self.py).ok()?);
        // A subclass of the user's could run anything.
        if !error.get_type().is(&names.cancelled) {
            return None;
        }
        let scope = error.getattr(name!(c"scope"));
        Some(scope.map_or_else(|_| self.py.None(), Bound::unbind))
    }

    fn trace_of(&self, error: &Py<PyBaseException>) -> Py<PyAny> {
        let raised = PyErr::from_value(error.bind(self.py).clone().into_any());
        raised.traceback(self.py).map_or_else(|| self.py.None(), |trace| trace.into_any().unbind())
    }

    fn as_error(&self, value: &Py<PyAny>) -> Option<Py<PyBaseException>> {
        value.bind(self.py).cast::<PyBaseException>().ok().map(|error| error.clone().unbind())
    }

    fn sequence(&mut self, values: Vec<Py<PyAny>>) -> Py<PyAny> {
        self.made(PyList::new(self.py, values)).into_any().unbind()
    }

    fn items<'v>(&self, sequence: &'v Py<PyAny>) -> &'v [Py<PyAny>] {
        sequence.bind(self.py).cast::<PyTuple>().map_or(&[], |items| owned_by(sequence, items.as_slice()))
    }

    fn is_atom(&self, value: &Py<PyAny>) -> bool {
        is_atom(value.bind(self.py))
    }

    fn integer(&self, value: &Py<PyAny>) -> Option<i64> {
        let value = value.bind(self.py);
        // A bool is no number here, and a subclass may say anything.
        if value.is_exact_instance_of::<PyInt>() { value.extract().ok() } else { None }
    }

    fn float(&self, value: &Py<PyAny>) -> Option<f64> {
        let value = value.bind(self.py);
        match value.cast::<PyFloat>() {
            Ok(float) => Some(float.value()),
            Err(_) if value.is_exact_instance_of::<PyInt>() => value.extract().ok(),
            Err(_) => None,
        }
    }

    fn make_float(&mut self, number: f64) -> Py<PyAny> {
        PyFloat::new(self.py, number).into_any().unbind()
    }

    fn flag(&self, value: &Py<PyAny>) -> Option<bool> {
        value.bind(self.py).cast::<PyBool>().ok().map(PyBoolMethods::is_true)
    }

    fn is_text(&self, value: &Py<PyAny>) -> bool {
        value.bind(self.py).is_instance_of::<PyString>()
    }

    fn make_flag(&mut self, flag: bool) -> Py<PyAny> {
        PyBool::new(self.py, flag).to_owned().into_any().unbind()
    }

    fn make_object(&mut self, object: Handle<PyWorld>) -> Py<PyAny> {
        let made = handle::make(self.py, object);
        self.made(made)
    }

    fn object<'v>(&self, value: &'v Py<PyAny>) -> Seen<'v, PyWorld> {
        handle::of(self.py, value).map_or(Seen::Other, |handle| match &handle.object {
            Some(object) => Seen::Object(object),
            None => Seen::Foreign,
        })
    }

    fn send(&mut self, errand: Errand<PyWorld>) {
        self.state.errands.post(self.py, errand);
    }

    fn keeps_root(&self) -> bool {
        self.state.errands.keeps_root
    }

    fn is_program(&self, value: &Py<PyAny>) -> bool {
        nodes::is_program(value.bind(self.py))
    }
}

/// What stands in a tuple that somebody owns, for as long as that is.
#[inline]
#[expect(unsafe_code, reason = "what is bound to the interpreter lives no longer than its token")]
fn owned_by<'v>(_owner: &'v Py<PyAny>, items: &[Bound<'_, PyAny>]) -> &'v [Py<PyAny>] {
    // SAFETY: the owner is that tuple, or an effect, which never changes its own. Tuples never change, and a `Py` is what a
    // `Bound` is but for the token.
    unsafe { std::slice::from_raw_parts(items.as_ptr().cast(), items.len()) }
}
