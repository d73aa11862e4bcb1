//! What the machine asks of the scheduler.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::clause::{CLAUSES, Clause};
use super::handle::{Inbox, Settling, Thing};
use super::table::{Stand, Task, Wait, Wake};
use super::{Options, Scheduler, TaskWorld};
use crate::core::fault::{Fault, Unobserved};
use crate::core::ids::ClauseId;
use crate::core::native::{
    Answer, AtOnce, Body, Continuation, Held, Native, Next, Resumption, Standing, Store, Surroundings,
};

impl<W: TaskWorld> Native<W> for Scheduler<W> {
    fn holds_bodies(&self) -> bool {
        true
    }

    fn opened(&mut self, around: &Surroundings<'_>) {
        self.inbox = Some(Arc::new(Inbox::new(around.run.clone())));
        self.tally = Some(around.tally.clone());
        self.driven = around.driven;
        self.inner.listen_to(around.run);
        self.root = self.tasks.add(Task::root());
        self.running = self.root;
    }

    fn slice(&self) -> Option<NonZeroU64> {
        self.slice
    }

    fn answer(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Answer<W> {
        let clause = CLAUSES[clause.index()];
        self.asked = clause;
        match clause {
            Clause::Spawn => self.spawn(store, effect),
            Clause::Wait => self.wait_for(store, effect),
            Clause::Gather | Clause::Race => self.wait_for_many(store, effect, clause == Clause::Race),
            Clause::Cancel => self.cancel(store, effect),
            Clause::Yield if self.is_alone() => Answer::Value(store.unit()),
            Clause::Yield => Answer::Suspend,
            Clause::CurrentTask => Answer::Value(self.handle_of(store, self.running)),
            Clause::CreatePromise | Clause::CreateExternalPromise => {
                self.create_promise(store, clause == Clause::CreateExternalPromise)
            }
            Clause::CompletePromise | Clause::FailPromise => {
                self.complete_promise(store, effect, clause == Clause::FailPromise)
            }
            Clause::CreateSemaphore => self.create_semaphore(store, effect),
            Clause::CreateLock => Answer::Value(self.make(store, Thing::Lock { owner: None, waiters: None })),
            Clause::Acquire => self.acquire(store, effect),
            Clause::Release => self.release_permit(store, effect),
            Clause::CreateEvent => Answer::Value(self.make(store, Thing::Event { set: false, waiters: None })),
            Clause::SetEvent | Clause::ClearEvent => self.set_event(store, effect, clause == Clause::SetEvent),
            Clause::CreateChannel => self.create_channel(store, effect),
            Clause::Send => self.send(store, effect),
            Clause::Receive => self.receive(store, effect),
            Clause::CloseChannel => self.close_channel(store, effect),
            Clause::Sleep => Self::sleep(store, effect),
            Clause::Now => Answer::Value(store.make_float(self.clock.shown(self.clock.now()))),
            Clause::Deadline => self.deadline(store),
            Clause::OpenScope => self.open_scope(store, effect),
            Clause::CloseScope => self.close_scope(store, effect),
            Clause::CancelScope => self.cancel_scope(store, effect),
            Clause::Await if self.driven => Answer::Suspend,
            Clause::Await => Answer::Forward,
        }
    }

    fn reply(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Option<AtOnce<W>> {
        match CLAUSES[clause.index()] {
            Clause::Spawn => self.spawn_at_once(store, effect).map(AtOnce::Branch),
            _ => None,
        }
    }

    fn suspended(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation) -> Next<W> {
        if self.running == self.root
            && let Some(error) = self.interruption.take()
        {
            self.discard_unanswered(store, effect);
            return Next::Resume(body.into(), Resumption::Error(error));
        }
        let many = matches!(self.asked, Clause::Gather | Clause::Race);
        if !many && let Some(scope) = self.take_due(store, self.running) {
            self.discard_unanswered(store, effect);
            return Next::Refuse(body.into(), Fault::Cancelled(scope));
        }
        let wait = match self.asked {
            Clause::Gather | Clause::Race => match self.join_all(store, &effect) {
                Ok(wait) => wait,
                Err(wake) => return self.go_on(store, effect, body, wake),
            },
            Clause::Wait => match self.promise_behind(store, &effect) {
                // Whoever waits does not keep the one who is to complete it.
                Some(promise) => {
                    let link = self.join(store, &promise, 0);
                    store.discard(effect);
                    return self.wait(store, None, body, Wait::Promise(promise, link));
                }
                None => self.join_one(store, &effect),
            },
            Clause::Sleep => match self.until(store, &effect) {
                Wait::Until(when) if when.time <= self.clock.now() => {
                    self.alarms.unset(when);
                    return self.give_way(store, effect, body);
                }
                wait => wait,
            },
            Clause::Yield => return self.give_way(store, effect, body),
            Clause::Await => self.send_out(store, &effect),
            _ => self.join_one(store, &effect),
        };
        self.wait(store, Some(effect), body, wait)
    }

    fn preempted(&mut self, store: &mut dyn Store<W>, body: Continuation) -> Next<W> {
        if let Some(scope) = self.take_due(store, self.running) {
            return Next::Refuse(body.into(), Fault::Cancelled(scope));
        }
        if let Some(task) = self.tasks.get_mut(self.running) {
            task.body = Some(body.into());
        }
        self.wake(self.running, Wake::Again);
        self.next(store)
    }

    fn idles(&mut self, store: &mut dyn Store<W>, body: Continuation, at_most: Option<Duration>) -> Next<W> {
        self.inner_idles(store, body, at_most)
    }

    fn closing(&mut self) {
        self.driven = false;
    }

    fn interrupt(&mut self, error: W::Error) -> Result<Option<W::Error>, W::Error> {
        let is_over = self.tasks.get(self.root).is_none();
        let is_free =
            if self.driven { !is_over || self.ending.is_some() } else { !is_over && self.interruption.is_none() };
        if self.running == self.root || !is_free {
            return Err(error);
        }
        Ok(self.interruption.replace(error))
    }

    fn stalled(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation) -> Next<W> {
        self.stalled.push(self.running);
        self.wait(store, Some(effect), body, Wait::Never)
    }

    fn unstalled(&mut self) {
        for key in std::mem::take(&mut self.stalled) {
            if self.tasks.get(key).is_some_and(|task| matches!(task.stand, Stand::Waiting(Wait::Never))) {
                self.wake(key, Wake::Again);
            }
        }
    }

    fn branched(
        &mut self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        body: Body<W>,
        place: Option<W::Value>,
    ) -> W::Value {
        let Some(Options { name, priority, daemon }) = Options::of(store, effect) else {
            unreachable!("who spawns was asked before");
        };
        self.spawned = self.spawned.wrapping_add(1);
        if let Some(tally) = &self.tally {
            tally.task_began();
        }
        let (key, number) = (self.tasks.next_key(), self.spawned);
        let name = name.map(|name| store.share(name));
        let handle = self.make(store, Thing::Task { key, name, number, settling: Settling::default() });
        let task = Task {
            handle: Some(store.share(&handle)),
            body: Some(body),
            stand: Stand::Ready(Wake::Start),
            priority,
            daemon,
            number,
            origin: place,
            ..Task::root()
        };
        let key = self.tasks.add(task);
        self.ready.push(key, priority);
        handle
    }

    fn ended(&mut self, store: &mut dyn Store<W>, outcome: Result<W::Value, W::Error>) -> Next<W> {
        self.body_ended(store, outcome);
        self.next(store)
    }

    fn woken(&mut self, store: &mut dyn Store<W>, how: Result<(), W::Error>) -> Next<W> {
        match how {
            Ok(()) => self.next(store),
            Err(error) => self.interrupted(store, error),
        }
    }

    fn holds(&self, see: &mut dyn FnMut(&Continuation)) {
        for (_, task) in self.tasks.iter() {
            if let Some(chain) = task.body.as_ref().and_then(Body::chain) {
                see(chain);
            }
        }
    }

    fn standings(&mut self, store: &mut dyn Store<W>, all: &mut Vec<Standing<W>>) {
        self.all_standings(store, all);
    }

    fn running(&mut self, store: &mut dyn Store<W>) -> Option<W::Value> {
        let runs = self.tasks.get(self.running).is_some_and(|task| matches!(task.stand, Stand::Running));
        runs.then(|| self.handle_of(store, self.running))
    }

    fn unobserved(&mut self, store: &mut dyn Store<W>) -> Vec<Unobserved<W>> {
        self.unobserved_failures(store)
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        self.show(see);
    }

    fn release(self: Box<Self>, store: &mut dyn Store<W>) {
        (*self).let_go(store);
    }
}
