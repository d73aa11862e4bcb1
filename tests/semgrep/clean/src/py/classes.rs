// What `yields-are-classified-by-type` must let pass.

fn classify(names: &Names, yielded: &Bound<'_, PyAny>) -> PyResult<Kind> {
    // ok: yields-are-classified-by-type
    if yielded.get_type().is(&names.resume) {
        return Ok(Kind::Resume);
    }
    // ok: yields-are-classified-by-type
    let shown = format!("yielded a {}", yielded.get_type().name()?);
    // ok: yields-are-classified-by-type
    match yielded.downcast::<Node>() {
        Ok(node) => Ok(node.kind),
        Err(_) => Err(PyTypeError::new_err(shown)),
    }
}
