//! What a `K` object is made of, and how a lost one finds its way back to its run.
//!
//! [`Continuation`] is the right to continue; a [`ContinuationCell`] is where the user's object holds it. Using takes it
//! out of the cell (one-shot by taking, not by bookkeeping); a kept one that is dropped goes to its run's [`Mailbox`],
//! for a finaliser must not run user code.

use std::sync::{Arc, Mutex, PoisonError};

use super::fault::{Fate, Refusal};
pub use super::frame::Continuation;
use super::host::World;
use super::ids::{Capture, SegmentId};
use super::mailbox::{Mailbox, locked};

enum State<W: World> {
    Fresh(Continuation),
    Kept(Continuation),
    Used { fate: Fate, by: Option<W::Label>, kept: bool },
}

/// The inside of a `K` object.
pub struct ContinuationCell<W: World> {
    run: Arc<Mailbox>,
    state: Mutex<State<W>>,
}

impl<W: World> ContinuationCell<W> {
    pub(super) fn new(run: Arc<Mailbox>, continuation: Continuation) -> Self {
        Self { run, state: Mutex::new(State::Fresh(continuation)) }
    }

    /// Says that somebody will let it go later. Law: semantics 3, `keep`.
    ///
    /// # Errors
    /// When it was used already, or its run is over.
    pub fn keep(&self, share: impl Fn(&W::Label) -> W::Label) -> Result<(), Refusal<W>> {
        let mut state = locked(&self.state);
        if let State::Fresh(held) | State::Kept(held) = &*state {
            if self.run.is_finished() {
                return Err(Refusal::Finished);
            }
            if self.run.has_unwound(held) {
                return Err(Refusal::Used(Fate::Unwound, None));
            }
        }
        let before = std::mem::replace(&mut *state, State::Used { fate: Fate::Ended, by: None, kept: false });
        match before {
            State::Fresh(continuation) | State::Kept(continuation) => {
                *state = State::Kept(continuation);
                Ok(())
            }
            State::Used { fate, by, kept } => {
                let told = by.as_ref().map(share);
                *state = State::Used { fate, by, kept };
                Err(Refusal::Used(fate, told))
            }
        }
    }

    /// Takes the continuation out, for the run that asks. Law: semantics 3, one use.
    ///
    /// # Errors
    /// When it was used already, when its run is over, or when it is not the run that asks.
    pub fn take(
        &self,
        run: &Arc<Mailbox>,
        fate: Fate,
        by: Option<W::Label>,
        share: impl Fn(&W::Label) -> W::Label,
    ) -> Result<Continuation, Refusal<W>> {
        let mut state = locked(&self.state);
        if let State::Used { fate, by, .. } = &*state {
            return Err(Refusal::Used(*fate, by.as_ref().map(share)));
        }
        if !Arc::ptr_eq(&self.run, run) {
            return Err(if self.run.is_finished() { Refusal::Finished } else { Refusal::Foreign });
        }
        let kept = matches!(*state, State::Kept(_));
        match std::mem::replace(&mut *state, State::Used { fate, by, kept }) {
            State::Fresh(continuation) | State::Kept(continuation) => Ok(continuation),
            State::Used { .. } => Err(Refusal::Finished),
        }
    }

    /// Puts a continuation back that was taken, and not used after all.
    pub(super) fn put_back(&self, continuation: Continuation) -> Option<W::Label> {
        let mut state = locked(&self.state);
        let kept = matches!(&*state, State::Used { kept: true, .. });
        let back = if kept { State::Kept(continuation) } else { State::Fresh(continuation) };
        match std::mem::replace(&mut *state, back) {
            State::Used { by, .. } => by,
            State::Fresh(_) | State::Kept(_) => None,
        }
    }

    /// The prompt of its chain and the capture, while it is unused and belongs to `run`.
    pub(super) fn prompt_of(&self, run: &Arc<Mailbox>) -> Option<(SegmentId, Capture)> {
        match &*locked(&self.state) {
            State::Fresh(one) | State::Kept(one) if Arc::ptr_eq(&self.run, run) => Some((one.prompt, one.capture)),
            _ => None,
        }
    }

    /// Whether it belongs to that run.
    pub(super) fn belongs_to(&self, run: &Arc<Mailbox>) -> bool {
        Arc::ptr_eq(&self.run, run)
    }

    /// Whether it was used; what a run left unused is unwound at its end.
    pub fn is_used(&self) -> bool {
        match &*locked(&self.state) {
            State::Used { .. } => true,
            State::Fresh(held) | State::Kept(held) => self.run.has_unwound(held),
        }
    }

    /// Whether `keep` was called.
    pub fn is_kept(&self) -> bool {
        matches!(*locked(&self.state), State::Kept(_) | State::Used { kept: true, .. })
    }

    /// Whether it is neither used nor kept: its clause has to end it.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(*locked(&self.state), State::Fresh(_))
    }

    /// Why it cannot be used, when it cannot.
    pub(super) fn refusal(&self, run: &Arc<Mailbox>, share: impl Fn(&W::Label) -> W::Label) -> Option<Refusal<W>> {
        match &*locked(&self.state) {
            State::Used { fate, by, .. } => Some(Refusal::Used(*fate, by.as_ref().map(share))),
            _ if self.run.is_finished() => Some(Refusal::Finished),
            _ if !self.belongs_to(run) => Some(Refusal::Foreign),
            State::Fresh(held) | State::Kept(held) if self.run.has_unwound(held) => {
                Some(Refusal::Used(Fate::Unwound, None))
            }
            State::Fresh(_) | State::Kept(_) => None,
        }
    }
}

impl<W: World> Drop for ContinuationCell<W> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let used = State::Used { fate: Fate::Unwound, by: None, kept: false };
        match std::mem::replace(state, used) {
            State::Used { .. } => {}
            State::Fresh(lost) | State::Kept(lost) => {
                if !self.run.is_finished() {
                    self.run.post(lost);
                }
            }
        }
    }
}
