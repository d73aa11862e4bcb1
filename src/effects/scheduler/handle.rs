//! The objects that a scheduler gives out, and how the outside completes a promise.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::{SmallVec, smallvec};

use super::table::TaskKey;
use super::waiters::Queue;
use crate::core::host::World;
use crate::core::native::{Held, Mailbox, locked};

/// What a task or a promise came to.
pub enum Settled<W: World> {
    /// A value.
    Value(W::Value),
    /// An error, and how far it had come.
    Error(W::Error, W::Value),
    /// It was cancelled.
    Cancelled,
    /// Nobody can complete it any more.
    Broken,
}

/// What somebody may wait for that comes once.
pub struct Settling<W: World> {
    /// What it came to.
    pub settled: Option<Settled<W>>,
    /// Who waits.
    pub waiters: Option<Queue>,
    /// Among those that finished or failed, which one it was.
    pub order: u32,
}

impl<W: World> Default for Settling<W> {
    fn default() -> Self {
        Self { settled: None, waiters: None, order: 0 }
    }
}

/// What a handle stands for.
pub enum Thing<W: World> {
    /// A task.
    Task {
        /// Its record, until it finished.
        key: TaskKey,
        /// What its spawner called it.
        name: Option<W::Value>,
        /// How many were spawned before it.
        number: u32,
        /// What it comes to.
        settling: Settling<W>,
    },
    /// A promise.
    Promise {
        /// It is completed from outside of the run.
        external: bool,
        /// What it comes to.
        settling: Settling<W>,
    },
    /// The completer of an external promise.
    Completer {
        /// The promise.
        promise: W::Value,
        /// Whether it was used.
        used: bool,
        /// How it reaches the scheduler.
        inbox: Arc<Inbox<W>>,
    },
    /// A semaphore.
    Semaphore {
        /// Permits that nobody holds.
        free: u64,
        /// All permits.
        permits: u64,
        /// Who waits for one.
        waiters: Option<Queue>,
    },
    /// A lock.
    Lock {
        /// Who holds it.
        owner: Option<TaskKey>,
        /// Who waits for it.
        waiters: Option<Queue>,
    },
    /// An event.
    Event {
        /// Whether it is set.
        set: bool,
        /// Who waits for it.
        waiters: Option<Queue>,
    },
    /// A channel.
    Channel {
        /// How many values it holds.
        capacity: usize,
        /// Those that nobody received.
        values: VecDeque<W::Value>,
        /// Whether it is closed.
        closed: bool,
        /// Who waits for room; the value is in its effect.
        senders: Option<Queue>,
        /// Who waits for a value.
        receivers: Option<Queue>,
    },
    /// A scope of a task.
    Scope {
        /// The task.
        task: TaskKey,
        /// Which of its scopes.
        id: u64,
    },
}

/// An object of a scheduler.
pub struct Handle<W: World> {
    /// The scheduler that made it.
    pub scheduler: u64,
    thing: Mutex<Thing<W>>,
}

impl<W: World> Handle<W> {
    /// A handle for this.
    #[must_use]
    pub const fn new(scheduler: u64, thing: Thing<W>) -> Self {
        Self { scheduler, thing: Mutex::new(thing) }
    }

    /// What it stands for, when nobody else has it.
    pub fn own_thing(&mut self) -> &mut Thing<W> {
        self.thing.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it stands for.
    pub fn thing(&self) -> MutexGuard<'_, Thing<W>> {
        locked(&self.thing)
    }
}

impl<W: World> Handle<W> {
    /// Takes out the values that it holds: a chain of handles, each the value of the next, is dropped one by one.
    pub fn take_values(&mut self) -> SmallVec<[W::Value; 1]> {
        let thing = self.own_thing();
        match thing {
            Thing::Task { settling, .. } | Thing::Promise { settling, .. } => match settling.settled.take() {
                Some(Settled::Value(value)) => smallvec![value],
                other => {
                    settling.settled = other;
                    SmallVec::new()
                }
            },
            Thing::Channel { values, .. } => values.drain(..).collect(),
            Thing::Completer { used, inbox, .. } => {
                let (used, inbox) = (*used, Arc::clone(inbox));
                match std::mem::replace(thing, Thing::Event { set: false, waiters: None }) {
                    // A completer that goes breaks its promise.
                    Thing::Completer { promise, .. } if !used => match inbox.post(promise, Settled::Broken) {
                        Ok(()) => SmallVec::new(),
                        Err((promise, _)) => smallvec![promise],
                    },
                    Thing::Completer { promise, .. } => smallvec![promise],
                    _ => SmallVec::new(),
                }
            }
            Thing::Semaphore { .. } | Thing::Lock { .. } | Thing::Event { .. } | Thing::Scope { .. } => SmallVec::new(),
        }
    }
}

impl<W: World> Handle<W> {
    /// Takes out the value of a task or a promise, if it came to one. Nothing where it holds something else.
    pub fn take_only_value(&mut self) -> Option<Option<W::Value>> {
        match self.own_thing() {
            Thing::Task { name: None, settling, .. } | Thing::Promise { settling, .. } => match settling.settled.take()
            {
                Some(Settled::Value(value)) => Some(Some(value)),
                None | Some(Settled::Cancelled | Settled::Broken) => Some(None),
                error @ Some(Settled::Error(..)) => {
                    settling.settled = error;
                    None
                }
            },
            _ => None,
        }
    }
}

impl<W: World> Drop for Handle<W> {
    fn drop(&mut self) {
        drop(self.take_values());
    }
}

fn visit_settling<W: World>(settling: &Settling<W>, see: &mut dyn FnMut(Held<'_, W>)) {
    match &settling.settled {
        Some(Settled::Value(value)) => see(Held::Value(value)),
        Some(Settled::Error(error, trace)) => {
            see(Held::Error(error));
            see(Held::Value(trace));
        }
        Some(Settled::Cancelled | Settled::Broken) | None => {}
    }
}

impl<W: World> Handle<W> {
    /// Shows what it holds.
    pub fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        let Ok(thing) = self.thing.try_lock() else { return };
        match &*thing {
            Thing::Task { name, settling, .. } => {
                if let Some(name) = name {
                    see(Held::Value(name));
                }
                visit_settling(settling, see);
            }
            Thing::Promise { settling, .. } => visit_settling(settling, see),
            Thing::Completer { promise, .. } => see(Held::Value(promise)),
            Thing::Channel { values, .. } => values.iter().for_each(|value| see(Held::Value(value))),
            Thing::Semaphore { .. } | Thing::Lock { .. } | Thing::Event { .. } | Thing::Scope { .. } => {}
        }
    }

    /// Lets go of what it holds: a collector found it unreachable. May run user code.
    pub fn clear(&self) {
        let mut thing = self.thing();
        let dead = match &mut *thing {
            Thing::Task { settling, .. } | Thing::Promise { settling, .. } => {
                let gone = settling.settled.as_ref().map(|_| Settled::Cancelled);
                (std::mem::replace(&mut settling.settled, gone), VecDeque::new())
            }
            Thing::Channel { values, .. } => (None, std::mem::take(values)),
            _ => return,
        };
        drop(thing);
        drop(dead);
    }
}

/// Promises, and what they come to.
pub type Letters<W> = VecDeque<(<W as World>::Value, Settled<W>)>;

/// What reaches a scheduler from outside.
pub struct Inbox<W: World> {
    letters: Mutex<Option<Letters<W>>>,
    full: AtomicBool,
    run: Arc<Mailbox>,
}

impl<W: World> Inbox<W> {
    /// An empty one; a letter rings the bell of the run.
    #[must_use]
    pub fn new(run: Arc<Mailbox>) -> Self {
        Self { letters: Mutex::new(Some(VecDeque::new())), full: AtomicBool::new(false), run }
    }

    /// Puts a letter in. May be called from anywhere.
    ///
    /// # Errors
    /// The scheduler is gone: here is the letter.
    pub fn post(&self, promise: W::Value, settled: Settled<W>) -> Result<(), (W::Value, Settled<W>)> {
        self.put_in(promise, settled)?;
        self.run.ring();
        Ok(())
    }

    /// The same by whoever drives the run, and sees to it that it goes on: nobody is to be woken.
    ///
    /// # Errors
    /// The scheduler is gone: here is the letter.
    pub fn post_quietly(&self, promise: W::Value, settled: Settled<W>) -> Result<(), (W::Value, Settled<W>)> {
        self.put_in(promise, settled)?;
        self.run.note();
        Ok(())
    }

    fn put_in(&self, promise: W::Value, settled: Settled<W>) -> Result<(), (W::Value, Settled<W>)> {
        match &mut *locked(&self.letters) {
            Some(letters) => letters.push_back((promise, settled)),
            None => return Err((promise, settled)),
        }
        self.full.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether the scheduler still reads its letters.
    #[must_use]
    pub fn is_open(&self) -> bool {
        locked(&self.letters).is_some()
    }

    /// Whether nothing arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.full.load(Ordering::Acquire)
    }

    /// The letters that arrived.
    #[inline]
    pub fn read(&self) -> Option<Letters<W>> {
        // To look first costs less than to change it.
        if self.is_empty() || !self.full.swap(false, Ordering::Acquire) {
            return None;
        }
        locked(&self.letters).as_mut().map(std::mem::take)
    }

    /// The scheduler is gone: what nobody reads any more.
    pub fn close(&self) -> Letters<W> {
        locked(&self.letters).take().unwrap_or_default()
    }

    /// Shows what it holds.
    pub fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        let Ok(letters) = self.letters.try_lock() else { return };
        for (promise, settled) in letters.iter().flatten() {
            see(Held::Value(promise));
            match settled {
                Settled::Value(value) => see(Held::Value(value)),
                Settled::Error(error, trace) => {
                    see(Held::Error(error));
                    see(Held::Value(trace));
                }
                Settled::Cancelled | Settled::Broken => {}
            }
        }
    }
}
