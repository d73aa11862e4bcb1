//! How the bodies stand that a native handler holds: read when somebody asks, or told when nobody can go on.

use std::time::Instant;

use super::frame::Continuation;
use super::host::World;
use super::ids::SegmentId;

/// How one who can run came to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Impulse {
    /// It was spawned.
    Spawned,
    /// It gave way.
    GaveWay,
    /// Its slice is used up.
    Preempted,
    /// What it waited for came.
    Answered,
    /// It is cancelled.
    Cancelled,
}

/// How a body stands.
pub enum Stance<W: World> {
    /// It runs.
    Running,
    /// It can run.
    Ready(Impulse),
    /// It waits with this effect, or for this object.
    Waiting(W::Value),
    /// It failed, and nobody took note.
    Failed,
}

/// A body that a native handler holds, and how it stands.
pub struct Standing<W: World> {
    /// Which handler: a number of its own in this process.
    pub holder: u64,
    /// The object that programs hold.
    pub task: W::Value,
    /// How it stands.
    pub stance: Stance<W>,
    /// Since when it waits for something from outside of the run.
    pub since: Option<Instant>,
    /// The prompt of its body.
    pub(super) body: Option<SegmentId>,
    /// Where it is suspended, or runs: the machine reads it off the body.
    pub place: Option<W::Value>,
    /// Where it was made.
    pub origin: Option<W::Value>,
}

impl<W: World> Standing<W> {
    /// Somebody whose body is held there, unless it runs.
    #[must_use]
    pub fn new(holder: u64, task: W::Value, stance: Stance<W>, body: Option<&Continuation>) -> Self {
        Self { holder, task, stance, since: None, body: body.map(|body| body.prompt), place: None, origin: None }
    }
}
