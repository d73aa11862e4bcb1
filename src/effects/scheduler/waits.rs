//! Waiting for tasks and promises (semantics 7).

use thin_vec::ThinVec;

use super::handle::{Settled, Settling, Thing};
use super::table::{Stand, TaskKey, Wait, Wake};
use super::waiters::{Link, Waiter, Waiters};
use super::{Not, Scheduler, TaskWorld};
use crate::core::fault::{Again, Fault};
use crate::core::host::World;
use crate::core::native::{Answer, Continuation, Next, Store};

/// How something that is waited for ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Fine,
    Failed,
    Cancelled,
}

impl<W: TaskWorld> Scheduler<W> {
    /// The running task lets the others have their turn.
    pub(super) fn give_way(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation) -> Next<W> {
        if let Some(task) = self.tasks.get_mut(self.running) {
            task.body = Some(body.into());
            task.effect = Some(effect);
        }
        self.wake(self.running, Wake::Turn);
        self.next(store)
    }

    /// Works on what is waited for behind a target: a completer stands for its promise.
    pub(super) fn behind<T>(
        &self,
        store: &mut dyn Store<W>,
        target: &W::Value,
        work: impl FnOnce(&mut dyn Store<W>, &W::Value, &mut Thing<W>) -> Result<T, Not>,
    ) -> Result<T, Not> {
        let mut thing = self.ours(store, target)?.thing();
        let Thing::Completer { promise, .. } = &*thing else { return work(store, target, &mut thing) };
        let promise = store.share(promise);
        drop(thing);
        let done = match self.ours(store, &promise) {
            Ok(handle) => work(store, &promise, &mut handle.thing()),
            Err(not) => Err(not),
        };
        store.discard(promise);
        done
    }

    pub(super) fn wait_for(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let target = store.field(effect, 0);
        let mut observed = None;
        let answer = self.behind(store, &target, |store, value, thing| match thing {
            Thing::Task { key, settling, .. } => {
                observed = Some(*key);
                Ok(outcome_answer(store, value, settling))
            }
            Thing::Promise { settling, .. } => Ok(outcome_answer(store, value, settling)),
            Thing::Event { set: true, .. } => Ok(Answer::Value(store.unit())),
            Thing::Event { set: false, .. } => Ok(Answer::Suspend),
            _ => Err(Not::Fit),
        });
        store.discard(target);
        if let Some(key) = observed {
            self.observe(store, key);
        }
        answer.unwrap_or_else(|not| Self::refuse(store, effect, &not))
    }

    /// Somebody took note of a failure: nothing is left to tell.
    pub(super) fn observe(&mut self, store: &mut dyn Store<W>, key: TaskKey) {
        if matches!(self.tasks.get(key).map(|task| &task.stand), Some(Stand::Failed(_)))
            && let Some(task) = self.tasks.remove(key)
        {
            super::table::discard(store, task);
        }
    }

    /// What a handle came to.
    pub(super) fn outcome(&self, store: &dyn Store<W>, value: &W::Value) -> Result<W::Value, Fault<W>> {
        match self.ours(store, value) {
            Ok(handle) => match &*handle.thing() {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => came_to(store, value, settling),
                _ => Ok(store.unit()),
            },
            Err(_) => Err(Fault::Internal("a task waits for what is no handle")),
        }
    }

    /// The running task joins the list of what it waits for.
    pub(super) fn join_one(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Wait<W> {
        let target = store.field(effect, 0);
        let link = self.join(store, &target, 0);
        store.discard(target);
        let sends = self.asked == super::Clause::Send;
        link.map_or(Wait::Never, |link| Wait::One { link, sends })
    }

    /// The promise of the completer that an effect waits for, when it is one.
    pub(super) fn promise_behind(&self, store: &mut dyn Store<W>, effect: &W::Value) -> Option<W::Value> {
        let target = store.field(effect, 0);
        let promise = self.ours(store, &target).ok().and_then(|handle| match &*handle.thing() {
            Thing::Completer { promise, .. } => Some(store.share(promise)),
            _ => None,
        });
        store.discard(target);
        promise
    }

    /// The running task joins the list of a target.
    pub(super) fn join(&mut self, store: &mut dyn Store<W>, target: &W::Value, slot: u32) -> Option<Link> {
        let mut waiters = std::mem::take(&mut self.waiters);
        let joined = self.join_in(&mut waiters, store, target, slot);
        self.waiters = waiters;
        let (link, outside) = joined?;
        if outside {
            self.waits_outside();
        }
        Some(link)
    }

    /// The running task joins the list of a target, if there is something to wait for: which comes from outside, or not.
    pub(super) fn join_in(
        &self,
        waiters: &mut Waiters,
        store: &mut dyn Store<W>,
        target: &W::Value,
        slot: u32,
    ) -> Option<(Link, bool)> {
        let waiter = Waiter { task: self.running, slot };
        let sends = self.asked == super::Clause::Send;
        let mut outside = false;
        let link = self.behind(store, target, |_, _, thing| match thing {
            Thing::Task { settling, .. } => Ok(join_settling(waiters, settling, waiter)),
            Thing::Promise { settling, external } => {
                outside = *external;
                Ok(join_settling(waiters, settling, waiter))
            }
            Thing::Semaphore { waiters: queue, .. }
            | Thing::Lock { waiters: queue, .. }
            | Thing::Event { waiters: queue, .. } => Ok(Some(waiters.join(queue, waiter))),
            Thing::Channel { senders, receivers, .. } => {
                Ok(Some(waiters.join(if sends { senders } else { receivers }, waiter)))
            }
            Thing::Completer { .. } | Thing::Scope { .. } => Err(Not::Fit),
        });
        Some((link.ok()??, outside))
    }

    /// A task leaves the list of a target.
    pub(super) fn leave(&mut self, store: &mut dyn Store<W>, target: &W::Value, link: Link, sends: bool) {
        let mut waiters = std::mem::take(&mut self.waiters);
        let mut external = 0;
        let _ = self.behind(store, target, |_, _, thing| {
            match thing {
                Thing::Task { settling, .. } => waiters.leave(&mut settling.waiters, link),
                Thing::Promise { settling, external: outside } => {
                    waiters.leave(&mut settling.waiters, link);
                    external = usize::from(*outside);
                }
                Thing::Semaphore { waiters: queue, .. }
                | Thing::Lock { waiters: queue, .. }
                | Thing::Event { waiters: queue, .. } => waiters.leave(queue, link),
                Thing::Channel { senders, receivers, .. } => {
                    waiters.leave(if sends { senders } else { receivers }, link);
                }
                Thing::Completer { .. } | Thing::Scope { .. } => {}
            }
            Ok(())
        });
        self.waiters = waiters;
        self.external -= external;
    }

    /// What somebody waited for has settled. Whether that one takes note of it.
    fn notify(&mut self, store: &mut dyn Store<W>, waiter: Waiter, value: &W::Value, end: End) -> bool {
        let Some(task) = self.tasks.get_mut(waiter.task) else { return false };
        let Stand::Waiting(wait) = &mut task.stand else { return false };
        if let Wait::Many(many) = wait
            && end == End::Fine
            && many.goes_on_waiting()
        {
            many.has_come(waiter.slot);
            return false;
        }
        let mut many = match std::mem::replace(wait, Wait::Never) {
            Wait::Many(many) => many,
            Wait::Errand(errand) => {
                self.returned(store, waiter.task, *errand, end == End::Cancelled);
                return true;
            }
            wait => {
                if let Wait::Promise(promise, _) = wait {
                    store.discard(promise);
                }
                self.wake(waiter.task, Wake::Outcome(store.share(value)));
                return true;
            }
        };
        let effect = task.effect.as_ref().map(|effect| store.share(effect));
        many.has_come(waiter.slot);
        let mut observed = false;
        let mut wake = None;
        match &mut many.verdict {
            // One of several that fail is told with the first.
            Some(Wake::Decided(_, later)) if end == End::Failed && !many.first => later.push(waiter.slot),
            None if many.first || end != End::Fine => {
                observed = true;
                let verdict = Wake::Decided(waiter.slot, ThinVec::new());
                if let Some(effect) = &effect {
                    wake = self.decide(store, effect, &mut many, verdict);
                }
            }
            None if many.open == 0 => wake = Some(Wake::Gathered),
            _ => {}
        }
        if many.open == 0 && wake.is_none() {
            wake = many.verdict.take();
        }
        if let Some(effect) = effect {
            store.discard(effect);
        }
        match wake {
            Some(wake) => self.wake(waiter.task, wake),
            None => {
                if let Some(task) = self.tasks.get_mut(waiter.task) {
                    task.stand = Stand::Waiting(Wait::Many(many));
                }
            }
        }
        self.cancel_all(store);
        observed
    }

    /// A task or a promise comes to something: all who wait are told, in order. Whether somebody takes note.
    pub(super) fn settle(
        &mut self,
        store: &mut dyn Store<W>,
        value: &W::Value,
        settled: Settled<W>,
        tells: bool,
    ) -> bool {
        let Ok(handle) = self.ours(store, value) else { return false };
        let end = match settled {
            Settled::Value(_) => End::Fine,
            Settled::Error(..) => End::Failed,
            Settled::Cancelled | Settled::Broken => End::Cancelled,
        };
        self.settled = self.settled.wrapping_add(1);
        let (mut came, mut observed) = (Some(settled), false);
        loop {
            let mut thing = handle.thing();
            let (settling, outside) = match &mut *thing {
                Thing::Task { settling, .. } => (settling, false),
                Thing::Promise { settling, external } => (settling, *external),
                _ => return false,
            };
            if came.is_some() {
                settling.settled = came.take();
                settling.order = self.settled;
            }
            if !tells {
                return observed;
            }
            let Some(waiter) = self.waiters.pop(&mut settling.waiters) else { return observed };
            let is_last = settling.waiters.is_none();
            drop(thing);
            self.external -= usize::from(outside);
            observed |= self.notify(store, waiter, value, end);
            if is_last {
                return observed;
            }
        }
    }
}

fn join_settling<W: World>(waiters: &mut super::Waiters, settling: &mut Settling<W>, waiter: Waiter) -> Option<Link> {
    settling.settled.is_none().then(|| waiters.join(&mut settling.waiters, waiter))
}

/// What is settled, for one who asks.
pub(super) fn came_to<W: World>(
    store: &dyn Store<W>,
    value: &W::Value,
    settling: &Settling<W>,
) -> Result<W::Value, Fault<W>> {
    match &settling.settled {
        Some(Settled::Value(value)) => Ok(store.share(value)),
        Some(Settled::Error(error, trace)) => {
            let again = Again { error: store.clone_error(error), trace: store.share(trace), later: Vec::new() };
            Err(Fault::Again(Box::new(again)))
        }
        Some(Settled::Cancelled) => Err(Fault::TaskCancelled(store.share(value))),
        Some(Settled::Broken) => Err(Fault::Broken(store.share(value))),
        None => Err(Fault::Internal("a task went on before what it waited for")),
    }
}

fn outcome_answer<W: World>(store: &dyn Store<W>, value: &W::Value, settling: &Settling<W>) -> Answer<W> {
    if settling.settled.is_none() {
        return Answer::Suspend;
    }
    match came_to(store, value, settling) {
        Ok(value) => Answer::Value(value),
        Err(fault) => Answer::Fault(fault),
    }
}
