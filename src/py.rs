//! The binding: the machine's world in Python, the classes that Python sees, and the drivers.

mod begin;
mod call;
mod census;
mod classes;
mod contained;
mod context;
mod desks;
mod driver;
mod entered;
mod errands;
mod error;
mod found;
mod generator;
mod leaving;
mod names;
mod os_fork;
mod owners;
mod passage;
mod reserve;
mod roots;
mod signals;
mod slot;
mod stack;
mod tasks;
mod world;

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use classes::limits::Limits;
use classes::result::RunResult;
use classes::{begun, continuation, do_function, effect, engine, handle, handler, limits, nodes, outcome, result, vm};
use driver::{Given, NONE_GIVEN, Setting};

/// Runs a program to its end, inside the handlers, and gives its result. Law: semantics 5.
///
/// No handler is installed that was not given, with one exception: `env` or `store` without a `reader` or a `state`
/// among the handlers installs one outermost. Both mappings are copied.
///
/// Args:
///     program: A program or an effect; or, once, a bare generator.
///     handlers: One handler, or a sequence of handlers, the last innermost.
///     env: What a `reader` without settings of its own starts from.
///     store: What a `state` without settings of its own starts from.
///     trace: Whether to note each step.
///     limits: What the run may use.
///
/// Returns:
///     What the program came to, with the final state and the log: a `RunResult`, which holds an `Exception` and
///     `LimitExceeded` as well.
///
/// Raises:
///     `TypeError`: An argument is wrong.
///     `BaseException`: What is neither an `Exception` nor `LimitExceeded` leaves as it is, after the unwinding, with
///         the result so far as `run_result`.
///
/// Example:
///
/// ```python
/// >>> from segue import Ask, do, reader, run
/// >>> @do
/// ... def greeting():
/// ...     name = yield Ask("name")
/// ...     return f"hello {name}"
/// >>> run(greeting(), handlers=[reader], env={"name": "Ann"}).value
/// 'hello Ann'
///
/// ```
#[pyfunction]
#[pyo3(
    signature = (program, handlers = NONE_GIVEN, *, env = None, store = None, trace = false, limits = None),
    text_signature = "(program, handlers=(), *, env=None, store=None, trace=False, limits=None)"
)]
#[expect(clippy::needless_pass_by_value, reason = "the argument's conversion gives it by value")]
fn run(
    py: Python<'_>,
    program: &Bound<'_, PyAny>,
    handlers: Given<'_>,
    env: Option<&Bound<'_, PyAny>>,
    store: Option<&Bound<'_, PyAny>>,
    trace: bool,
    limits: Option<&Bound<'_, Limits>>,
) -> PyResult<Py<RunResult>> {
    let limits = limits.map(Bound::get);
    driver::run(
        py,
        program,
        &Setting { handlers: handlers.as_ref(), env, store, trace, stepping: false, driven: false, limits },
    )
}

/// How much is alive in this process, over all runs: zero when none is going on.
#[pyfunction]
fn vm_live_counts(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let counts = PyDict::new(py);
    counts.set_item("segments", crate::core::arena::LIVE_SEGMENTS.load(Ordering::Relaxed))?;
    counts.set_item("frames", world::LIVE_FRAMES.load(Ordering::Relaxed))?;
    counts.set_item("continuations", crate::core::dispatch::LIVE_CONTINUATIONS.load(Ordering::Relaxed))?;
    Ok(counts)
}

/// The object's `repr`, bounded and escaped; it never raises.
#[pyfunction]
fn safe_repr(value: &Bound<'_, PyAny>) -> String {
    classes::text::safe_repr(value)
}

/// Checks that a function was given a program or an effect.
#[pyfunction]
fn check_program(function: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    if nodes::is_program(value) {
        return Ok(());
    }
    let py = value.py();
    Err(classes::mistake::mistake(py, value, &format!("{function} takes a program or an effect")))
}

/// The extension module of `segue`. Its public names are those of the package.
#[pymodule(gil_used = false)]
fn _vm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    nodes::register(module)?;
    effect::register(module)?;
    do_function::register(module)?;
    outcome::register(module)?;
    limits::register(module)?;
    continuation::register(module)?;
    begun::register(module);
    handler::register(module)?;
    handle::register(module)?;
    census::register(module)?;
    result::register(module)?;
    vm::register(module)?;
    engine::register(module)?;
    // A finaliser that runs a program at the very end must not be the first to import this.
    signals::look_up(module.py())?;
    leaving::register(module.py())?;
    os_fork::register(module)?;
    world::prepare(module.py());
    module.add_function(wrap_pyfunction!(names::take_names, module)?)?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(safe_repr, module)?)?;
    module.add_function(wrap_pyfunction!(check_program, module)?)?;
    module.add_function(wrap_pyfunction!(vm_live_counts, module)?)
}
