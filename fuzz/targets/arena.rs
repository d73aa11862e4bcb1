//! Lists of operations on an arena, against a map: see `tests/core/arena.rs`.

#![no_main]

#[path = "../../tests/core/arena.rs"]
mod arena;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| arena::check(bytes));
