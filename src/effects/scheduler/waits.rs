//! Waiting for tasks and promises: for one, for all, for the first (semantics 7).

use thin_vec::ThinVec;

use super::handle::{Settled, Settling, Thing};
use super::table::{Many, Stand, TaskKey, Wait, Wake};
use super::waiters::{Link, Waiter};
use super::{Handle, Not, Scheduler};
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

impl<W: World> Scheduler<W>
where
    W::Value: Send,
    W::Error: Send,
{
    /// The running task lets the others have their turn.
    pub(super) fn give_way(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation) -> Next<W> {
        if let Some(task) = self.tasks.get_mut(self.running) {
            task.body = Some(body);
            task.effect = Some(effect);
        }
        self.wake(self.running, Wake::Turn);
        self.next(store)
    }

    /// Works on what is waited for behind a target: a completer stands for its promise.
    fn behind<T>(
        &self,
        store: &mut dyn Store<W>,
        target: &W::Value,
        work: impl FnOnce(&mut dyn Store<W>, &W::Value, &Handle<W>) -> Result<T, Not>,
    ) -> Result<T, Not> {
        let handle = self.ours(store, target)?;
        let promise = match &*handle.thing() {
            Thing::Completer { promise, .. } => Some(store.share(promise)),
            _ => None,
        };
        let Some(promise) = promise else { return work(store, target, handle) };
        let done = match self.ours(store, &promise) {
            Ok(handle) => work(store, &promise, handle),
            Err(not) => Err(not),
        };
        store.discard(promise);
        done
    }

    pub(super) fn wait_for(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let target = store.field(effect, 0);
        let mut observed = None;
        let answer = self.behind(store, &target, |store, value, handle| match &*handle.thing() {
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

    /// Looks at all targets of a `Gather` or a `Race`: it waits, unless all is decided already.
    pub(super) fn wait_for_many(&mut self, store: &mut dyn Store<W>, effect: &W::Value, race: bool) -> Answer<W> {
        let targets = Self::targets(store, effect);
        if race && targets.is_empty() {
            return Answer::Fault(Fault::Unfit(store.share(effect)));
        }
        let mut refused = None;
        let mut open = 0;
        for target in &targets {
            let seen = self.behind(store, target, |_, _, handle| match &*handle.thing() {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Ok(settling.settled.is_none()),
                _ => Err(Not::Fit),
            });
            match seen {
                Ok(waits) => open += usize::from(waits),
                Err(not) => {
                    refused = Some(not);
                    break;
                }
            }
        }
        let answer = match refused {
            Some(not) => Self::refuse(store, effect, &not),
            None if open == 0 && !race && self.settled_among(store, &targets, true).is_empty() => {
                Answer::Value(self.all_results(store, &targets))
            }
            None => Answer::Suspend,
        };
        discard_all(store, targets);
        answer
    }

    fn targets(store: &mut dyn Store<W>, effect: &W::Value) -> Vec<W::Value> {
        let list = store.field(effect, 0);
        let targets = store.items(&list);
        store.discard(list);
        targets
    }

    /// Those of the targets that settled, or (`failed`) that failed, in the order in which that happened.
    fn settled_among(&self, store: &mut dyn Store<W>, targets: &[W::Value], failed: bool) -> Vec<u32> {
        let mut settled: Vec<(u32, u32)> = Vec::new();
        for (slot, target) in (0..).zip(targets) {
            let order = self.behind(store, target, |_, _, handle| match &*handle.thing() {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Ok(match &settling.settled {
                    None => None,
                    Some(Settled::Value(_)) if failed => None,
                    Some(_) => Some(settling.order),
                }),
                _ => Err(Not::Fit),
            });
            if let Ok(Some(order)) = order {
                settled.push((order, slot));
            }
        }
        settled.sort_unstable();
        settled.into_iter().map(|(_, slot)| slot).collect()
    }

    fn all_results(&self, store: &mut dyn Store<W>, targets: &[W::Value]) -> W::Value {
        let mut results = Vec::with_capacity(targets.len());
        for target in targets {
            let result = self.behind(store, target, |store, value, handle| match &*handle.thing() {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => {
                    came_to(store, value, settling).map_err(|_| Not::Fit)
                }
                _ => Err(Not::Fit),
            });
            results.push(result.unwrap_or_else(|_| store.unit()));
        }
        store.sequence(results)
    }

    /// All that was gathered is there.
    pub(super) fn results(&self, store: &mut dyn Store<W>, effect: Option<&W::Value>) -> Result<W::Value, Fault<W>> {
        let effect = effect.ok_or(Fault::Internal("a task gathers without an effect"))?;
        let targets = Self::targets(store, effect);
        let results = self.all_results(store, &targets);
        discard_all(store, targets);
        Ok(results)
    }

    /// What the target in that place came to, and those that failed after it.
    pub(super) fn decided(
        &mut self,
        store: &mut dyn Store<W>,
        effect: Option<&W::Value>,
        slot: u32,
        after: &[u32],
    ) -> Result<W::Value, Fault<W>> {
        let effect = effect.ok_or(Fault::Internal("a task gathers without an effect"))?;
        let targets = Self::targets(store, effect);
        let mut outcome = Err(Fault::Internal("a task gathers what it has not"));
        if let Some(target) = targets.get(slot as usize) {
            let mut observed = None;
            let came = self.behind(store, target, |store, value, handle| match &*handle.thing() {
                Thing::Task { key, settling, .. } => {
                    observed = Some(*key);
                    Ok(came_to(store, value, settling))
                }
                Thing::Promise { settling, .. } => Ok(came_to(store, value, settling)),
                _ => Err(Not::Fit),
            });
            if let Some(key) = observed {
                self.observe(store, key);
            }
            outcome = came.unwrap_or(outcome);
        }
        if let Err(Fault::Again(again)) = &mut outcome {
            let mut told: Vec<_> =
                targets.get(slot as usize).and_then(|one| self.ours(store, one).ok()).into_iter().collect();
            for target in after.iter().filter_map(|slot| targets.get(*slot as usize)) {
                // One that is gathered twice failed once, and one that was cancelled did not fail.
                if let Ok(handle) = self.ours(store, target)
                    && !told.iter().any(|known| std::ptr::eq(*known, handle))
                    && has_failed(&handle.thing())
                {
                    told.push(handle);
                    again.later.push(store.share(target));
                }
            }
        }
        discard_all(store, targets);
        outcome
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
        let waiter = Waiter { task: self.running, slot };
        let sends = self.asked == super::Clause::Send;
        let mut waiters = std::mem::take(&mut self.waiters);
        let mut external = false;
        let link = self.behind(store, target, |_, _, handle| match &mut *handle.thing() {
            Thing::Task { settling, .. } => Ok(join_settling(&mut waiters, settling, waiter)),
            Thing::Promise { settling, external: outside } => {
                let link = join_settling(&mut waiters, settling, waiter);
                external = *outside && link.is_some();
                Ok(link)
            }
            Thing::Semaphore { waiters: queue, .. }
            | Thing::Lock { waiters: queue, .. }
            | Thing::Event { waiters: queue, .. } => Ok(Some(waiters.join(queue, waiter))),
            Thing::Channel { senders, receivers, .. } => {
                Ok(Some(waiters.join(if sends { senders } else { receivers }, waiter)))
            }
            Thing::Completer { .. } | Thing::Scope { .. } => Err(Not::Fit),
        });
        self.waiters = waiters;
        if external {
            self.waits_outside();
        }
        link.ok().flatten()
    }

    /// A task leaves the list of a target.
    pub(super) fn leave(&mut self, store: &mut dyn Store<W>, target: &W::Value, link: Link, sends: bool) {
        let mut waiters = std::mem::take(&mut self.waiters);
        let mut external = 0;
        let _ = self.behind(store, target, |_, _, handle| {
            match &mut *handle.thing() {
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

    /// The running task joins the lists of all targets that have not settled, unless all is decided: then it goes on.
    pub(super) fn join_all(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Result<Wait<W>, Wake<W>> {
        let race = self.asked == super::Clause::Race;
        let targets = Self::targets(store, effect);
        let cancels = race || {
            let flag = store.field(effect, 1);
            let cancels = store.flag(&flag).unwrap_or(true);
            store.discard(flag);
            cancels
        };
        let links: Vec<_> = (0..).zip(&targets).map(|(slot, target)| self.join(store, target, slot)).collect();
        let open = links.iter().flatten().count();
        let mut decided = self.settled_among(store, &targets, !race);
        discard_all(store, targets);
        let mut many = Many { links, open, first: race, cancels, verdict: None };
        if !decided.is_empty() {
            let slot = decided.remove(0);
            let later = if race { ThinVec::new() } else { decided.into() };
            if let Some(wake) = self.decide(store, effect, &mut many, Wake::Decided(slot, later)) {
                return Err(wake);
            }
        }
        Ok(Wait::Many(Box::new(many)))
    }

    /// A `Gather` or a `Race` is decided: the tasks that have not finished are cancelled, and what cannot be is left.
    /// Gives the verdict back when nobody is to be waited for.
    pub(super) fn decide(
        &mut self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        many: &mut Many<W>,
        verdict: Wake<W>,
    ) -> Option<Wake<W>> {
        let targets = Self::targets(store, effect);
        let mut cancelled = Vec::new();
        for (target, link) in targets.iter().zip(&mut many.links) {
            let Some(joined) = *link else { continue };
            let task = self.behind(store, target, |_, _, handle| match &*handle.thing() {
                Thing::Task { key, .. } => Ok(Some(*key)),
                _ => Ok(None),
            });
            match task {
                Ok(Some(key)) if many.cancels => cancelled.push(key),
                _ => {
                    self.leave(store, target, joined, false);
                    *link = None;
                    many.open -= 1;
                }
            }
        }
        discard_all(store, targets);
        let done = many.open == 0;
        let verdict = if done {
            Some(verdict)
        } else {
            many.verdict = Some(verdict);
            None
        };
        // They are asked when this one stands where it waits: it may be among them.
        self.to_cancel.extend(cancelled);
        verdict
    }

    /// The tasks that somebody gathers, and that have not finished, are to be cancelled.
    pub(super) fn cancel_gathered(&mut self, store: &mut dyn Store<W>, key: super::table::TaskKey, many: &Many<W>) {
        let effect = self.tasks.get(key).and_then(|task| task.effect.as_ref()).map(|effect| store.share(effect));
        let Some(effect) = effect else { return };
        let targets = Self::targets(store, &effect);
        for (target, _) in targets.iter().zip(&many.links).filter(|(_, link)| link.is_some()) {
            if let Ok(handle) = self.ours(store, target)
                && let Thing::Task { key, .. } = &*handle.thing()
            {
                self.to_cancel.push_back(*key);
            }
        }
        discard_all(store, targets);
        store.discard(effect);
    }

    /// What somebody waited for has settled. Whether that one takes note of it.
    fn notify(&mut self, store: &mut dyn Store<W>, waiter: Waiter, value: &W::Value, end: End) -> bool {
        let Some(task) = self.tasks.get_mut(waiter.task) else { return false };
        let Stand::Waiting(wait) = &mut task.stand else { return false };
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
        if let Some(link) = many.links.get_mut(waiter.slot as usize) {
            *link = None;
        }
        many.open -= 1;
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

    /// The next one who waits for that, when they are told.
    fn next_waiter(&mut self, handle: &Handle<W>, tells: bool) -> Option<Waiter> {
        match &mut *handle.thing() {
            Thing::Task { settling, .. } | Thing::Promise { settling, .. } if tells => {
                self.waiters.pop(&mut settling.waiters)
            }
            _ => None,
        }
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
        let mut observed = false;
        let outside = {
            let mut thing = handle.thing();
            let (settling, external) = match &mut *thing {
                Thing::Task { settling, .. } => (settling, false),
                Thing::Promise { settling, external } => (settling, *external),
                _ => return false,
            };
            settling.settled = Some(settled);
            settling.order = self.settled;
            external
        };
        while let Some(waiter) = self.next_waiter(handle, tells) {
            self.external -= usize::from(outside);
            observed |= self.notify(store, waiter, value, end);
        }
        observed
    }
}

fn join_settling<W: World>(waiters: &mut super::Waiters, settling: &mut Settling<W>, waiter: Waiter) -> Option<Link> {
    settling.settled.is_none().then(|| waiters.join(&mut settling.waiters, waiter))
}

fn discard_all<W: World>(store: &mut dyn Store<W>, values: Vec<W::Value>) {
    for value in values {
        store.discard(value);
    }
}

const fn has_failed<W: World>(thing: &Thing<W>) -> bool {
    match thing {
        Thing::Task { settling, .. } | Thing::Promise { settling, .. } => {
            matches!(settling.settled, Some(Settled::Error(..)))
        }
        _ => false,
    }
}

/// What is settled, for one who asks.
fn came_to<W: World>(store: &dyn Store<W>, value: &W::Value, settling: &Settling<W>) -> Result<W::Value, Fault<W>> {
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
