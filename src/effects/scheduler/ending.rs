//! How tasks end, and how all of it ends: the root's end, deadlock, what nobody took note of (semantics 4, 7).

use std::time::Duration;

use super::handle::{Settled, Thing};
use super::sync::discard_settled;
use super::table::{self, Stand, TaskKey, Wait};
use super::{Ending, Scheduler, TaskWorld};
use crate::core::fault::{Again, Cause, Fault, Unobserved};
use crate::core::native::{Body, Errand, Held, Next, Resumption, Store};

impl<W: TaskWorld> Scheduler<W> {
    /// Whether an error is the cancellation of a task or scope of this scheduler; that of another one passes through.
    fn is_own_cancellation(&self, store: &mut dyn Store<W>, error: &W::Error) -> bool {
        let Some(scope) = store.cancelled_scope(error) else { return false };
        let own = store.is_unit(&scope) || self.ours(store, &scope).is_ok();
        store.discard(scope);
        own
    }

    /// The running task came to its end.
    pub(super) fn body_ended(&mut self, store: &mut dyn Store<W>, outcome: Result<W::Value, W::Error>) {
        let key = self.running;
        let breaks_off =
            matches!(&outcome, Err(error) if !store.is_exception(error) && !self.is_own_cancellation(store, error));
        if breaks_off || (key == self.root && self.ending.is_none()) {
            let cancelled = matches!(&outcome, Err(error) if self.is_own_cancellation(store, error));
            let settled = match &outcome {
                Ok(value) => Settled::Value(store.share(value)),
                Err(_) if cancelled || breaks_off => Settled::Cancelled,
                Err(error) => Settled::Error(store.clone_error(error), store.trace_of(error)),
            };
            self.finish(store, key, settled, !breaks_off);
            self.begin_ending(store, outcome, cancelled);
            return;
        }
        let settled = match outcome {
            Ok(value) => Settled::Value(value),
            Err(error) if self.is_own_cancellation(store, &error) => {
                store.discard_error(error);
                Settled::Cancelled
            }
            Err(error) if key == self.root => {
                // Nobody waits for what its clean-up failed with.
                self.replaced.push(error);
                Settled::Cancelled
            }
            Err(error) => {
                let trace = store.trace_of(&error);
                Settled::Error(error, trace)
            }
        };
        self.finish(store, key, settled, true);
    }

    /// A task has finished: the outcome goes to its handle, and to those who wait. The record stays only for a failure
    /// that nobody took note of.
    fn finish(&mut self, store: &mut dyn Store<W>, key: TaskKey, settled: Settled<W>, tells: bool) {
        if key != self.root
            && let Some(tally) = &self.tally
        {
            tally.task_ended();
        }
        let Some(task) = self.tasks.get_mut(key) else { return discard_settled(store, settled) };
        self.told -= usize::from(std::mem::take(&mut task.told));
        if task.awaited
            && let Some(handle) = &task.handle
        {
            let over = store.share(handle);
            store.send(Errand::Over(over));
        }
        while let Some(scope) = task.scopes.pop() {
            if let Some(when) = scope.deadline {
                self.alarms.unset(when);
            }
            store.discard(scope.handle);
        }
        let handle = task.handle.take();
        let failed = matches!(settled, Settled::Error(..)) && key != self.root;
        let record = if failed { None } else { self.tasks.remove(key) };
        let mut observed = false;
        match &handle {
            // Who waits for one that breaks all off is ended with the others.
            Some(handle) => observed = self.settle(store, handle, settled, tells),
            None => discard_settled(store, settled),
        }
        let record = if observed { record.or_else(|| self.tasks.remove(key)) } else { record };
        if let Some(mut record) = record {
            record.handle = handle;
            table::discard(store, record);
        } else if let Some(task) = self.tasks.get_mut(key) {
            task.handle = handle;
            task.stand = Stand::Failed(self.settled);
        }
        if self.ending.is_some() && self.told == 0 {
            self.tell_all(store);
        }
    }

    /// The root came to its end, or a task was broken off: the others are cancelled and unwound, in the order in which
    /// they were spawned.
    fn begin_ending(&mut self, store: &mut dyn Store<W>, outcome: Result<W::Value, W::Error>, cancelled: bool) {
        if let Some(earlier) = self.ending.take() {
            if let Some(trace) = earlier.trace {
                store.discard(trace);
            }
            match earlier.outcome {
                Ok(value) => store.discard(value),
                Err(error) if store.is_exception(&error) => self.replaced.push(error),
                Err(error) => store.discard_error(error),
            }
        }
        let reports = outcome.is_ok();
        let trace = match &outcome {
            Err(error) if store.is_exception(error) => Some(store.trace_of(error)),
            _ => None,
        };
        self.ending = Some(Ending { outcome, trace, cancelled });
        for key in self.tasks.living() {
            if reports
                && key != self.root
                && let Some(task) = self.tasks.get_mut(key)
                && !task.daemon
                && !task.request.asked
                && let Some(handle) = &task.handle
            {
                let origin = task.origin.as_ref().map(|origin| store.share(origin));
                self.unfinished.push((store.share(handle), origin));
            }
        }
        self.tell_all(store);
    }

    /// All that live are asked to end.
    fn tell_all(&mut self, store: &mut dyn Store<W>) {
        let living = self.tasks.living();
        self.told = living.len();
        for key in living {
            if let Some(task) = self.tasks.get_mut(key) {
                task.told = true;
            }
            self.request(store, key);
        }
        let tasks = &self.tasks;
        self.ready.line_up(|key| tasks.get(key).map_or(0, |task| task.number));
    }

    /// Whether all is over; those that were spawned by the clean-up of others end after them.
    pub(super) fn end(&mut self, store: &mut dyn Store<W>) -> Option<Next<W>> {
        self.ending.as_ref()?;
        if self.told > 0 {
            return None;
        }
        if self.driven && store.keeps_root() {
            // The rest of the run is where the root was.
            self.root_kept = true;
            return Some(Next::Idle(Some(Duration::ZERO)));
        }
        let mut ending = self.ending.take()?;
        if ending.outcome.is_ok()
            && let Some(error) = self.interruption.take()
            && let Ok(value) = std::mem::replace(&mut ending.outcome, Err(error))
        {
            // The root did not meet it, for it never waited again.
            store.discard(value);
        }
        Some(match ending {
            Ending { outcome: Err(error), trace: Some(trace), cancelled: false } => {
                Next::Fail(Fault::Again(Box::new(Again { error, trace, later: Vec::new() })))
            }
            Ending { outcome: Err(error), cancelled: true, .. } => {
                store.discard_error(error);
                Next::Fail(Fault::TaskCancelled(self.root_handle(store)))
            }
            Ending { outcome, .. } => Next::Finish(outcome),
        })
    }

    fn root_handle(&self, store: &mut dyn Store<W>) -> W::Value {
        let settling = super::Settling { settled: Some(Settled::Cancelled), ..super::Settling::default() };
        self.make(store, Thing::Task { key: self.root, name: None, number: 0, settling })
    }

    /// The one to whom an error of the whole scheduler is raised: the root, or who was spawned first.
    fn first(&self) -> Option<TaskKey> {
        if self.tasks.get(self.root).is_some() { Some(self.root) } else { self.tasks.living().first().copied() }
    }

    /// That one waits no more: it gets an error instead.
    fn raise_at_first(&mut self, store: &mut dyn Store<W>, how: Result<W::Error, Fault<W>>) -> Next<W> {
        let internal = Next::Fail(Fault::Internal("nobody is left to raise an error to"));
        let Some(key) = self.first() else { return internal };
        let Some(task) = self.tasks.get_mut(key) else { return internal };
        let Stand::Waiting(wait) = std::mem::replace(&mut task.stand, Stand::Running) else { return internal };
        if how.is_ok()
            && let Wait::Many(many) = &wait
        {
            self.cancel_gathered(store, key, many);
        }
        self.unregister(store, key, wait);
        self.cancel_all(store);
        let Some(task) = self.tasks.get_mut(key) else { return internal };
        let (body, effect) = (task.body.take(), task.effect.take());
        if let Some(effect) = effect {
            store.discard(effect);
        }
        self.running = key;
        match (body, how) {
            (Some(body), Ok(error)) => Next::Resume(body, Resumption::Error(error)),
            (Some(body), Err(fault)) => Next::Refuse(body, fault),
            (None, _) => internal,
        }
    }

    /// A wait was interrupted from outside.
    pub(super) fn interrupted(&mut self, store: &mut dyn Store<W>, error: W::Error) -> Next<W> {
        // Where somebody else's loop drives the run it is for the root alone.
        let meets = if self.driven { Some(self.root) } else { self.first() };
        let waits = meets.and_then(|key| self.tasks.get(key));
        if waits.is_some_and(|task| matches!(task.stand, Stand::Waiting(_))) {
            return self.raise_at_first(store, Ok(error));
        }
        // It has what it waited for, or is over: it meets the error where it waits next, or that is what the run comes to.
        if let Some(earlier) = self.interruption.replace(error) {
            store.discard_error(earlier);
        }
        self.next(store)
    }

    /// Tasks that wait to see each other unwound would wait for ever: the first of them goes on with what was decided.
    pub(super) fn let_one_go(&mut self, store: &mut dyn Store<W>) -> bool {
        for key in self.tasks.living() {
            let Some(task) = self.tasks.get_mut(key) else { continue };
            let Stand::Waiting(Wait::Many(many)) = &mut task.stand else { continue };
            let Some(verdict) = many.verdict.take() else { continue };
            let Stand::Waiting(wait) = std::mem::replace(&mut task.stand, Stand::Waiting(Wait::Never)) else {
                continue;
            };
            self.unregister(store, key, wait);
            self.wake(key, verdict);
            return true;
        }
        false
    }

    /// Nobody can go on, and nothing is to come.
    pub(super) fn deadlock(&mut self, store: &mut dyn Store<W>) -> Next<W> {
        let mut stuck = Vec::new();
        for key in self.tasks.living() {
            if self.tasks.get(key).is_some_and(|task| task.daemon) {
                continue;
            }
            stuck.extend(self.standing_of(store, key));
        }
        self.raise_at_first(store, Err(Fault::Deadlock(stuck)))
    }

    /// The failures that nobody took note of, in the order in which they happened, and those who did not finish.
    pub(super) fn unobserved_failures(&mut self, store: &mut dyn Store<W>) -> Vec<Unobserved<W>> {
        let mut failed = Vec::new();
        for (key, task) in self.tasks.iter() {
            if let Stand::Failed(order) = task.stand {
                failed.push((order, key));
            }
        }
        failed.sort_unstable_by_key(|(order, _)| *order);
        let replaced = self.replaced.drain(..).map(|error| Unobserved { cause: Cause::Error(error), origin: None });
        let mut lost: Vec<_> = replaced.collect();
        for (task, origin) in self.unfinished.drain(..) {
            lost.push(Unobserved { cause: Cause::Fault(Fault::Unfinished(task)), origin });
        }
        for (_, key) in failed {
            let Some(mut task) = self.tasks.remove(key) else { continue };
            if let Some(handle) = &task.handle
                && let Ok(handle) = self.ours(store, handle)
                && let Thing::Task { settling, .. } = &*handle.thing()
                && let Some(Settled::Error(error, _)) = &settling.settled
            {
                let cause = Cause::Error(store.clone_error(error));
                lost.push(Unobserved { cause, origin: task.origin.take() });
            }
            table::discard(store, task);
        }
        lost
    }

    /// Shows everything that it holds.
    pub(super) fn show(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        for (_, task) in self.tasks.iter() {
            for value in [&task.handle, &task.effect, &task.origin].into_iter().flatten() {
                see(Held::Value(value));
            }
            for value in task.body.iter().flat_map(Body::values) {
                see(Held::Value(value));
            }
            for scope in &task.scopes {
                see(Held::Value(&scope.handle));
            }
            match &task.stand {
                Stand::Ready(wake) => table::show_wake(wake, see),
                Stand::Waiting(Wait::Many(many)) => {
                    if let Some(wake) = &many.verdict {
                        table::show_wake(wake, see);
                    }
                }
                Stand::Waiting(Wait::Promise(promise, _)) => see(Held::Value(promise)),
                Stand::Waiting(Wait::Errand(errand)) => {
                    see(Held::Value(&errand.promise));
                    see(Held::Value(&errand.completer));
                    if let Some((_, scope)) = &errand.cancelled {
                        see(Held::Value(scope));
                    }
                }
                Stand::Running | Stand::Waiting(_) | Stand::Failed(_) => {}
            }
        }
        if let Some(trace) = self.ending.as_ref().and_then(|ending| ending.trace.as_ref()) {
            see(Held::Value(trace));
        }
        match self.ending.as_ref().map(|ending| &ending.outcome) {
            Some(Ok(value)) => see(Held::Value(value)),
            Some(Err(error)) => see(Held::Error(error)),
            None => {}
        }
        self.replaced.iter().for_each(|error| see(Held::Error(error)));
        for (task, origin) in &self.unfinished {
            see(Held::Value(task));
            if let Some(origin) = origin {
                see(Held::Value(origin));
            }
        }
        if let Some(error) = &self.interruption {
            see(Held::Error(error));
        }
        if let Some(inbox) = &self.inbox {
            inbox.visit(see);
        }
    }

    /// The installation is gone: what is held goes to the host.
    pub(super) fn let_go(mut self, store: &mut dyn Store<W>) {
        let all: Vec<_> = self.tasks.iter().map(|(key, _)| key).collect();
        for key in all {
            if let Some(task) = self.tasks.remove(key) {
                table::discard(store, task);
            }
        }
        if let Some(inbox) = self.inbox.take() {
            for (promise, settled) in inbox.close() {
                store.discard(promise);
                discard_settled(store, settled);
            }
        }
        if let Some(error) = self.interruption.take() {
            store.discard_error(error);
        }
        let Some(Ending { outcome, trace, .. }) = self.ending.take() else { return };
        if let Some(trace) = trace {
            store.discard(trace);
        }
        match outcome {
            Ok(value) => store.discard(value),
            Err(error) => store.discard_error(error),
        }
    }
}
