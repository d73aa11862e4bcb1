// What `effects-use-the-public-core` and `core-knows-no-python` must flag.

// ruleid: effects-use-the-public-core
use crate::core::vm::Vm;
// ruleid: effects-use-the-public-core
use crate::core::segment::{Mode, Segment};
// ruleid: effects-use-the-public-core
use crate::core::{dispatch, native::Native};
// ruleid: effects-use-the-public-core
use crate::core::*;

// ruleid: core-knows-no-python
pub fn answer(store: &PyDict) {
    // ruleid: effects-use-the-public-core
    let here = machine.current_segment;
}
