//! Memory for the end. When a run meets a `MemoryError` there is nothing left, and unwinding needs some: an entry of the
//! traceback for each frame, room to be dropped in. A block of address space is kept that nothing is written to, and
//! given back at the first `MemoryError`; the next run takes it again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes.
const SIZE: usize = 32 << 20;

static HELD: AtomicBool = AtomicBool::new(false);
static RESERVE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Takes the reserve, if it is not there.
pub fn hold() {
    if !HELD.load(Ordering::Relaxed) {
        take();
    }
}

#[cold]
fn take() {
    let mut reserve = RESERVE.lock().unwrap_or_else(PoisonError::into_inner);
    // Where there is so little left, the run does without.
    HELD.store(reserve.try_reserve_exact(SIZE).is_ok(), Ordering::Relaxed);
}

/// Gives it back to those who need memory now.
#[cold]
pub fn release() {
    if HELD.swap(false, Ordering::Relaxed) {
        *RESERVE.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    }
}
