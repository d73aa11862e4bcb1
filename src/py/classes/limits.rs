//! What a run may use (semantics 5).

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyBool, PyDict, PyFloat, PyInt, PyModule, PyTuple};

use super::text::safe_repr;

/// Clean-up steps after a limit when nothing else is said.
const GRACE: u64 = 10_000;

/// Bounds of one run; exactly the limit passes, one more raises `LimitExceeded` at each step. `None` is no bound.
///
/// Law: semantics 5.
///
/// Args:
///     steps: Performs, clauses' answers and programs entered.
///     depth: Calls inside each other.
///     segments: Segments alive at once.
///     tasks: Tasks alive at once.
///     promises: Promises made.
///     seconds: Wall time, in seconds.
///     grace: Steps of clean-up past a limit, after which the remaining frames are closed without effects.
///
/// Raises:
///     `TypeError`: A bound is no number; `True` is none.
///     `ValueError`: A count is less than one (`grace`: zero), or the time is negative or not finite.
///
/// Example:
///
/// ```python
/// >>> from segue import Limits, do, run
/// >>> @do
/// ... def forever():
/// ...     while True:
/// ...         yield step()
/// >>> @do
/// ... def step(): ...
/// >>> run(forever(), limits=Limits(steps=100)).error.limit
/// 'steps'
///
/// ```
#[pyclass(frozen, eq, get_all, module = "segue._vm")]
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Performs, clauses' answers and programs entered.
    pub steps: Option<u64>,
    /// Calls inside each other.
    pub depth: Option<u64>,
    /// Segments alive at once.
    pub segments: Option<u64>,
    /// Tasks alive at once.
    pub tasks: Option<u64>,
    /// Promises made.
    pub promises: Option<u64>,
    /// Wall time, in seconds.
    pub seconds: Option<f64>,
    /// Steps of clean-up past a limit, after which the remaining frames are closed without effects.
    pub grace: u64,
}

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (
        *, steps = None, depth = None, segments = None, tasks = None, promises = None, seconds = None, grace = None
    ))]
    fn new(
        steps: Option<&Bound<'_, PyAny>>,
        depth: Option<&Bound<'_, PyAny>>,
        segments: Option<&Bound<'_, PyAny>>,
        tasks: Option<&Bound<'_, PyAny>>,
        promises: Option<&Bound<'_, PyAny>>,
        seconds: Option<&Bound<'_, PyAny>>,
        grace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self {
            steps: bound("steps", steps)?,
            depth: bound("depth", depth)?,
            segments: bound("segments", segments)?,
            tasks: bound("tasks", tasks)?,
            promises: bound("promises", promises)?,
            seconds: time("seconds", seconds)?,
            grace: grace.map_or(Ok(GRACE), |grace| count("grace", grace, 0))?,
        })
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        Self::values(slf.py(), slf.get())?.hash()
    }

    fn __repr__(&self) -> String {
        let counts = [
            ("steps", self.steps),
            ("depth", self.depth),
            ("segments", self.segments),
            ("tasks", self.tasks),
            ("promises", self.promises),
            ("grace", (self.grace != GRACE).then_some(self.grace)),
        ];
        let mut parts: Vec<String> =
            counts.iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
        if let Some(seconds) = self.seconds {
            parts.push(format!("seconds={seconds:?}"));
        }
        format!("Limits({})", parts.join(", "))
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let names = PyDict::new(py);
        for (name, value) in Self::NAMES.iter().zip(Self::values(py, self)?) {
            names.set_item(name, value)?;
        }
        Ok((PyTuple::empty(py), names))
    }
}

impl Limits {
    const NAMES: [&'static str; 7] = ["steps", "depth", "segments", "tasks", "promises", "seconds", "grace"];

    /// The values in the order of [`Self::NAMES`].
    fn values<'py>(py: Python<'py>, limits: &Self) -> PyResult<Bound<'py, PyTuple>> {
        let Self { steps, depth, segments, tasks, promises, seconds, grace } = limits;
        (steps, depth, segments, tasks, promises, seconds, grace).into_pyobject(py)
    }
}

fn bound(name: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<u64>> {
    value.map(|value| count(name, value, 1)).transpose()
}

/// A whole number of at least `least`; `True` is none.
fn count(name: &str, value: &Bound<'_, PyAny>, least: u64) -> PyResult<u64> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(format!("Limits: {name} must be an int, got {}", safe_repr(value))));
    }
    match value.extract::<u64>() {
        Ok(count) if count >= least => Ok(count),
        _ => Err(PyValueError::new_err(format!(
            "Limits: {name} must be at least {least} and less than 2**64, got {}",
            safe_repr(value)
        ))),
    }
}

/// A finite duration that is not negative.
fn time(name: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
    let Some(value) = value else { return Ok(None) };
    let is_number = value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>();
    if !is_number || value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(format!("Limits: {name} must be a number, got {}", safe_repr(value))));
    }
    match value.extract::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok(Some(seconds)),
        _ => Err(PyValueError::new_err(format!(
            "Limits: {name} must be finite and not negative, got {}",
            safe_repr(value)
        ))),
    }
}

/// Adds the class of this file to the module.
///
/// # Errors
/// What adding to the module raises.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Limits>()
}
