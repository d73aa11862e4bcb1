// What `yields-are-classified-by-type` must flag.

fn classify(yielded: &Bound<'_, PyAny>) -> PyResult<Kind> {
    // ruleid: yields-are-classified-by-type
    if yielded.get_type().name()? == "Resume" {
        return Ok(Kind::Resume);
    }
    let class = yielded.get_type();
    // ruleid: yields-are-classified-by-type
    if class.qualname()? == "Transfer" {
        return Ok(Kind::Transfer);
    }
    let type_name = class.name()?.to_string();
    // ruleid: yields-are-classified-by-type
    if type_name == "Perform" {
        return Ok(Kind::Perform);
    }
    // ruleid: yields-are-classified-by-type
    match type_name.as_str() {
        "Pass" => Ok(Kind::Pass),
        _ => Ok(Kind::Wrong),
    }
}
