//! What the machine asks of the world.

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyString, PyTuple, PyType};

use super::{Code, Dead, PyHost, PyWorld, ends_clause};
use crate::core::continuation::ContinuationCell;
use crate::core::ctrl::Ctrl;
use crate::core::host::{Form, Host, Plain};
use crate::core::ids::ClauseId;
use crate::py::classes::continuation::{self, K};
use crate::py::classes::effect::is_effect;
use crate::py::classes::handler::Installed;
use crate::py::classes::nodes::{self, DoExpr};
use crate::py::classes::outcome;
use crate::py::classes::root_generator::RootGenerator;
use crate::py::context;
use crate::py::owners::is_held_by;

/// How much may be dead at once where nothing else asks for it to go.
const MOST_DEAD: usize = 64;

impl Host<PyWorld> for PyHost<'_, '_> {
    fn classify(&mut self, value: Py<PyAny>) -> Ctrl<PyWorld> {
        let py = self.py;
        let bound = value.bind(py);
        if let Ok(call) = bound.cast_exact::<nodes::Call>() {
            return if call.get().is_do { Ctrl::Do(value) } else { Ctrl::Call(value) };
        }
        if is_effect(bound) {
            return Ctrl::Perform(value);
        }
        let ctrl = match bound.cast::<DoExpr>() {
            Ok(node) => self.reduce(bound, node.get().kind),
            Err(_) if bound.is_exact_instance_of::<RootGenerator>() => return Ctrl::Do(value),
            Err(_) => return Ctrl::NotProgram(value),
        };
        self.bury(value);
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

    fn clone_handler(&self, handler: &Py<Installed>) -> Py<Installed> {
        handler.clone_ref(self.py)
    }

    fn label(&self, handler: &Py<Installed>, clause: ClauseId) -> Py<PyString> {
        handler.get().table.get().clause(clause).name.clone_ref(self.py)
    }

    fn same_error(&self, one: &Py<PyBaseException>, other: &Py<PyBaseException>) -> bool {
        one.is(other)
    }

    fn discontinued(&mut self) -> Py<PyBaseException> {
        let made = self.state.discontinued.bind(self.py).call0();
        match made.and_then(|made| Ok(made.cast_into::<PyBaseException>()?)) {
            Ok(made) => {
                self.state.passage.begins(&made);
                made.unbind()
            }
            Err(error) => error.into_value(self.py),
        }
    }

    fn lets_pass(&mut self, code: &Code, error: &Py<PyBaseException>) -> bool {
        code.is_plain()
            && self.state.passage.is_open(code.generator.bind(self.py), error)
            && self.state.trash.try_reserve(1).is_ok()
    }

    fn is_full(&self) -> bool {
        self.state.trash.len() >= MOST_DEAD
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
        self.made(continuation::make(self.py, cell))
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a clause that resumes asks for it five times")]
    fn cell<'a>(&'a self, k: &'a Py<PyAny>) -> &'a ContinuationCell<PyWorld> {
        // Nodes check at once that they are given a `K`.
        let k = k.bind(self.py).cast_exact::<K>().expect("a node for a continuation holds a K");
        &k.get().cell
    }

    fn plain(&self, node: &Py<PyAny>) -> Plain<PyWorld> {
        let node = node.bind(self.py);
        if let Ok(call) = node.cast_exact::<nodes::Call>() {
            return if call.get().is_do { Plain::Do } else { Plain::Other };
        }
        if let Ok(resume) = node.cast_exact::<nodes::Resume>() {
            let resume = resume.get();
            return Plain::Resume(resume.k.clone_ref(self.py), resume.value.clone_ref(self.py));
        }
        if node.is_exact_instance_of::<nodes::Delegate>() {
            return Plain::Delegate;
        }
        if node.is_exact_instance_of::<nodes::Pass>() {
            return Plain::Pass;
        }
        if is_effect(node) { Plain::Effect } else { Plain::Other }
    }

    fn delegates(&self, node: &Py<PyAny>) -> bool {
        node.bind(self.py).is_exact_instance_of::<nodes::Delegate>()
    }

    fn is_ours(&self, k: &Py<PyAny>) -> bool {
        is_held_by(1, k.bind(self.py))
    }

    #[inline]
    fn resumed_with(&self, node: &Py<PyAny>, k: &Py<PyAny>) -> Option<Py<PyAny>> {
        let resume = node.bind(self.py).cast_exact::<nodes::Resume>().ok()?.get();
        resume.k.get().is(k).then(|| resume.value.clone_ref(self.py))
    }

    fn resumes(&mut self, node: Py<PyAny>, k: &Py<PyAny>) -> Result<Py<PyAny>, Py<PyAny>> {
        let Ok(resume) = node.bind(self.py).cast_exact::<nodes::Resume>() else { return Err(node) };
        let own = resume.get().k.get();
        if !own.is(k) || !is_held_by(1, resume.as_any()) || !is_held_by(2, own.bind(self.py)) {
            return Err(node);
        }
        let value = resume.get().value.clone_ref(self.py);
        // What it holds has another owner: nothing dies but the node.
        node.drop_ref(self.py);
        Ok(value)
    }

    fn ok(&mut self, value: Py<PyAny>) -> Py<PyAny> {
        self.made(Py::new(self.py, outcome::Ok::of(value))).into_any()
    }

    fn err(&mut self, error: Py<PyBaseException>) -> Py<PyAny> {
        self.made(Py::new(self.py, outcome::Err::of(error))).into_any()
    }

    fn handler_object(&self, handler: &Py<Installed>) -> Option<Py<PyAny>> {
        handler.get().original.as_ref().map(|original| original.clone_ref(self.py))
    }

    fn describe_code(&mut self, code: &Code) -> Py<PyAny> {
        context::program_line(self.py, code)
    }

    fn mark_place(&mut self, code: &Code) -> Py<PyAny> {
        self.state.marks.mark(self.py, code)
    }

    fn performs_in(&mut self, context: Option<&Py<PyAny>>) {
        self.state.errands.context = context.map(|context| context.clone_ref(self.py));
    }

    fn fork_context(&mut self, of: Option<&Py<PyAny>>) -> Py<PyAny> {
        let forked = self.state.entered.fork(self.py, of);
        self.made(forked)
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
