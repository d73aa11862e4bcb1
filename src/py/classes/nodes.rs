//! The closed set of control nodes: immutable descriptions, one class each (semantics 1).
//!
//! [`DoExpr`] is the base of all and carries [`NodeKind`], which tells the binding what a yielded object is without a
//! look at its class. Constructors check their arguments at once; what they own is in [`Link`]s, so that a program of
//! any depth drops in constant native stack. Nodes are traversed by the collector and never cleared, like tuples.

/// Declares a node class: its parameters as Python sees them, what `repr` and `match` show, and for each field the
/// check from [`check`] that makes it from the parameters.
macro_rules! node {
    (
        $(#[$meta:meta])*
        $name:ident($($param:ident $(= $default:tt)?),*) shows [$($shown:literal),*] {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $check:ident($first:ident $(, $more:ident)*),)*
        }
    ) => {
        #[pyclass(frozen, extends = DoExpr, module = "segue._vm", get_all)]
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Node for $name {
            fn initializer(self) -> PyClassInitializer<Self> {
                PyClassInitializer::from(DoExpr { kind: NodeKind::$name }).add_subclass(self)
            }
        }

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = ($($param $(= $default)?),*))]
            fn new($($param: node!(@argument $($default)?)),*) -> PyResult<PyClassInitializer<Self>> {
                let node = Self {
                    $($field: check::$check(
                        $first,
                        $($more,)*
                        check::At(stringify!($name), stringify!($first)),
                    )?,)*
                };
                Ok(node.initializer())
            }

            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                PyTuple::new(py, [$($shown),*] as [&str; _])
            }

            fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
                let _ = visit;
                $(self.$field.visit(visit)?;)*
                Ok(())
            }
        }
    };
    (@argument) => { &Bound<'_, PyAny> };
    (@argument None) => { Option<&Bound<'_, PyAny>> };
}

mod arguments;
mod by_position;
mod check;
mod control;
mod handlers;
mod scope;
mod value;

pub use arguments::Arguments;
pub use control::{
    Delegate, Discontinue, GetContinuation, GetExecutionContext, GetHandlers, Pass, PythonAsyncSyntaxEscape, Resume,
    ResumeThrow, Transfer, TransferThrow,
};
pub use handlers::{handler_list, nest};
pub use scope::{Bracket, CreateContinuation, Inherit, Listen, Local, Seal, Try, WithHandler, WithIntercept};
pub use value::{Call, FlatMap, Lazy, Map, Perform, Pure};
pub(super) use value::{flat_map, map};

use pyo3::PyClass;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyDict, PyModule, PyTuple};

use super::effect::is_effect;
use super::fleeting;
use super::link::Link;
use super::text::{CallText, type_name};

/// Which node a [`DoExpr`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// [`Pure`]
    Pure,
    /// [`Map`]
    Map,
    /// [`FlatMap`]
    FlatMap,
    /// [`Call`], by a `@do` function or by hand
    Call,
    /// [`Perform`]
    Perform,
    /// [`WithHandler`]
    WithHandler,
    /// [`WithIntercept`]
    WithIntercept,
    /// [`Seal`]
    Seal,
    /// [`Try`]
    Try,
    /// [`Local`]
    Local,
    /// [`Listen`]
    Listen,
    /// [`Bracket`]
    Bracket,
    /// [`Resume`], which `ResumeContinuation` is another name of
    Resume,
    /// [`ResumeThrow`]
    ResumeThrow,
    /// [`Transfer`]
    Transfer,
    /// [`TransferThrow`]
    TransferThrow,
    /// [`Discontinue`]
    Discontinue,
    /// [`Delegate`]
    Delegate,
    /// [`Pass`]
    Pass,
    /// [`GetContinuation`]
    GetContinuation,
    /// [`GetHandlers`]
    GetHandlers,
    /// [`GetExecutionContext`]
    GetExecutionContext,
    /// [`CreateContinuation`]
    CreateContinuation,
    /// [`Inherit`]
    Inherit,
    /// [`PythonAsyncSyntaxEscape`]
    PythonAsyncSyntaxEscape,
}

/// A program: a description that does nothing until `run` evaluates it.
///
/// Programs are made by calling `@do` functions and by the control nodes; this base itself has no instances. A program
/// is immutable, equal to itself only, and may run many times and from several threads. `Program[R, E]` is its public
/// name: it evaluates to an `R` and may perform `E`. Law: semantics 1.
///
/// Raises:
///     `TypeError`: It is called.
///
/// Example:
///
/// ```python
/// >>> from segue import Program, Pure
/// >>> isinstance(Pure(1), Program)
/// True
///
/// ```
#[pyclass(frozen, subclass, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct DoExpr {
    /// Which node this is.
    pub kind: NodeKind,
}

#[pymethods]
impl DoExpr {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Err(PyTypeError::new_err(
            "DoExpr is abstract: programs are made by calling @do functions and by nodes such as Pure(value)",
        ))
    }

    /// The program whose result is `f(result of this one)`.
    fn map(slf: &Bound<'_, Self>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Map::of(slf.as_any(), f)
    }

    /// The program that goes on as the program or effect that `f(result of this one)` returns.
    fn flat_map(slf: &Bound<'_, Self>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        FlatMap::of(slf.as_any(), f)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        if let Ok(call) = slf.as_any().cast::<Call>() {
            return call.get().describe(slf.py());
        }
        CallText::of(&type_name(slf.as_any()), |call| {
            let names = slf.as_any().getattr("__match_args__").and_then(|names| names.extract::<Vec<String>>());
            for name in names.unwrap_or_default() {
                if let Ok(value) = slf.as_any().getattr(name.as_str()) {
                    call.part(None, &value);
                }
            }
        })
    }
}

/// Whether `value` may stand where a program is asked for: a node or an effect, by its real class.
#[must_use]
#[inline]
pub fn is_program(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<Call>() || is_effect(value) || value.is_instance_of::<DoExpr>()
}

/// A node class: what the macro `node!` declares.
pub trait Node: PyClass {
    /// The node with its base, which tells its kind.
    fn initializer(self) -> PyClassInitializer<Self>;
}

/// A new Python object for a node.
///
/// # Errors
/// When memory is exhausted.
pub fn build<T: Node>(py: Python<'_>, node: T) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, node.initializer())?.into_any())
}

/// `Resume(k, value)`.
///
/// # Errors
/// When memory is exhausted.
pub fn resume(py: Python<'_>, k: Py<PyAny>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
    fleeting::make::<Resume>(py, DoExpr { kind: NodeKind::Resume }, Resume { k: k.into(), value: value.into() })
}

/// `ResumeThrow(k, exc)`: `exc` is checked and instantiated as the constructor does.
///
/// # Errors
/// `TypeError` when `exc` is neither an exception nor an exception class; what instantiating the class raises.
pub fn resume_throw(py: Python<'_>, k: Py<PyAny>, exc: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let error = check::exception(exc.bind(py), check::At("k.throw", "exc"))?;
    build(py, ResumeThrow { k: k.into(), error })
}

/// `Discontinue(k)`.
///
/// # Errors
/// When memory is exhausted.
pub fn discontinue(py: Python<'_>, k: Py<PyAny>) -> PyResult<Py<PyAny>> {
    build(py, Discontinue { k: Link::from(k) })
}

/// Adds every node class to the module, under its name in the vocabulary.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<DoExpr>()?;
    module.add_class::<Pure>()?;
    module.add_class::<Map>()?;
    module.add_class::<FlatMap>()?;
    module.add_class::<Call>()?;
    module.add_class::<Perform>()?;
    module.add_class::<Lazy>()?;
    module.add_class::<WithHandler>()?;
    module.add_class::<WithIntercept>()?;
    module.add_class::<Seal>()?;
    module.add_class::<Try>()?;
    module.add_class::<Local>()?;
    module.add_class::<Listen>()?;
    module.add_class::<Bracket>()?;
    module.add_class::<Inherit>()?;
    module.add_class::<CreateContinuation>()?;
    module.add_class::<Resume>()?;
    module.add("ResumeContinuation", module.py().get_type::<Resume>())?;
    module.add_class::<ResumeThrow>()?;
    module.add_class::<Transfer>()?;
    module.add_class::<TransferThrow>()?;
    module.add_class::<Discontinue>()?;
    module.add_class::<Delegate>()?;
    module.add_class::<Pass>()?;
    module.add_class::<GetContinuation>()?;
    module.add_class::<GetHandlers>()?;
    module.add_class::<GetExecutionContext>()?;
    by_position::prepare(module.py());
    fleeting::prepare::<Call>(module.py());
    fleeting::prepare::<Resume>(module.py());
    module.add_class::<PythonAsyncSyntaxEscape>()
}
