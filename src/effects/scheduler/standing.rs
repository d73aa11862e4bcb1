//! Who stands how, for those who ask (semantics 7).

use std::time::Instant;

use super::table::{Stand, TaskKey, Wait, Wake};
use super::{Scheduler, TaskWorld};
use crate::core::host::World;
use crate::core::native::{Body, Impulse, Stance, Standing, Store};

const fn impulse<W: World>(wake: &Wake<W>) -> Impulse {
    match wake {
        Wake::Start => Impulse::Spawned,
        Wake::Turn => Impulse::GaveWay,
        Wake::Again => Impulse::Preempted,
        Wake::Cancelled(_) => Impulse::Cancelled,
        Wake::Value(_) | Wake::Outcome(_) | Wake::Gathered | Wake::Decided(..) | Wake::Closed(_) => Impulse::Answered,
    }
}

impl<W: TaskWorld> Scheduler<W> {
    /// How a task stands.
    pub(super) fn standing_of(&mut self, store: &mut dyn Store<W>, key: TaskKey) -> Option<Standing<W>> {
        let handle = self.handle_of(store, key);
        let task = self.tasks.get(key)?;
        let stance = match &task.stand {
            Stand::Running => Stance::Running,
            Stand::Ready(wake) => Stance::Ready(impulse(wake)),
            Stand::Failed(_) => Stance::Failed,
            Stand::Waiting(wait) => match (&task.effect, wait) {
                (Some(effect), _) => Stance::Waiting(store.share(effect)),
                (None, Wait::Promise(promise, _)) => Stance::Waiting(store.share(promise)),
                // A scheduler of its own has the turn, and nobody there can go on.
                (None, _) => Stance::Waiting(store.unit()),
            },
        };
        let mut standing = Standing::new(self.me, handle, stance, task.body.as_ref().and_then(Body::chain));
        if matches!(task.stand, Stand::Waiting(_)) {
            standing.since = task.since;
        }
        standing.origin = task.origin.as_ref().map(|origin| store.share(origin));
        Some(standing)
    }

    /// The tasks that have not finished, in the order in which they were spawned; then those whose failure nobody noted.
    pub(super) fn all_standings(&mut self, store: &mut dyn Store<W>, all: &mut Vec<Standing<W>>) {
        let failed = |task: &super::table::Task<W>| matches!(task.stand, Stand::Failed(_));
        let mut keys: Vec<_> = self.tasks.iter().map(|(key, task)| (failed(task), task.number, key)).collect();
        keys.sort_unstable_by_key(|(failed, number, _)| (*failed, *number));
        for (_, _, key) in keys {
            all.extend(self.standing_of(store, key));
        }
    }

    /// What somebody waits for comes from outside of the run: since now.
    pub(super) fn waits_outside(&mut self) {
        self.external += 1;
        self.since = Some(Instant::now());
    }
}
