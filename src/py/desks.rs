//! Where runs take questions about how their tasks stand (semantics 7).
//!
//! A run that keeps its thread answers itself, where it looks for interrupts or idles. A VM that rests between two turns
//! is looked at where it lies.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

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
#[derive(Default)]
struct Known {
    desks: Vec<Arc<Desk>>,
    vms: Vec<Py<PyWeakrefReference>>,
    /// How many VMs there may be before those that are gone are looked for.
    room: usize,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { desks: Vec::new(), vms: Vec::new(), room: 0 });
/// The fewest VMs among which those that are gone are looked for.
const FEW: usize = 64;

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

/// The VM of that weak reference rests between turns.
pub fn rests(py: Python<'_>, vm: Py<PyWeakrefReference>) {
    let many = {
        let mut known = known();
        known.vms.push(vm);
        if known.vms.len() <= known.room {
            return;
        }
        std::mem::take(&mut known.vms)
    };
    // With no lock held: whoever holds a VM for a moment may be the last, and closes it.
    let (live, _gone): (Vec<_>, Vec<_>) = many.into_iter().partition(|vm| vm.bind(py).upgrade().is_some());
    let mut known = known();
    known.vms.extend(live);
    known.room = FEW.max(known.vms.len() * 2);
}

/// In the child of a fork the other threads are gone.
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
    (known.desks.clone(), known.vms.iter().map(|vm| vm.clone_ref(py)).collect())
}
