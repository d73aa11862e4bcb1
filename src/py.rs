//! The binding: the machine's world in Python, the classes that Python sees, and the drivers.

mod call;
mod classes;
mod context;
mod driver;
mod error;
mod names;
mod roots;
mod signals;
mod world;

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};

use classes::limits::Limits;
use classes::result::RunResult;
use classes::{continuation, do_function, effect, handler, limits, nodes, outcome, result, vm};
use driver::{Given, NONE_GIVEN, Setting};

/// Runs a program to its end, inside the handlers, and gives a `RunResult`.
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
    driver::run(py, program, &Setting { handlers: handlers.as_ref(), env, store, trace, stepping: false, limits })
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

/// The extension module of `segue`. Its public names are those of the package.
#[pymodule]
fn _vm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    nodes::register(module)?;
    effect::register(module)?;
    do_function::register(module)?;
    outcome::register(module)?;
    limits::register(module)?;
    continuation::register(module)?;
    handler::register(module)?;
    result::register(module)?;
    vm::register(module)?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(safe_repr, module)?)?;
    module.add_function(wrap_pyfunction!(vm_live_counts, module)?)
}
