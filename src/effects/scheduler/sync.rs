//! Promises, semaphores, locks, events and channels: things that tasks hand over to each other, first come, first
//! served. What is handed to somebody who waits is theirs at once: a cancellation that comes later finds it given.

use std::collections::VecDeque;
use std::sync::Arc;

use super::handle::{Settled, Settling, Thing};
use super::table::{TaskKey, Wake};
use super::{Not, Scheduler, TaskWorld};
use crate::core::fault::{Bound, Fault};
use crate::core::host::World;
use crate::core::native::{Answer, Store};

impl<W: TaskWorld> Scheduler<W> {
    pub(super) fn create_promise(&mut self, store: &mut dyn Store<W>, external: bool) -> Answer<W> {
        if !self.tally.as_ref().is_none_or(|tally| tally.promise_made()) {
            return Answer::Fault(Fault::Exceeded(Bound::Promises));
        }
        let promise = self.make(store, Thing::Promise { external, settling: Settling::default() });
        Answer::Value(match &self.inbox {
            Some(inbox) if external => {
                let completer = Thing::Completer { promise, used: false, inbox: Arc::clone(inbox) };
                self.make(store, completer)
            }
            _ => promise,
        })
    }

    pub(super) fn complete_promise(&mut self, store: &mut dyn Store<W>, effect: &W::Value, fails: bool) -> Answer<W> {
        let given = store.field(effect, 1);
        let settled = if fails {
            let Some(error) = store.as_error(&given) else {
                store.discard(given);
                return Answer::Fault(Fault::Unfit(store.share(effect)));
            };
            let trace = store.trace_of(&error);
            store.discard(given);
            Settled::Error(error, trace)
        } else {
            Settled::Value(given)
        };
        let promise = store.field(effect, 0);
        let fits = match self.ours(store, &promise) {
            Err(not) => Err(not),
            Ok(handle) => match &*handle.thing() {
                Thing::Promise { external: false, settling } => Ok(settling.settled.is_none()),
                _ => Err(Not::Fit),
            },
        };
        match fits {
            Ok(true) => {
                self.settle(store, &promise, settled, true);
                store.discard(promise);
                Answer::Value(store.unit())
            }
            Ok(false) => {
                discard_settled(store, settled);
                Answer::Fault(Fault::Completed(promise))
            }
            Err(not) => {
                discard_settled(store, settled);
                store.discard(promise);
                Self::refuse(store, effect, &not)
            }
        }
    }

    /// An external promise was completed from outside, or its completer is gone.
    pub(super) fn arrived(&mut self, store: &mut dyn Store<W>, promise: W::Value, settled: Settled<W>) {
        let waits = match self.ours(store, &promise) {
            Ok(handle) => matches!(&*handle.thing(), Thing::Promise { settling, .. } if settling.settled.is_none()),
            Err(_) => false,
        };
        if waits {
            self.settle(store, &promise, settled, true);
        } else {
            discard_settled(store, settled);
        }
        store.discard(promise);
    }

    pub(super) fn create_semaphore(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        match whole(store, effect) {
            Some(permits) => {
                Answer::Value(self.make(store, Thing::Semaphore { free: permits, permits, waiters: None }))
            }
            None => Answer::Fault(Fault::Unfit(store.share(effect))),
        }
    }

    pub(super) fn acquire(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let me = self.running;
        self.on_handle(store, effect, |_, store, value, handle| {
            Ok(match &mut *handle.thing() {
                Thing::Semaphore { free: 0, .. } => Answer::Suspend,
                Thing::Semaphore { free, .. } => {
                    *free -= 1;
                    Answer::Value(store.unit())
                }
                Thing::Lock { owner: Some(owner), .. } if *owner == me => {
                    Answer::Fault(Fault::HeldAlready(store.share(value)))
                }
                Thing::Lock { owner: Some(_), .. } => Answer::Suspend,
                Thing::Lock { owner, .. } => {
                    *owner = Some(me);
                    Answer::Value(store.unit())
                }
                _ => return Err(Not::Fit),
            })
        })
    }

    pub(super) fn release_permit(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        self.on_handle(store, effect, |scheduler, store, value, handle| {
            let next = match &mut *handle.thing() {
                Thing::Semaphore { free, permits, .. } if free == permits => {
                    return Ok(Answer::Fault(Fault::NotHeld(store.share(value))));
                }
                Thing::Semaphore { free, waiters, .. } => {
                    let next = scheduler.waiters.pop(waiters);
                    *free += u64::from(next.is_none());
                    next
                }
                Thing::Lock { owner, waiters } => {
                    if *owner != Some(scheduler.running) {
                        return Ok(Answer::Fault(Fault::NotHeld(store.share(value))));
                    }
                    let next = scheduler.waiters.pop(waiters);
                    *owner = next.map(|waiter| waiter.task);
                    next
                }
                _ => return Err(Not::Fit),
            };
            if let Some(waiter) = next {
                scheduler.wake(waiter.task, Wake::Value(store.unit()));
            }
            Ok(Answer::Value(store.unit()))
        })
    }

    pub(super) fn set_event(&mut self, store: &mut dyn Store<W>, effect: &W::Value, sets: bool) -> Answer<W> {
        self.on_handle(store, effect, |scheduler, store, _, handle| {
            let Thing::Event { set, waiters } = &mut *handle.thing() else { return Err(Not::Fit) };
            *set = sets;
            if sets {
                while let Some(waiter) = scheduler.waiters.pop(waiters) {
                    scheduler.wake(waiter.task, Wake::Value(store.unit()));
                }
            }
            Ok(Answer::Value(store.unit()))
        })
    }

    pub(super) fn create_channel(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let capacity = whole(store, effect).and_then(|capacity| usize::try_from(capacity).ok());
        let Some(capacity) = capacity else { return Answer::Fault(Fault::Unfit(store.share(effect))) };
        let channel =
            Thing::Channel { capacity, values: VecDeque::new(), closed: false, senders: None, receivers: None };
        Answer::Value(self.make(store, channel))
    }

    pub(super) fn send(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        self.on_handle(store, effect, |scheduler, store, value, handle| {
            let Thing::Channel { capacity, values, closed, receivers, .. } = &mut *handle.thing() else {
                return Err(Not::Fit);
            };
            if *closed {
                return Ok(Answer::Fault(Fault::ChannelClosed(store.share(value))));
            }
            if let Some(receiver) = scheduler.waiters.pop(receivers) {
                scheduler.wake(receiver.task, Wake::Value(store.field(effect, 1)));
            } else if values.len() < *capacity {
                values.push_back(store.field(effect, 1));
            } else {
                return Ok(Answer::Suspend);
            }
            Ok(Answer::Value(store.unit()))
        })
    }

    pub(super) fn receive(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        self.on_handle(store, effect, |scheduler, store, value, handle| {
            let Thing::Channel { values, closed, senders, .. } = &mut *handle.thing() else { return Err(Not::Fit) };
            // There is room for the one who waits longest, or a meeting with it.
            if let Some(sender) = scheduler.waiters.pop(senders) {
                values.extend(scheduler.sent(store, sender.task));
                scheduler.wake(sender.task, Wake::Value(store.unit()));
            }
            Ok(match values.pop_front() {
                Some(received) => Answer::Value(received),
                None if *closed => Answer::Fault(Fault::ChannelClosed(store.share(value))),
                None => Answer::Suspend,
            })
        })
    }

    /// What a task that waits for room sends.
    fn sent(&self, store: &dyn Store<W>, sender: TaskKey) -> Option<W::Value> {
        self.tasks.get(sender)?.effect.as_ref().map(|effect| store.field(effect, 1))
    }

    pub(super) fn close_channel(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        self.on_handle(store, effect, |scheduler, store, value, handle| {
            let Thing::Channel { closed, senders, receivers, .. } = &mut *handle.thing() else {
                return Err(Not::Fit);
            };
            *closed = true;
            for queue in [senders, receivers] {
                while let Some(waiter) = scheduler.waiters.pop(queue) {
                    scheduler.wake(waiter.task, Wake::Closed(store.share(value)));
                }
            }
            Ok(Answer::Value(store.unit()))
        })
    }
}

/// The whole number, not negative, in the first field of an effect.
fn whole<W: World>(store: &mut dyn Store<W>, effect: &W::Value) -> Option<u64> {
    let value = store.field(effect, 0);
    let number = store.integer(&value).and_then(|number| u64::try_from(number).ok());
    store.discard(value);
    number
}

pub(super) fn discard_settled<W: World>(store: &mut dyn Store<W>, settled: Settled<W>) {
    match settled {
        Settled::Value(value) => store.discard(value),
        Settled::Error(error, trace) => {
            store.discard_error(error);
            store.discard(trace);
        }
        Settled::Cancelled | Settled::Broken => {}
    }
}
