//! What reaches a run from outside of it: interrupts, lost continuations, and the bell that ends a wait.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::frame::Continuation;
use super::ids::Capture;

/// What reaches a run from outside of it. Its address is the run's identity.
#[derive(Default)]
pub struct Mailbox {
    attention: AtomicBool,
    interrupted: AtomicBool,
    finished: AtomicBool,
    ending: AtomicBool,
    unwound: Mutex<Vec<Capture>>,
    lost: Mutex<VecDeque<Continuation>>,
    rung: Mutex<bool>,
    rings: AtomicU64,
    bell: Condvar,
    waker: Mutex<Option<Waker>>,
}

/// A lock whose holder cannot fail half-way.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a driver that does not block wants to be called by when something arrived. Called from any thread.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

impl Mailbox {
    /// Something arrived that a run may be waiting for, and whoever drives it knows. May be called from anywhere.
    pub fn note(&self) {
        self.rings.fetch_add(1, Ordering::Release);
        *locked(&self.rung) = true;
        self.bell.notify_all();
    }

    /// The same, and whoever drives it is woken. May be called from anywhere, with no lock held.
    pub fn ring(&self) {
        self.note();
        let waker = locked(&self.waker).clone();
        if let Some(wake) = waker {
            wake();
        }
    }

    /// How often something arrived.
    pub fn rings(&self) -> u64 {
        self.rings.load(Ordering::Acquire)
    }

    /// Waits until something arrived, or the time is over. Whether something did.
    pub fn wait(&self, at_most: Duration) -> bool {
        let (mut rung, _) = self
            .bell
            .wait_timeout_while(locked(&self.rung), at_most, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *rung)
    }

    /// Whether something arrived since that was asked.
    pub fn take_rung(&self) -> bool {
        std::mem::take(&mut *locked(&self.rung))
    }

    /// From now on that is called when something arrives.
    pub fn wake_by(&self, waker: Option<Waker>) {
        let before = std::mem::replace(&mut *locked(&self.waker), waker);
        drop(before);
    }

    /// Whether the safepoint has something to do.
    pub fn wants_attention(&self) -> bool {
        self.attention.load(Ordering::Relaxed)
    }

    /// Asks the run to look at the signals at its next safepoint. May be called from anywhere.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        self.attention.store(true, Ordering::Release);
    }

    /// Whether it was interrupted since the last time that was asked.
    pub fn take_interrupt(&self) -> bool {
        self.interrupted.swap(false, Ordering::Relaxed)
    }

    /// The run is over: what is still held is refused from now on.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    /// The run ends, and unwinds a chain whose `K` is still held.
    pub(super) fn unwinds(&self, left: &Continuation) {
        let mut unwound = locked(&self.unwound);
        let place = unwound.partition_point(|earlier| *earlier < left.capture);
        unwound.insert(place, left.capture);
        self.ending.store(true, Ordering::Release);
    }

    pub(super) fn has_unwound(&self, capture: Capture) -> bool {
        self.is_finished()
            || (self.ending.load(Ordering::Acquire) && locked(&self.unwound).binary_search(&capture).is_ok())
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    pub(super) fn post(&self, lost: Continuation) {
        let mut queue = locked(&self.lost);
        let place = queue.partition_point(|earlier| earlier.capture < lost.capture);
        queue.insert(place, lost);
        self.attention.store(true, Ordering::Release);
    }

    pub(super) fn acknowledge(&self) {
        self.attention.store(false, Ordering::Relaxed);
    }

    pub(super) fn ask_again(&self) {
        if self.interrupted.load(Ordering::Relaxed) {
            self.attention.store(true, Ordering::Relaxed);
        }
    }

    /// The lost continuation that was captured first.
    pub(super) fn take_lost(&self) -> Option<Continuation> {
        let mut lost = locked(&self.lost);
        let first = lost.pop_front()?;
        if !lost.is_empty() {
            self.attention.store(true, Ordering::Release);
        }
        Some(first)
    }
}
