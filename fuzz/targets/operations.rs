//! Programs of every operation there is, read off a tape of bytes: see `tests/core/tape`.

#![no_main]

#[path = "../../tests/core/scripted/mod.rs"]
mod scripted;
#[path = "../../tests/core/tape/mod.rs"]
mod tape;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tape::check(bytes);
});
