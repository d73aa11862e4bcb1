//! What a run leaves: its result, and the errors that nobody waits for.

use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyTuple};

use super::Machine;
use crate::core::fault::{Cause, Unobserved};
use crate::py::classes::outcome;
use crate::py::classes::result::RunResult;
use crate::py::found::name;
use crate::py::names::names;
use crate::py::world::PyWorld;
use crate::py::{context, error, reserve};

impl Machine {
    /// The result of a run that is over. What is no `Exception` is to be raised, with the result attached.
    ///
    /// # Errors
    /// When the result cannot be made.
    pub fn finish(
        mut self,
        py: Python<'_>,
        ended: Result<Py<PyAny>, Py<PyBaseException>>,
    ) -> PyResult<(Py<RunResult>, Option<Py<PyBaseException>>)> {
        reserve::release_rest();
        self.vm.write_back(host!(self, py));
        let mut unobserved = Vec::new();
        for lost in self.vm.take_unobserved() {
            let (error, origin) = self.lost(py, lost);
            unobserved.push(unobserved_error(py, error, origin)?);
        }
        let mut raised = match &ended {
            Err(error) if !is_kept(py, error)? => Some(error.clone_ref(py)),
            _ => None,
        };
        let (reports, failed) = self.roots.reports(py);
        for error in failed {
            let error = error.into_value(py);
            // Ctrl-C and the like leave a report as they leave a program.
            if raised.is_none() && !is_kept(py, &error)? {
                raised = Some(error);
            } else {
                unobserved.push(unobserved_error(py, error, None)?);
            }
        }
        let meter = self.vm.meter();
        let usage = names(py)?.result.bind(py).getattr(name!(c"Usage"))?.call1((
            meter.steps(),
            meter.peak_calls(),
            meter.peak_segments(),
            meter.peak_tasks(),
            meter.promises(),
            meter.elapsed().as_secs_f64(),
        ))?;
        let traceback = ended
            .as_ref()
            .err()
            .and_then(|error| PyErr::from_value(error.bind(py).clone().into_any()).traceback(py).map(Bound::unbind));
        let result = match ended {
            Ok(value) => Py::new(py, outcome::Ok::of(value))?.into_any(),
            Err(error) => Py::new(py, outcome::Err::of(error))?.into_any(),
        };
        let run_result = RunResult {
            result,
            traceback,
            raw_store: self.roots.raw_store(py).unbind(),
            log: self.roots.log(py).to_tuple().unbind(),
            reports: PyTuple::new(py, reports)?.unbind(),
            unobserved: PyTuple::new(py, unobserved)?.unbind(),
            trace: PyTuple::new(py, self.trace.take().unwrap_or_default())?.unbind(),
            usage: usage.unbind(),
        };
        let run_result = Py::new(py, run_result)?;
        if let Some(error) = &raised {
            attach(py, error, &run_result);
        }
        Ok((run_result, raised))
    }
}

impl Machine {
    /// An error that nobody waits for, and where it comes from.
    pub(super) fn lost(&self, py: Python<'_>, lost: Unobserved<PyWorld>) -> (Py<PyBaseException>, Option<Py<PyAny>>) {
        let error = match lost.cause {
            Cause::Error(error) => error,
            Cause::Fault(fault) => error::raise(py, fault, self.vm.meter().bounds()).into_value(py),
        };
        (error, lost.origin.map(|mark| context::marked_line(py, &mark)))
    }
}

/// Gives an error that leaves a run its result so far. A class with `__slots__` may refuse it: it is then raised without.
pub fn attach(py: Python<'_>, error: &Py<PyBaseException>, result: &Py<RunResult>) {
    let _ = error.bind(py).setattr(name!(c"run_result"), result);
}

/// Whether an error of the program stays in the result; any other is raised.
fn is_kept(py: Python<'_>, error: &Py<PyBaseException>) -> PyResult<bool> {
    let error = error.bind(py);
    Ok(error.is_instance_of::<PyException>() || error.is_instance(names(py)?.limit_exceeded.bind(py))?)
}

/// Tells of an error that nobody waits for.
pub fn tell(py: Python<'_>, error: &Py<PyBaseException>) {
    PyErr::from_value(error.bind(py).clone().into_any()).write_unraisable(py, None);
}

/// An error that nobody waits for: told once, and kept for the result.
fn unobserved_error(py: Python<'_>, error: Py<PyBaseException>, origin: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
    tell(py, &error);
    let class = names(py)?.result.bind(py).getattr(name!(c"Unobserved"))?;
    Ok(class.call1((error, origin))?.unbind())
}
