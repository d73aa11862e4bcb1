// What `user-code-runs-without-the-machine` must flag.

// ruleid: user-code-runs-without-the-machine
pub fn send(vm: &mut Vm<PyWorld>, generator: &Bound<'_, PyIterator>, value: &Bound<'_, PyAny>) -> Outcome {
    generator.send(value)
}

pub struct Running<'a> {
    // ruleid: user-code-runs-without-the-machine
    machine: &'a mut crate::core::vm::Vm<PyWorld>,
}
