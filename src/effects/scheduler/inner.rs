//! Schedulers inside of tasks: one that idles leaves the turn to the others, and has it again when something may have
//! happened for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::table::{Stand, TaskKey, Wait, Wake};
use super::{Scheduler, TaskWorld};
use crate::core::native::{Continuation, Mailbox, Next, Store};

/// The tasks whose inner schedulers idle.
#[derive(Default)]
pub struct Inner {
    waiting: Vec<(TaskKey, Option<Instant>)>,
    run: Option<Arc<Mailbox>>,
    /// The rings of the bell that they know of.
    rings: u64,
}

impl Inner {
    /// Whose bell rings for them.
    pub fn listen_to(&mut self, run: &Arc<Mailbox>) {
        self.run = Some(Arc::clone(run));
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// That one idles no more.
    pub fn leave(&mut self, task: TaskKey) {
        self.waiting.retain(|(known, _)| *known != task);
    }

    /// How long until the first of them is to have its turn; `None` is until the bell rings.
    pub fn at_most(&self) -> Option<Duration> {
        let first = self.waiting.iter().filter_map(|(_, until)| *until).min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    /// Those that are to have their turn now.
    fn due(&mut self) -> Vec<TaskKey> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let rings = self.run.as_ref().map_or(0, |run| run.rings());
        let rang = std::mem::replace(&mut self.rings, rings) != rings;
        let now = Instant::now();
        let is_due = |until: Option<Instant>| rang || until.is_some_and(|until| until <= now);
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(_, until)| is_due(*until));
        self.waiting = waiting;
        let due: Vec<(TaskKey, Option<Instant>)> = due;
        due.into_iter().map(|(task, _)| task).collect()
    }
}

impl<W: TaskWorld> Scheduler<W> {
    /// A scheduler inside of the running task idles.
    pub(super) fn inner_idles(
        &mut self,
        store: &mut dyn Store<W>,
        body: Continuation,
        at_most: Option<Duration>,
    ) -> Next<W> {
        let key = self.running;
        let until = at_most.and_then(|at_most| Instant::now().checked_add(at_most));
        self.inner.waiting.push((key, until));
        self.wait(store, None, body, Wait::Inner)
    }

    /// Those whose inner schedulers may go on have their turn.
    pub(super) fn wake_inner(&mut self) {
        for key in self.inner.due() {
            if matches!(self.tasks.get(key).map(|task| &task.stand), Some(Stand::Waiting(Wait::Inner))) {
                self.wake(key, Wake::Turn);
            }
        }
    }
}
