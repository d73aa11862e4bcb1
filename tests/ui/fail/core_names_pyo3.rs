use pyo3::Python;

fn main() {}
