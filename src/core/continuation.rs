//! What a `K` object is made of, and how a lost one finds its way back to its run.
//!
//! [`Continuation`] is the right to continue; a [`ContinuationCell`] is where the user's object holds it. Using takes it
//! out of the cell (one-shot by taking, not by bookkeeping); a kept one that is dropped goes to its run's [`Mailbox`],
//! for a finaliser must not run user code.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::fault::{Fate, Refusal};
pub use super::frame::Continuation;
use super::host::World;
use super::ids::{Capture, SegmentId};
use super::mailbox::{Mailbox, locked};

/// What became of a continuation: one byte, so that a single exchange makes a use one use among threads.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stage(u8);

impl Stage {
    /// It holds its continuation, and nobody said that it is kept.
    const FRESH: Self = Self(0);
    /// It holds its continuation.
    const KEPT: Self = Self(1);

    /// The others are empty, and know how they were used.
    const USED: u8 = 2;
    const FATE: u32 = 2;

    /// The one after this, which is unused.
    const fn used(self, fate: Fate) -> Self {
        Self((fate as u8) << Self::FATE | Self::USED | self.0)
    }

    const fn is_used(self) -> bool {
        self.0 & Self::USED != 0
    }

    const fn is_or_was_kept(self) -> bool {
        self.0 & Self::KEPT.0 != 0
    }

    const fn fate(self) -> Fate {
        Fate::ALL[(self.0 >> Self::FATE) as usize]
    }

    /// The one before it was used.
    const fn unused(self) -> Self {
        Self(self.0 & Self::KEPT.0)
    }
}

/// The inside of a `K` object.
///
/// Who exchanges the stage for a used one has the continuation. The machine alone does without an exchange, for a `K` that
/// nobody else has a reference to ([`ContinuationCell::renew`]).
pub struct ContinuationCell<W: World> {
    run: Arc<Mailbox>,
    stage: AtomicU8,
    prompt: AtomicU32,
    capture: AtomicU64,
    /// Which clause used it, or whatever it held before.
    by: Mutex<Option<W::Label>>,
}

impl<W: World> ContinuationCell<W> {
    pub(super) fn new(run: Arc<Mailbox>, continuation: Continuation) -> Self {
        let Continuation { prompt, capture } = continuation;
        Self {
            run,
            stage: AtomicU8::new(Stage::FRESH.0),
            prompt: AtomicU32::new(prompt.number()),
            capture: AtomicU64::new(capture.0.get()),
            by: Mutex::new(None),
        }
    }

    fn stage(&self) -> Stage {
        Stage(self.stage.load(Ordering::Acquire))
    }

    fn hold(&self, continuation: Continuation, stage: Stage) {
        let Continuation { prompt, capture } = continuation;
        self.prompt.store(prompt.number(), Ordering::Relaxed);
        self.capture.store(capture.0.get(), Ordering::Relaxed);
        self.stage.store(stage.0, Ordering::Release);
    }

    /// The stage goes on, unless it is a used one: gives the one before.
    ///
    /// # Errors
    /// How it was used.
    fn go_on(&self, next: impl Fn(Stage) -> Stage) -> Result<Stage, Stage> {
        let next = |stage| if Stage(stage).is_used() { None } else { Some(next(Stage(stage)).0) };
        self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).map(Stage).map_err(Stage)
    }

    /// The chain that it stands for, or stood for before it was used.
    fn chain(&self) -> Option<(SegmentId, Capture)> {
        let prompt = SegmentId::from_number(self.prompt.load(Ordering::Relaxed))?;
        Some((prompt, Capture(NonZeroU64::new(self.capture.load(Ordering::Relaxed))?)))
    }

    fn continuation(&self) -> Option<Continuation> {
        self.chain().map(|(prompt, capture)| Continuation { prompt, capture })
    }

    fn refused(&self, used: Stage, share: impl Fn(&W::Label) -> W::Label) -> Refusal<W> {
        Refusal::Used(used.fate(), locked(&self.by).as_ref().map(share))
    }

    fn was_unwound(&self) -> bool {
        self.chain().is_some_and(|(_, capture)| self.run.has_unwound(capture))
    }

    /// Says that somebody will let it go later. Law: semantics 3, `keep`.
    ///
    /// # Errors
    /// When it was used already, or its run is over.
    pub fn keep(&self, share: impl Fn(&W::Label) -> W::Label) -> Result<(), Refusal<W>> {
        let stage = self.stage();
        if stage.is_used() {
            return Err(self.refused(stage, share));
        }
        if self.run.is_finished() {
            return Err(Refusal::Finished);
        }
        if self.was_unwound() {
            return Err(Refusal::Used(Fate::Unwound, None));
        }
        self.go_on(|_| Stage::KEPT).map(drop).map_err(|used| self.refused(used, share))
    }

    /// Takes the continuation out, for the run that asks. Law: semantics 3, one use. Gives what was known of who used the one
    /// that it held before, too.
    ///
    /// # Errors
    /// When it was used already, when its run is over, or when it is not the run that asks.
    pub fn take(
        &self,
        run: &Arc<Mailbox>,
        fate: Fate,
        by: Option<W::Label>,
        share: impl Fn(&W::Label) -> W::Label,
    ) -> Result<(Continuation, Option<W::Label>), Refusal<W>> {
        if !self.belongs_to(run) && !self.stage().is_used() {
            return Err(if self.run.is_finished() { Refusal::Finished } else { Refusal::Foreign });
        }
        let mut user = locked(&self.by);
        if let Err(used) = self.go_on(|unused| unused.used(fate)) {
            drop(user);
            return Err(self.refused(used, share));
        }
        let before = std::mem::replace(&mut *user, by);
        drop(user);
        Ok((self.continuation().ok_or(Refusal::Finished)?, before))
    }

    /// Takes the continuation out if it is fresh, where nobody else holds the `K`.
    pub(super) fn take_unseen(&self) -> Option<Continuation> {
        if !self.is_fresh() {
            return None;
        }
        self.stage.store(Stage::FRESH.used(Fate::Resumed).0, Ordering::Relaxed);
        self.continuation()
    }

    /// Holds another continuation, where nobody else holds the `K`: nobody can tell that it is not a new one.
    pub(super) fn renew(&self, continuation: Continuation) {
        self.hold(continuation, Stage::FRESH);
    }

    /// Puts a continuation back that was taken, and not used after all.
    pub(super) fn put_back(&self, continuation: Continuation) -> Option<W::Label> {
        let by = locked(&self.by).take();
        self.hold(continuation, self.stage().unused());
        by
    }

    /// The prompt of its chain and the capture, while it is unused and belongs to `run`.
    pub(super) fn prompt_of(&self, run: &Arc<Mailbox>) -> Option<(SegmentId, Capture)> {
        if self.is_spent() || !self.belongs_to(run) { None } else { self.chain() }
    }

    /// Whether it belongs to that run.
    pub(super) fn belongs_to(&self, run: &Arc<Mailbox>) -> bool {
        Arc::ptr_eq(&self.run, run)
    }

    /// Whether it was used; what a run left unused is unwound at its end.
    pub fn is_used(&self) -> bool {
        self.is_spent() || self.was_unwound()
    }

    /// Whether `keep` was called.
    pub fn is_kept(&self) -> bool {
        self.stage().is_or_was_kept()
    }

    /// Whether it is kept for later, and nobody used it yet.
    pub(super) fn is_put_by(&self) -> bool {
        self.stage() == Stage::KEPT
    }

    /// Whether it was used by somebody; what the end of a run unwound was not.
    pub(super) fn is_spent(&self) -> bool {
        self.stage().is_used()
    }

    /// Whether it is neither used nor kept: its clause has to end it.
    pub(super) fn is_fresh(&self) -> bool {
        self.stage() == Stage::FRESH
    }

    /// Why it cannot be used, when it cannot.
    pub(super) fn refusal(&self, run: &Arc<Mailbox>, share: impl Fn(&W::Label) -> W::Label) -> Option<Refusal<W>> {
        let stage = self.stage();
        if stage.is_used() {
            return Some(self.refused(stage, share));
        }
        if self.run.is_finished() {
            return Some(Refusal::Finished);
        }
        if !self.belongs_to(run) {
            return Some(Refusal::Foreign);
        }
        self.was_unwound().then_some(Refusal::Used(Fate::Unwound, None))
    }
}

impl<W: World> Drop for ContinuationCell<W> {
    fn drop(&mut self) {
        if !self.is_spent()
            && !self.run.is_finished()
            && let Some(lost) = self.continuation()
        {
            self.run.post(lost);
        }
    }
}
