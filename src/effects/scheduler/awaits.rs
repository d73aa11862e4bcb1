//! What somebody else's loop awaits for a task: an errand, and a promise that it completes (semantics 8).

use super::clause::Clause;
use super::handle::{Settling, Thing};
use super::table::{Due, Errand, Stand, TaskKey, Wait, Wake, discard_errand};
use super::waiters::Waiter;
use super::{Scheduler, TaskWorld};
use crate::core::native::{self, Store};

impl<W: TaskWorld> Scheduler<W> {
    /// The running task waits for what is awaited.
    pub(super) fn send_out(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Wait<W> {
        let Some(inbox) = self.inbox.clone() else { return Wait::Never };
        let key = self.running;
        let mut settling = Settling::default();
        let link = self.waiters.join(&mut settling.waiters, Waiter { task: key, slot: 0 });
        self.waits_outside();
        let promise = self.make(store, Thing::Promise { external: true, settling });
        let thing = Thing::Completer { promise: store.share(&promise), used: false, inbox };
        let completer = self.make(store, thing);
        let task = self.told_as(store, key);
        if let Some(record) = self.tasks.get_mut(key) {
            record.awaited = true;
        }
        let (awaitable, given) = (store.field(effect, 0), store.share(&completer));
        store.send(native::Errand::Await { awaitable, completer: given, task });
        Wait::Errand(Box::new(Errand { promise, completer, link, cancelled: None }))
    }

    /// The effect that the running task waits with is not answered: what it was to await is not begun.
    pub(super) fn discard_unanswered(&self, store: &mut dyn Store<W>, effect: W::Value) {
        if self.asked == Clause::Await {
            let awaitable = store.field(&effect, 0);
            store.discard_awaitable(awaitable);
        }
        store.discard(effect);
    }

    /// A task that awaits is cancelled: what is awaited ends first, in its own way.
    pub(super) fn recall(&mut self, store: &mut dyn Store<W>, key: TaskKey, due: Due, scope: W::Value) {
        let Some(Stand::Waiting(Wait::Errand(errand))) = self.tasks.get_mut(key).map(|task| &mut task.stand) else {
            return store.discard(scope);
        };
        let completer = store.share(&errand.completer);
        if let Some((_, earlier)) = errand.cancelled.replace((due, scope)) {
            store.discard(earlier);
        }
        let task = self.told_as(store, key);
        store.send(native::Errand::Cancel { completer, task });
    }

    /// A task as whoever drives the run knows it: the root is not told.
    fn told_as(&mut self, store: &mut dyn Store<W>, key: TaskKey) -> Option<W::Value> {
        (key != self.root).then(|| self.handle_of(store, key))
    }

    /// What was awaited came to something.
    pub(super) fn returned(&mut self, store: &mut dyn Store<W>, key: TaskKey, errand: Errand<W>, cancelled: bool) {
        let mut errand = errand;
        let wake = match errand.cancelled.take() {
            Some((_, scope)) if cancelled => Wake::Cancelled(scope),
            Some((due, scope)) => {
                // It ended otherwise: what it came to is not lost, and the cancellation is raised at the next wait.
                if let Some(task) = self.tasks.get_mut(key) {
                    task.set_raised(due, false);
                }
                store.discard(scope);
                Wake::Outcome(store.share(&errand.promise))
            }
            None => Wake::Outcome(store.share(&errand.promise)),
        };
        discard_errand(store, errand);
        self.wake(key, wake);
    }
}
