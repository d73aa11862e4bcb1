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

/// It holds its continuation, and nobody said that it is kept.
const FRESH: u8 = 0;
/// It holds its continuation.
const KEPT: u8 = 1;
/// It is empty.
const USED: u8 = 2;

/// How the last continuation was used.
struct Use<W: World> {
    fate: Fate,
    by: Option<W::Label>,
    kept: bool,
}

/// The inside of a `K` object.
///
/// Each change holds the lock of `used`: that makes a use one use among threads. The machine alone does without, for a `K`
/// that nobody else has a reference to ([`ContinuationCell::renew`]); therefore the fields are atomic.
pub struct ContinuationCell<W: World> {
    run: Arc<Mailbox>,
    stage: AtomicU8,
    prompt: AtomicU32,
    capture: AtomicU64,
    used: Mutex<Option<Use<W>>>,
}

impl<W: World> ContinuationCell<W> {
    pub(super) fn new(run: Arc<Mailbox>, continuation: Continuation) -> Self {
        let Continuation { prompt, capture } = continuation;
        Self {
            run,
            stage: AtomicU8::new(FRESH),
            prompt: AtomicU32::new(prompt.number()),
            capture: AtomicU64::new(capture.0.get()),
            used: Mutex::new(None),
        }
    }

    fn stage(&self) -> u8 {
        self.stage.load(Ordering::Relaxed)
    }

    fn hold(&self, continuation: Continuation, stage: u8) {
        let Continuation { prompt, capture } = continuation;
        self.prompt.store(prompt.number(), Ordering::Relaxed);
        self.capture.store(capture.0.get(), Ordering::Relaxed);
        self.stage.store(stage, Ordering::Relaxed);
    }

    /// The chain that it stands for, or stood for before it was used.
    fn chain(&self) -> Option<(SegmentId, Capture)> {
        let prompt = SegmentId::from_number(self.prompt.load(Ordering::Relaxed))?;
        Some((prompt, Capture(NonZeroU64::new(self.capture.load(Ordering::Relaxed))?)))
    }

    /// Takes the continuation out. Under the lock, or with no other owner of the `K`.
    fn empty(&self) -> Option<Continuation> {
        if self.stage() == USED {
            return None;
        }
        self.stage.store(USED, Ordering::Relaxed);
        self.chain().map(|(prompt, capture)| Continuation { prompt, capture })
    }

    fn refused(used: Option<&Use<W>>, share: impl Fn(&W::Label) -> W::Label) -> Refusal<W> {
        match used {
            Some(used) => Refusal::Used(used.fate, used.by.as_ref().map(share)),
            None => Refusal::Used(Fate::Resumed, None),
        }
    }

    fn was_unwound(&self) -> bool {
        self.chain().is_some_and(|(_, capture)| self.run.has_unwound(capture))
    }

    /// Says that somebody will let it go later. Law: semantics 3, `keep`.
    ///
    /// # Errors
    /// When it was used already, or its run is over.
    pub fn keep(&self, share: impl Fn(&W::Label) -> W::Label) -> Result<(), Refusal<W>> {
        let used = locked(&self.used);
        if self.stage() == USED {
            return Err(Self::refused(used.as_ref(), share));
        }
        if self.run.is_finished() {
            return Err(Refusal::Finished);
        }
        if self.was_unwound() {
            return Err(Refusal::Used(Fate::Unwound, None));
        }
        self.stage.store(KEPT, Ordering::Relaxed);
        Ok(())
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
        let mut used = locked(&self.used);
        if self.stage() == USED {
            return Err(Self::refused(used.as_ref(), share));
        }
        if !self.belongs_to(run) {
            return Err(if self.run.is_finished() { Refusal::Finished } else { Refusal::Foreign });
        }
        let kept = self.stage() == KEPT;
        let continuation = self.empty().ok_or(Refusal::Finished)?;
        *used = Some(Use { fate, by, kept });
        Ok(continuation)
    }

    /// Takes the continuation out if it is fresh, where nobody else holds the `K`.
    pub(super) fn take_unseen(&self) -> Option<Continuation> {
        if self.stage() == FRESH { self.empty() } else { None }
    }

    /// Nobody can ask any more how it was used.
    pub(super) fn forget_use(&self) -> Option<W::Label> {
        locked(&self.used).take().and_then(|used| used.by)
    }

    /// Holds another continuation, where nobody else holds the `K`: nobody can tell that it is not a new one.
    pub(super) fn renew(&self, continuation: Continuation) {
        self.hold(continuation, FRESH);
    }

    /// Puts a continuation back that was taken, and not used after all.
    pub(super) fn put_back(&self, continuation: Continuation) -> Option<W::Label> {
        let mut place = locked(&self.used);
        let used = place.take();
        let kept = used.as_ref().is_some_and(|used| used.kept);
        self.hold(continuation, if kept { KEPT } else { FRESH });
        used.and_then(|used| used.by)
    }

    /// The prompt of its chain and the capture, while it is unused and belongs to `run`.
    pub(super) fn prompt_of(&self, run: &Arc<Mailbox>) -> Option<(SegmentId, Capture)> {
        if self.stage() == USED || !self.belongs_to(run) { None } else { self.chain() }
    }

    /// Whether it belongs to that run.
    pub(super) fn belongs_to(&self, run: &Arc<Mailbox>) -> bool {
        Arc::ptr_eq(&self.run, run)
    }

    /// Whether it was used; what a run left unused is unwound at its end.
    pub fn is_used(&self) -> bool {
        let _used = locked(&self.used);
        self.stage() == USED || self.was_unwound()
    }

    /// Whether `keep` was called.
    pub fn is_kept(&self) -> bool {
        let used = locked(&self.used);
        self.stage() == KEPT || used.as_ref().is_some_and(|used| used.kept)
    }

    /// Whether it was used by somebody; what the end of a run unwound was not.
    pub(super) fn is_spent(&self) -> bool {
        self.stage() == USED
    }

    /// Whether it is neither used nor kept: its clause has to end it.
    pub(super) fn is_fresh(&self) -> bool {
        self.stage() == FRESH
    }

    /// Why it cannot be used, when it cannot.
    pub(super) fn refusal(&self, run: &Arc<Mailbox>, share: impl Fn(&W::Label) -> W::Label) -> Option<Refusal<W>> {
        let used = locked(&self.used);
        if self.stage() == USED {
            return Some(Self::refused(used.as_ref(), share));
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
        if let Some(lost) = self.empty()
            && !self.run.is_finished()
        {
            self.run.post(lost);
        }
    }
}
