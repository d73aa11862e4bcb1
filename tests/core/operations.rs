//! Lists of operations: on the machine, read off a tape of bytes, and on the arena. Laws: INV-1 to INV-6, semantics 2, 3
//! and 5.
//!
//! The fuzzer (`make fuzz`) looks for lists that break a law. What it found stays among the seeds that it starts from, and
//! all seeds are played here too: the two cannot drift apart.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::{arena, scripted, tape};

fn lists() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the tape, the machine agrees with itself between any two events, and nothing is left at the end.
    #[test]
    fn random_tapes_keep_the_books(list in lists()) {
        tape::check(&list);
    }

    /// Whatever is opened, written and closed, the arena says what a map says.
    #[test]
    fn random_lists_on_the_arena_come_to_what_a_map_says(list in lists()) {
        let _alone = scripted::alone();
        arena::check(&list);
    }
}

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).expect("each target has seeds");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a seed is readable").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is not empty", folder.display());
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a seed is readable");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

/// Every seed of the fuzzer keeps the books.
#[test]
fn seeds_on_the_machine_keep_the_books() {
    for (path, list) in seeds("operations") {
        println!("{}", path.display());
        println!("  {}", tape::check(&list));
    }
}

/// The same on the arena.
#[test]
fn seeds_on_the_arena_come_to_what_a_map_says() {
    let _alone = scripted::alone();
    for (path, list) in seeds("arena") {
        println!("{}", path.display());
        arena::check(&list);
    }
}
