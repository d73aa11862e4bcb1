//! Where runs take questions about how their tasks stand (semantics 7).
//!
//! A run that keeps its thread answers itself, where it looks for interrupts or idles. A VM that rests between two turns
//! is looked at where it lies.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::world::PyWorld;
use crate::core::mailbox::{Mailbox, locked};
use crate::core::native::Standing;

/// How the tasks of a run stand.
pub type Standings = Vec<Standing<PyWorld>>;

/// Where a run that keeps its thread takes questions.
pub struct Desk {
    run: Arc<Mailbox>,
    thread: ThreadId,
    /// Nobody answers any more when there is no list.
    questions: Mutex<Option<Vec<Question>>>,
}

/// Somebody asks how the tasks of a run stand.
pub struct Question(SyncSender<Standings>);

impl Question {
    /// Answers; who asked may have gone.
    pub fn answer(self, standings: Standings) {
        drop(self.0.try_send(standings));
    }
}

/// Those that can be asked.
struct Known {
    desks: Vec<Arc<Desk>>,
    /// By the numbers of their places, in the order in which they began.
    vms: BTreeMap<u64, Py<PyWeakrefReference>>,
    /// The number of the next place.
    next: u64,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { desks: Vec::new(), vms: BTreeMap::new(), next: 0 });

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run's place among those that can be asked, until it is dropped.
pub struct Seat(Arc<Desk>);

impl Seat {
    /// The run of that mailbox, on this thread, takes questions.
    #[must_use]
    pub fn take(run: &Arc<Mailbox>) -> Self {
        let desk = Desk { run: run.clone(), thread: thread::current().id(), questions: Mutex::new(Some(Vec::new())) };
        let desk = Arc::new(desk);
        known().desks.push(desk.clone());
        Self(desk)
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        locked(&self.0.questions).as_ref().is_some_and(|asked| !asked.is_empty())
    }

    /// What was asked.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        locked(&self.0.questions).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        known().desks.retain(|desk| !Arc::ptr_eq(desk, &self.0));
        // Those who asked too late are told by the end of their channel.
        drop(locked(&self.0.questions).take());
    }
}

/// A VM's place among those that can be asked, until it is dropped. The weak reference goes with it.
pub struct Resting(u64);

impl Resting {
    /// The VM of that weak reference rests between turns.
    #[must_use]
    pub fn take(vm: Py<PyWeakrefReference>) -> Self {
        let mut known = known();
        let place = known.next;
        known.next += 1;
        known.vms.insert(place, vm);
        Self(place)
    }
}

impl Drop for Resting {
    fn drop(&mut self) {
        let gone = known().vms.remove(&self.0);
        // With no lock held: its callback may be the last to hold what the VM held.
        drop(gone);
    }
}

/// In the child of a fork the other threads are gone, and their desks. The VMs are all there.
pub fn forked() {
    let here = thread::current().id();
    known().desks.retain(|desk| desk.thread == here);
}

/// What a question leads to.
pub enum Asked {
    /// It answers there.
    Waiting(Receiver<Standings>),
    /// It runs the code that asks.
    Here,
}

impl Desk {
    /// Asks how the tasks of the run stand.
    #[must_use]
    pub fn ask(&self) -> Asked {
        if self.thread == thread::current().id() {
            return Asked::Here;
        }
        let (answer, answered) = sync_channel(1);
        if let Some(questions) = &mut *locked(&self.questions) {
            questions.push(Question(answer));
        }
        self.run.ring();
        Asked::Waiting(answered)
    }
}

/// All that can be asked: runs that keep their threads, and VMs.
#[must_use]
pub fn all(py: Python<'_>) -> (Vec<Arc<Desk>>, Vec<Py<PyWeakrefReference>>) {
    let known = known();
    (known.desks.clone(), known.vms.values().map(|vm| vm.clone_ref(py)).collect())
}
