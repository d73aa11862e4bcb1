// What `core-knows-no-python` must let pass: a comment may speak of pyo3 and of Py<PyAny>.

pub trait Host<W: World> {
    // ok: core-knows-no-python
    fn call(&mut self, call: PythonCall<W>) -> PyCallOutcome<W>;
    fn classify(&mut self, value: W::Value) -> Ctrl<W>;
}
