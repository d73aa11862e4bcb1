//! The installation of a handler on a segment.

use super::host::World;
use super::ids::{Birth, NativeId, SegmentId};

/// Which life-cycle methods a handler has.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Hooks(u8);

impl Hooks {
    /// `enter`.
    pub const ENTER: Self = Self(1);
    /// `result`.
    pub const RESULT: Self = Self(2);
    /// `error`.
    pub const ERROR: Self = Self(4);
    /// `exit`.
    pub const EXIT: Self = Self(8);
    /// `fork`.
    pub const FORK: Self = Self(16);

    /// No method at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of those are here.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The installation of a handler.
pub struct Prompt<W: World> {
    /// The handler.
    pub handler: W::Handler,
    /// Its native state, shared with its forks.
    pub native: Option<NativeId>,
    /// Its life cycle.
    pub hooks: Hooks,
    /// Made by `Inherit` or for a thunk: it only answers.
    pub forked: bool,
    /// Its body is being unwound: what the body comes to does not pass `result`.
    pub unwinding: bool,
    /// Where it stood when it was captured, to tell whether it comes back to the same place.
    pub home: Option<(SegmentId, Birth)>,
}

impl<W: World> Prompt<W> {
    /// A fork of an installation.
    pub const fn fork(handler: W::Handler, native: Option<NativeId>, hooks: Hooks) -> Self {
        Self { handler, native, hooks, forked: true, unwinding: false, home: None }
    }
}
