// What `user-code-runs-without-the-machine` must let pass.

/// No `&mut Vm` is held here.
// ok: user-code-runs-without-the-machine
pub fn send(generator: &Bound<'_, PyIterator>, value: &Bound<'_, PyAny>, host: &mut PyHost) -> Outcome {
    generator.send(value)
}
