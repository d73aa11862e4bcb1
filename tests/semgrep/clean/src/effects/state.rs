// What `effects-use-the-public-core` must let pass. A sentence may name crate::core::vm::Vm.

// ok: effects-use-the-public-core
use crate::core::host::World;
use crate::core::ids::ClauseId;
// ok: effects-use-the-public-core
use crate::core::native::{Answer, Native, Store};
// ok: effects-use-the-public-core
use crate::core::{fault::Fault, native};
