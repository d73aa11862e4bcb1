//! From the node that a program yields to the machine's instruction.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::{PyHost, PyWorld};
use crate::core::ctrl::Ctrl;
use crate::core::frame::Resumption;
use crate::py::classes::nodes::{self, NodeKind};

impl PyHost<'_, '_> {
    /// The control node of a node object: its parts, each a reference of its own.
    pub(super) fn reduce(&self, value: &Bound<'_, PyAny>, kind: NodeKind) -> Ctrl<PyWorld> {
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
