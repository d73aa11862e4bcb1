//! Bodies that native handlers hold: what a task is, to the machine, while it does not run (semantics 7).
//!
//! A body that has not started is a program and a context. It gets its segment when it runs for the first time, which
//! serves the next one when it ends: where tasks end at once there are never more segments than those that run.

use super::frame::Continuation;
use super::host::World;

/// A body that a native handler holds. Who lets it go on gives it back by [`Next`].
pub enum Body<W: World> {
    /// Its program has not started, and nothing stands between it and the handler: it has no segment yet.
    Unstarted(Unstarted<W>),
    /// It waits in a chain of its own.
    Detached(Continuation),
}

/// What a body is made of when it starts.
pub struct Unstarted<W: World> {
    /// The program.
    pub(super) program: W::Value,
    /// The context that it runs in.
    pub(super) context: W::Value,
}

impl<W: World> Body<W> {
    /// Its chain, once it has one.
    #[must_use]
    pub const fn chain(&self) -> Option<&Continuation> {
        match self {
            Self::Unstarted(_) => None,
            Self::Detached(chain) => Some(chain),
        }
    }

    /// The values that it holds. What is in a chain the machine shows.
    pub fn values(&self) -> impl Iterator<Item = &W::Value> {
        let held = match self {
            Self::Unstarted(Unstarted { program, context }) => Some([program, context]),
            Self::Detached(_) => None,
        };
        held.into_iter().flatten()
    }

    /// The values that it held: it is never to start. A chain is the run's to unwind.
    pub fn into_values(self) -> impl Iterator<Item = W::Value> {
        let held = match self {
            Self::Unstarted(Unstarted { program, context }) => Some([program, context]),
            Self::Detached(_) => None,
        };
        held.into_iter().flatten()
    }
}

impl<W: World> From<Continuation> for Body<W> {
    fn from(chain: Continuation) -> Self {
        Self::Detached(chain)
    }
}
