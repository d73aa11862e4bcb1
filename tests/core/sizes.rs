//! The sizes of what is moved at every step. Law: architecture, "`Mode`, `Event` and `Frame` pinned".
//! They are pinned for the world of the binding: one pointer a value, three a generator.

use std::mem::size_of;

use segue::core::frame::{Continuation, Frame};
use segue::core::host::World;
use segue::core::step::{Event, Mode, Outcome};

/// A world as the binding's: pointers, and a generator that is known by three.
struct Pointers;

struct Pointer(#[expect(dead_code, reason = "its size is what counts")] &'static u8);

impl World for Pointers {
    type Value = Pointer;
    type Error = Pointer;
    type Code = [Pointer; 3];
    type ClassId = usize;
    type Class = Pointer;
    type Handler = Pointer;
    type Call = Pointer;
    type Label = Pointer;
    type Request = Pointer;
    type Object = Pointer;
}

#[test]
fn a_frame_is_at_most_32_bytes() {
    assert!(size_of::<Frame<Pointers>>() <= 32, "{}", size_of::<Frame<Pointers>>());
}

#[test]
fn a_mode_is_at_most_32_bytes() {
    assert!(size_of::<Mode<Pointers>>() <= 32, "{}", size_of::<Mode<Pointers>>());
}

#[test]
fn a_continuation_is_two_words() {
    assert!(size_of::<Continuation>() <= 16, "{}", size_of::<Continuation>());
}

/// An event is handed out once for each piece of user code: a generator and a value, or a step's note.
#[test]
fn an_event_is_at_most_48_bytes_and_an_outcome_40() {
    assert!(size_of::<Event<Pointers>>() <= 48, "{}", size_of::<Event<Pointers>>());
    assert!(size_of::<Outcome<Pointers>>() <= 40, "{}", size_of::<Outcome<Pointers>>());
}
