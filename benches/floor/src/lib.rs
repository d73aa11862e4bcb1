//! U: the loop that no design on generators gets below.
//!
//! It knows no effect and no handler. It drives a generator with `PyIter_Send`, drops what is yielded, and sends the same
//! answer each time, until the generator returns.

#[pyo3::pymodule]
mod segue_floor {
    use pyo3::exceptions::PyTypeError;
    use pyo3::prelude::*;
    use pyo3::types::PyIterator;
    use pyo3::types::iterator::PySendResult;

    /// Drives a generator until it returns, and gives what it returned.
    ///
    /// The first thing sent is `None`, as a generator that did not start yet takes nothing else; then it is `answer`.
    ///
    /// # Errors
    ///
    /// What the generator raises, and a `TypeError` for what is no iterator.
    #[pyfunction]
    fn drive<'py>(generator: &Bound<'py, PyAny>, answer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = generator.py();
        let Ok(generator) = generator.cast::<PyIterator>() else {
            return Err(PyTypeError::new_err("drive() takes a generator"));
        };
        let mut sent = generator.send(py.None().bind(py))?;
        loop {
            match sent {
                PySendResult::Next(_) => sent = generator.send(answer)?,
                PySendResult::Return(value) => return Ok(value),
            }
        }
    }
}
