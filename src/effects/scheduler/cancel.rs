//! Cancellation: of tasks, and of the stretches of them that are scopes (semantics 7).
//!
//! A cancellation is asked for once and raised once, where its task waits; a task that runs, or that has what it waited
//! for already, meets it where it waits next, so that nothing it was given is lost.

use super::handle::Thing;
use super::table::{Due, Request, Scope, Stand, Task, TaskKey, Wait, Wake};
use super::time::Alarm;
use super::{Scheduler, TaskWorld};
use crate::core::fault::Fault;
use crate::core::host::World;
use crate::core::native::{Answer, Store};

impl<W: TaskWorld> Scheduler<W> {
    pub(super) fn cancel(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let task = |thing: &Thing<W>| if let Thing::Task { key, .. } = thing { Some(*key) } else { None };
        match self.pick(store, effect, task) {
            Ok(key) => {
                self.request(store, key);
                Answer::Value(store.unit())
            }
            Err(refused) => refused,
        }
    }

    /// Asks a task to end. Who waits for others asks them in turn: one after the other, however long the chain.
    pub(super) fn request(&mut self, store: &mut dyn Store<W>, key: TaskKey) {
        self.to_cancel.push_back(key);
        self.cancel_all(store);
    }

    /// Asks all who were to be asked. What is added meanwhile has its turn.
    pub(super) fn cancel_all(&mut self, store: &mut dyn Store<W>) {
        if std::mem::replace(&mut self.cancelling, true) {
            return;
        }
        while let Some(key) = self.to_cancel.pop_front() {
            if let Some(task) = self.tasks.get_mut(key) {
                task.request.asked = true;
                self.deliver(store, key);
            }
        }
        self.cancelling = false;
    }

    /// Whether no cancellation of the running task is due.
    pub(super) fn is_unbothered(&self) -> bool {
        self.tasks.get(self.running).is_none_or(|task| task.due().is_none())
    }

    /// Takes the cancellation that is due, of the task or of a scope: it is raised now.
    pub(super) fn take_due(&mut self, store: &mut dyn Store<W>, key: TaskKey) -> Option<W::Value> {
        if self.tasks.get(key)?.is_left_alone() {
            return None;
        }
        self.forget_lost(store, key);
        let task = self.tasks.get_mut(key)?;
        let due = task.due()?;
        task.set_raised(due, true);
        // What is inside of it is being unwound with it, and is not interrupted again.
        let inside = match due {
            Due::Task => 0,
            Due::Scope(place) => place + 1,
        };
        for scope in task.scopes.iter_mut().skip(inside) {
            scope.request.raised = true;
            if let Some(when) = scope.deadline.take() {
                self.alarms.unset(when);
            }
        }
        let task = self.tasks.get_mut(key)?;
        match due {
            Due::Scope(place) => store.strong(&task.scopes[place].handle),
            Due::Task => Some(self.handle_of(store, key)),
        }
    }

    /// A scope that no program holds any more cannot be closed: its stretch was unwound where no scheduler answers, when
    /// its continuation was lost. It is over.
    fn forget_lost(&mut self, store: &mut dyn Store<W>, key: TaskKey) {
        let Some(task) = self.tasks.get_mut(key) else { return };
        while let Some(place) = task.scopes.iter().position(|scope| !is_held(store, scope)) {
            let scope = task.scopes.remove(place);
            if let Some(when) = scope.deadline {
                self.alarms.unset(when);
            }
            store.discard(scope.handle);
        }
    }

    /// Raises what is due, if the task waits where it loses nothing.
    pub(super) fn deliver(&mut self, store: &mut dyn Store<W>, key: TaskKey) {
        if !self.tasks.get(key).is_some_and(Task::is_asked) {
            return;
        }
        self.forget_lost(store, key);
        let Some(task) = self.tasks.get_mut(key) else { return };
        if task.due().is_none() {
            return;
        }
        match &mut task.stand {
            // It is in the queue already.
            Stand::Ready(Wake::Start | Wake::Turn | Wake::Again) => {
                if let Some(scope) = self.take_due(store, key)
                    && let Some(task) = self.tasks.get_mut(key)
                {
                    task.stand = Stand::Ready(Wake::Cancelled(scope));
                }
            }
            Stand::Running | Stand::Ready(_) | Stand::Failed(_) => {}
            Stand::Waiting(Wait::Many(many)) if many.verdict.is_some() => {}
            Stand::Waiting(Wait::Errand(_)) if self.driven => {
                if let Some(due) = task.due()
                    && let Some(scope) = self.take_due(store, key)
                {
                    self.recall(store, key, due, scope);
                }
            }
            Stand::Waiting(_) => self.break_off(store, key),
        }
    }

    /// A task that waits is cancelled: what it gathers is cancelled and unwound first.
    fn break_off(&mut self, store: &mut dyn Store<W>, key: TaskKey) {
        let Some(scope) = self.take_due(store, key) else { return };
        let Some(task) = self.tasks.get_mut(key) else { return };
        let Stand::Waiting(wait) = std::mem::replace(&mut task.stand, Stand::Waiting(Wait::Never)) else { return };
        let Wait::Many(mut many) = wait else {
            self.unregister(store, key, wait);
            self.wake(key, Wake::Cancelled(scope));
            return;
        };
        let effect = task.effect.as_ref().map(|effect| store.share(effect));
        many.cancels = true;
        let mut wake = None;
        if let Some(effect) = effect {
            wake = self.decide(store, &effect, &mut many, Wake::Cancelled(scope));
            store.discard(effect);
        }
        match wake {
            Some(wake) => self.wake(key, wake),
            None => {
                if let Some(task) = self.tasks.get_mut(key) {
                    task.stand = Stand::Waiting(Wait::Many(many));
                }
            }
        }
        self.cancel_all(store);
    }

    /// A task waits no more: it leaves all lists.
    pub(super) fn unregister(&mut self, store: &mut dyn Store<W>, key: TaskKey, wait: Wait<W>) {
        let effect = self.tasks.get(key).and_then(|task| task.effect.as_ref());
        // What it waits for is the first field; who waits for a promise from outside has none.
        let first = effect.map(|effect| store.field(effect, 0));
        match wait {
            Wait::One { link, sends } => {
                if let Some(target) = &first {
                    self.leave(store, target, link, sends);
                }
            }
            Wait::Many(many) => {
                let targets = first.as_ref().map_or(&[][..], |list| store.items(list));
                for (target, link) in targets.iter().zip(many.links) {
                    if let Some(link) = link {
                        self.leave(store, target, link, false);
                    }
                }
            }
            Wait::Promise(promise, link) => {
                if let Some(link) = link {
                    self.leave(store, &promise, link, false);
                }
                store.discard(promise);
            }
            Wait::Until(when) => self.alarms.unset(when),
            Wait::Inner => self.inner.leave(key),
            Wait::Errand(errand) => {
                self.leave(store, &errand.promise, errand.link, false);
                super::table::discard_errand(store, *errand);
            }
            Wait::Never => {}
        }
        if let Some(first) = first {
            store.discard(first);
        }
    }

    pub(super) fn open_scope(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let (seconds, shield) = (store.field(effect, 0), store.field(effect, 1));
        let limit = if store.is_unit(&seconds) { Some(f64::INFINITY) } else { store.float(&seconds) };
        let shields = store.flag(&shield).unwrap_or(false);
        store.discard(seconds);
        store.discard(shield);
        let Some(limit) = limit.filter(|limit| *limit >= 0.0) else {
            return Answer::Fault(Fault::Unfit(store.share(effect)));
        };
        self.scopes += 1;
        let (key, id) = (self.running, self.scopes);
        let handle = self.make(store, Thing::Scope { task: key, id });
        let deadline = self.alarms.set(self.clock.now(), limit, Alarm::Scope(key, id));
        if let Some(task) = self.tasks.get_mut(key) {
            let request = Request { asked: limit == 0.0, raised: false };
            let scope = Scope { handle: store.weak(&handle), id, deadline, shield: shields, request };
            task.scopes.push(scope);
        }
        Answer::Value(handle)
    }

    pub(super) fn close_scope(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let (key, id) = match self.pick(store, effect, scope) {
            Ok(found) => found,
            Err(refused) => return refused,
        };
        let (mut asked, now) = (false, self.clock.now());
        let is_open = self.tasks.get(key).is_some_and(|task| task.scopes.iter().any(|scope| scope.id == id));
        while is_open
            && let Some(task) = self.tasks.get_mut(key)
            && task.scopes.iter().any(|scope| scope.id >= id)
        {
            let Some(scope) = task.scopes.pop() else { break };
            asked = scope.request.asked;
            if let Some(when) = scope.deadline {
                asked |= when.time <= now;
                self.alarms.unset(when);
            }
            store.discard(scope.handle);
        }
        Answer::Value(store.make_flag(asked))
    }

    pub(super) fn cancel_scope(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        match self.pick(store, effect, scope) {
            Ok((key, id)) => {
                self.request_scope(store, key, id);
                Answer::Value(store.unit())
            }
            Err(refused) => refused,
        }
    }

    /// Asks a scope to end.
    pub(super) fn request_scope(&mut self, store: &mut dyn Store<W>, key: TaskKey, id: u64) {
        self.forget_lost(store, key);
        let scope = self.tasks.get_mut(key).and_then(|task| task.scopes.iter_mut().find(|scope| scope.id == id));
        if let Some(scope) = scope {
            scope.request.asked = true;
            self.deliver(store, key);
        }
    }

    /// When the next scope around the running task is cancelled; what is outside of a shield does not count.
    pub(super) fn deadline(&mut self, store: &mut dyn Store<W>) -> Answer<W> {
        let mut first = None;
        self.forget_lost(store, self.running);
        if let Some(task) = self.tasks.get(self.running) {
            for scope in task.scopes.iter().rev() {
                first = [first, scope.deadline].into_iter().flatten().min();
                if scope.shield {
                    break;
                }
            }
        }
        Answer::Value(store.make_float(first.map_or(f64::INFINITY, |when| self.clock.shown(when.time))))
    }
}

/// The task of a scope, and which of its scopes it is.
const fn scope<W: World>(thing: &Thing<W>) -> Option<(TaskKey, u64)> {
    if let Thing::Scope { task, id } = thing { Some((*task, *id)) } else { None }
}

/// Whether a program holds it.
fn is_held<W: World>(store: &mut dyn Store<W>, scope: &Scope<W>) -> bool {
    let held = store.strong(&scope.handle);
    let is_held = held.is_some();
    if let Some(held) = held {
        store.discard(held);
    }
    is_held
}
