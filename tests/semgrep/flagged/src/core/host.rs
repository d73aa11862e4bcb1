// What `core-knows-no-python` must flag.

// ruleid: core-knows-no-python
use pyo3::prelude::*;

pub struct Value {
    // ruleid: core-knows-no-python
    object: Py<PyAny>,
}

// ruleid: core-knows-no-python
pub fn classify(py: Python<'_>, value: &Value) -> Kind {
    Kind::Effect
}
