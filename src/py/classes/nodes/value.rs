//! Programs that make values: pure ones, calls, performs, and what is built from them.

use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use pyo3::types::{PyAny, PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::super::fleeting::{self, Fleeting};
use super::super::link::{Held, Link};
use super::super::spare::Spare;
use super::super::text::{CallText, named};
use super::arguments::Arguments;
use super::{DoExpr, Node, NodeKind, build, check};

node! {
    /// A program that evaluates to `value` and performs nothing.
    ///
    /// Law: semantics 1.
    ///
    /// Args:
    ///     value: Any value, a program or an effect among them: it is not evaluated.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Pure, run
    /// >>> run(Pure(1)).value
    /// 1
    ///
    /// ```
    Pure(value) shows ["value"] {
        /// What it evaluates to.
        value: Link = any(value),
    }
}

node! {
    /// Evaluates `p`, then to `f(result)`. What `f` returns is a value, whatever it is.
    ///
    /// Law: semantics 1.
    ///
    /// Args:
    ///     p: A program or an effect.
    ///     f: From the result to the new one.
    ///
    /// Raises:
    ///     `TypeError`: `p` is neither, or `f` is not callable.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Map, Pure, run
    /// >>> run(Map(Pure(20), lambda n: n + 1)).value
    /// 21
    ///
    /// ```
    Map(p, f) shows ["program", "function"] {
        /// What is evaluated first.
        program: Link = program(p),
        /// What makes the result.
        function: Link = callable(f),
    }
}

node! {
    /// Evaluates `p`, then the program or effect that `f(result)` returns, in the place of this node.
    ///
    /// Law: semantics 1.
    ///
    /// Args:
    ///     p: A program or an effect.
    ///     f: From the result to what is evaluated next; anything else that it returns is a `TypeError` there.
    ///
    /// Raises:
    ///     `TypeError`: `p` is neither, or `f` is not callable.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import FlatMap, Pure, run
    /// >>> run(FlatMap(Pure(20), lambda n: Pure(n + 1))).value
    /// 21
    ///
    /// ```
    FlatMap(p, f) shows ["program", "function"] {
        /// What is evaluated first.
        program: Link = program(p),
        /// What makes the program to go on with.
        function: Link = callable(f),
    }
}

node! {
    /// Performs `effect`: the nearest enclosing handler that accepts it answers. To yield an effect means the same.
    ///
    /// Law: semantics 2.
    ///
    /// Args:
    ///     effect: The effect.
    ///
    /// Raises:
    ///     `TypeError`: It is no effect.
    ///     `UnhandledEffectError`: At the perform, when no handler in scope accepts it.
    ///
    /// Example:
    ///
    /// ```python
    /// >>> from segue import Get, Perform, run, state
    /// >>> run(Perform(Get("n")), handlers=[state({"n": 1})]).value
    /// 1
    ///
    /// ```
    Perform(effect) shows ["effect"] {
        /// What is performed.
        effect: Link = effect(effect),
    }
}

impl Map {
    /// `Map(p, f)`.
    pub(super) fn of(p: &Bound<'_, PyAny>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        build(p.py(), Self { program: p.into(), function: check::callable(f, check::At("map", "f"))? })
    }
}

impl FlatMap {
    /// `FlatMap(p, f)`.
    pub(super) fn of(p: &Bound<'_, PyAny>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        build(p.py(), Self { program: p.into(), function: check::callable(f, check::At("flat_map", "f"))? })
    }
}

/// `p.map(f)` for effects, which are no nodes.
pub(in super::super) fn map(p: &Bound<'_, PyAny>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    Map::of(p, f)
}

/// `p.flat_map(f)` for effects, which are no nodes.
pub(in super::super) fn flat_map(p: &Bound<'_, PyAny>, f: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    FlatMap::of(p, f)
}

/// Calls `f(*args, **kwargs)` and evaluates the program or effect that it returns.
///
/// A call of a `@do` function is such a node too, marked by `is_do`: there, what the function returns is a value, and a
/// generator that it makes is the program's body. Law: semantics 1.
///
/// Args:
///     f: What is called, each time that the node is evaluated.
///     *args: Its arguments.
///     **kwargs: Its arguments by name.
///
/// Raises:
///     `TypeError`: `f` is not callable.
///
/// Example:
///
/// ```python
/// >>> from segue import Call, Pure, run
/// >>> run(Call(lambda n: Pure(n + 1), 20)).value
/// 21
///
/// ```
#[pyclass(frozen, extends = DoExpr, module = "segue._vm")]
#[derive(Debug)]
pub struct Call {
    /// What is called.
    #[pyo3(get)]
    pub function: Link,
    /// What it is called with.
    pub arguments: Arguments,
    /// Made by calling a `@do` function.
    #[pyo3(get)]
    pub is_do: bool,
    /// The function makes a generator (known for `@do` functions only).
    #[pyo3(get)]
    pub is_generator: bool,
}

impl Node for Call {
    fn initializer(self) -> PyClassInitializer<Self> {
        PyClassInitializer::from(DoExpr { kind: NodeKind::Call }).add_subclass(self)
    }
}

impl Fleeting for Call {
    type Front = DoExpr;
    type Back = Self;

    fn spare() -> &'static Spare {
        static SPARE: Spare = Spare::new();
        &SPARE
    }

    fn let_go(py: Python<'_>, _: DoExpr, node: Self) {
        node.function.let_go(py);
        node.arguments.let_go(py);
    }
}

#[pymethods]
impl Call {
    #[new]
    #[pyo3(signature = (f, /, *args, **kwargs))]
    fn new(
        f: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let function = check::callable(f, check::At("Call", "f"))?;
        let arguments = Arguments::gathered(args, kwargs)?;
        Ok(Self { function, arguments, is_do: false, is_generator: false }.initializer())
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("function", "args", "kwargs")
    }

    /// The arguments by position.
    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.arguments.tuple(py)
    }

    /// The arguments by name.
    #[getter]
    fn kwargs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.arguments.dictionary(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.function.visit(visit)?;
        self.arguments.visit(visit)
    }
}

impl Call {
    /// The call of a `@do` function.
    #[inline]
    pub(in super::super) fn of_do(
        function: &Bound<'_, PyAny>,
        arguments: Arguments,
        is_generator: bool,
    ) -> PyResult<Py<PyAny>> {
        let node = Self { function: function.into(), arguments, is_do: true, is_generator };
        fleeting::make::<Self>(function.py(), DoExpr { kind: NodeKind::Call }, node)
    }

    /// `fetch(1)` for the call of a `@do` function, `Call(f, 1)` else.
    pub(super) fn describe(&self, py: Python<'_>) -> String {
        let function = self.function.bind(py);
        let name = if self.is_do { named(function) } else { "Call".to_owned() };
        CallText::of(&name, |call| {
            if !self.is_do {
                call.part(None, function);
            }
            for value in self.arguments.by_position(py) {
                call.part(None, value);
            }
            for (name, value) in self.arguments.by_name(py) {
                call.part(Some(&name.to_string()), value);
            }
        })
    }
}

/// A value of the reader's environment that is computed at the first `Ask`: what evaluating `program` gives.
///
/// Law: semantics 6.
///
/// Args:
///     program: A program or an effect.
///
/// Raises:
///     `TypeError`: It is neither.
///
/// Example:
///
/// ```python
/// >>> from segue import Ask, Pure, lazy, reader, run
/// >>> run(Ask("n"), handlers=[reader({"n": lazy(Pure(3))})]).value
/// 3
///
/// ```
#[pyclass(frozen, weakref, generic, module = "segue._vm")]
#[derive(Debug)]
pub struct Lazy {
    /// What computes the value.
    #[pyo3(get)]
    pub program: Link,
}

#[pymethods]
impl Lazy {
    #[new]
    fn new(program: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { program: check::program(program, check::At("lazy", "program"))? })
    }

    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("program",)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        CallText::of("lazy", |call| call.part(None, self.program.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.program.visit(visit)
    }
}
