//! Newtypes for every number that crosses a function boundary.

use std::num::{NonZeroU32, NonZeroU64};

/// A slot of the arena. It says *where*, not *who*: see [`Birth`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SegmentId(NonZeroU32);

impl SegmentId {
    /// The id of the slot at `index`.
    ///
    /// # Panics
    /// When the arena holds more than `u32::MAX - 1` segments.
    #[must_use]
    pub fn from_index(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("an arena holds fewer than 2^32 - 1 segments"))
    }

    /// The number that stands for it.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// The id that the number stands for.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The index of the slot.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Which of the segments that ever lived in a slot is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Birth(pub u32);

/// The number of one capture; each capture of a run has its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Capture(pub NonZeroU64);

/// One installation of an interceptor, distinct from any other of the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterceptorId(pub u64);

/// A clause, by its place in its handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClauseId(pub u32);

impl ClauseId {
    /// The place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The context that user code runs in: what the host keeps apart for each body of a handler that holds its bodies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContextId(pub NonZeroU32);

/// The state of a native handler's installation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NativeId(pub u32);
