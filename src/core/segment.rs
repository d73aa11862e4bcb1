//! A segment: everything about one execution context, and nothing about any other (INV-1, INV-2).
//!
//! ```text
//!   performer ──caller──► … ──caller──► prompt ──caller──► parent
//!   └────────── what a capture detaches ───────┘
//! ```
//!
//! While a chain is detached its prompt has no `caller`, a `marker` (which capture) and a `head` (the performer): the
//! three change together. Nothing on a segment is saved or restored by anybody: a segment that is current again finds
//! its fields as it left them (INV-3).

use std::collections::TryReserveError;

use thin_vec::ThinVec;

use super::arena::Slot;
use super::frame::Frame;
use super::host::World;
use super::ids::{Capture, ContextId, InterceptorId, SegmentId};
pub use super::prompt::{Hooks, Prompt};
pub use super::routes::{Remembered, Routes, Way};
use super::step::{Mode, Pending};

/// What a segment is there for.
pub enum Kind<W: World> {
    /// The outermost segment of a run.
    Root,
    /// A guard around the program of an unstarted continuation.
    Body,
    /// A handler's installation; its frames are the body.
    Prompt(Prompt<W>),
    /// An interceptor; its frames are the program that it watches.
    Interceptor(InterceptorId, W::Value),
    /// A wall; its frames are the program inside.
    Wall(W::Value),
    /// A lost continuation is unwound here, between two steps of `back`.
    Detour {
        /// The segment to return to.
        back: SegmentId,
        /// Where the lost continuation was captured.
        origin: Option<W::Value>,
    },
}

/// One execution context.
pub struct Segment<W: World> {
    /// What it is there for.
    pub kind: Kind<W>,
    /// What happens next.
    pub mode: Mode<W>,
    /// What waits here, innermost last.
    pub frames: Vec<Frame<W>>,
    /// The segment outside; `None` for the root, a detour, and the prompt of a detached chain.
    pub caller: Option<SegmentId>,
    /// On the prompt of a detached chain: the capture.
    pub marker: Option<Capture>,
    /// On the prompt of a detached chain: the performer.
    pub head: Option<SegmentId>,
    /// What it waits for while user code runs.
    pub pending_python: Option<Pending<W>>,
    /// The interceptors whose own program is running here, innermost last.
    pub interceptor_skip_stack: ThinVec<InterceptorId>,
    /// The context that its code runs in; `None` is that of the run.
    pub context: Option<ContextId>,
    /// How many of the frames are generators.
    pub calls: usize,
    /// The handlers in scope, as far as they were looked up from here.
    pub routes: Routes<W>,
}

impl<W: World> Default for Segment<W> {
    fn default() -> Self {
        Self {
            kind: Kind::Body,
            mode: Mode::Suspended,
            frames: Vec::new(),
            caller: None,
            marker: None,
            head: None,
            pending_python: None,
            interceptor_skip_stack: ThinVec::new(),
            context: None,
            calls: 0,
            routes: Routes::default(),
        }
    }
}

/// A slot that grew beyond this many frames gives its memory back.
const KEPT_FRAMES: usize = 64;

impl<W: World> Slot for Segment<W> {
    fn vacate(&mut self) {
        debug_assert!(self.frames.is_empty() && self.routes.iter().next().is_none() && self.context.is_none());
        if self.frames.capacity() > KEPT_FRAMES {
            self.frames = Vec::new();
        }
        self.kind = Kind::Body;
        self.mode = Mode::Suspended;
        self.caller = None;
        self.marker = None;
        self.head = None;
        self.pending_python = None;
        self.interceptor_skip_stack.clear();
        self.calls = 0;
    }
}

/// Frames for which there is room before anything is done. What few transitions push beyond is taken from the reserve.
const ROOM: usize = 1;

impl<W: World> Segment<W> {
    /// Whether frames can be pushed without memory.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.has_room_for(ROOM)
    }

    /// Whether so many can.
    #[inline]
    #[must_use]
    pub const fn has_room_for(&self, frames: usize) -> bool {
        self.frames.capacity() - self.frames.len() >= frames
    }

    /// Makes room for some frames.
    ///
    /// # Errors
    /// There is no memory.
    pub fn make_room(&mut self) -> Result<(), TryReserveError> {
        if self.frames.capacity() == 0 {
            // Where there are many segments, most hold one program.
            return self.frames.try_reserve_exact(ROOM + 1);
        }
        self.frames.try_reserve(ROOM)
    }

    /// Whether there is room for so many, or can be made.
    #[inline]
    pub fn finds_room_for(&mut self, frames: usize) -> bool {
        self.has_room_for(frames) || self.frames.try_reserve(frames).is_ok()
    }

    /// The prompt, when it is one.
    #[must_use]
    pub const fn prompt(&self) -> Option<&Prompt<W>> {
        match &self.kind {
            Kind::Prompt(prompt) => Some(prompt),
            _ => None,
        }
    }
}
