//! The tasks of a scheduler: one record each, with one owner of its body, from the spawn to the end.

use std::time::Instant;

use thin_vec::ThinVec;

use super::time::When;
use super::waiters::Link;
use crate::core::host::World;
use crate::core::native::{Body, Held, Store};

/// A record of the table. It says which one, and whether it is still that one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TaskKey {
    place: u32,
    birth: u32,
}

impl TaskKey {
    #[cfg(test)]
    pub(super) fn numbered(place: u32) -> Self {
        Self { place, birth: 0 }
    }

    #[cfg(test)]
    pub(super) const fn place(self) -> u32 {
        self.place
    }
}

/// How a task that can run goes on.
pub enum Wake<W: World> {
    /// It starts.
    Start,
    /// It performs the effect before which it was preempted.
    Again,
    /// It had given way, and has its turn.
    Turn,
    /// With a value.
    Value(W::Value),
    /// With what this task or promise came to.
    Outcome(W::Value),
    /// With the results of all that it gathered.
    Gathered,
    /// With what the target in that place came to; those in these others failed after it.
    Decided(u32, ThinVec<u32>),
    /// It, or this scope of it, is cancelled.
    Cancelled(W::Value),
    /// This channel was closed.
    Closed(W::Value),
}

/// What several targets are waited for.
pub struct Many<W: World> {
    /// Where it stands in the lists of those that have not finished.
    pub links: Vec<Option<Link>>,
    /// How many those are.
    pub open: usize,
    /// The first to finish decides.
    pub first: bool,
    /// A failure cancels the others.
    pub cancels: bool,
    /// Decided: it waits only for the others to be unwound.
    pub verdict: Option<Wake<W>>,
}

impl<W: World> Many<W> {
    /// Whether one more that comes to a value decides nothing.
    pub const fn goes_on_waiting(&self) -> bool {
        self.open > 1 && !self.first && self.verdict.is_none()
    }

    /// The target in that place has settled.
    pub fn has_come(&mut self, slot: u32) {
        if let Some(link) = self.links.get_mut(slot as usize) {
            *link = None;
        }
        self.open -= 1;
    }
}

/// Something that is awaited for a task.
pub struct Errand<W: World> {
    /// What it comes to.
    pub promise: W::Value,
    /// What it is completed by.
    pub completer: W::Value,
    /// Where the task stands in the list of the promise.
    pub link: Link,
    /// The cancellation that it is to end by.
    pub cancelled: Option<(Due, W::Value)>,
}

/// What a task waits for; which thing it is says its effect.
pub enum Wait<W: World> {
    /// One thing; or to send, which is another list of the same thing.
    One {
        /// Where it stands in the list.
        link: Link,
        /// It waits to send.
        sends: bool,
    },
    /// Several.
    Many(Box<Many<W>>),
    /// A promise that is completed from outside.
    Promise(W::Value, Option<Link>),
    /// A time.
    Until(When),
    /// A scheduler inside of it idles.
    Inner,
    /// What somebody else's loop awaits for it.
    Errand(Box<Errand<W>>),
    /// Nothing that will come.
    Never,
}

/// Where a task stands. Each change of it is in one of `branched`, `wake`, `resume`, `wait` and `finish`.
pub enum Stand<W: World> {
    /// It runs.
    Running,
    /// It can run, and is in the queue.
    Ready(Wake<W>),
    /// It waits.
    Waiting(Wait<W>),
    /// It failed, as so many others did before, and nobody took note so far.
    Failed(u32),
}

/// Whether somebody asked to cancel, and whether that was raised.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Request {
    /// Somebody asked.
    pub asked: bool,
    /// It was raised.
    pub raised: bool,
}

impl Request {
    const fn is_due(self) -> bool {
        self.asked && !self.raised
    }
}

/// A stretch of a task that can be cancelled alone.
pub struct Scope<W: World> {
    /// Leads to the object that programs hold.
    pub handle: W::Value,
    /// Which of the task's scopes it is.
    pub id: u64,
    /// When it is cancelled.
    pub deadline: Option<When>,
    /// What is outside of it waits until it is closed.
    pub shield: bool,
    /// Its own cancellation.
    pub request: Request,
}

/// A task.
pub struct Task<W: World> {
    /// The object that programs hold; the root's is made when somebody asks.
    pub handle: Option<W::Value>,
    /// Its suspended body, while it does not run.
    pub body: Option<Body<W>>,
    /// Where it stands.
    pub stand: Stand<W>,
    /// The effect that it waits with.
    pub effect: Option<W::Value>,
    /// Since when it waits, when it is for something from outside of the run.
    pub since: Option<Instant>,
    /// Of those that can run, the highest runs first.
    pub priority: i64,
    /// Nobody minds when it does not finish.
    pub daemon: bool,
    /// It was asked to end because all of it ends.
    pub told: bool,
    /// Something was awaited for it.
    pub awaited: bool,
    /// How many were spawned before it.
    pub number: u32,
    /// Where it was spawned.
    pub origin: Option<W::Value>,
    /// The cancellation of all of it.
    pub request: Request,
    /// Its open scopes, innermost last.
    pub scopes: ThinVec<Scope<W>>,
}

/// Which cancellation of a task is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// That of all of it.
    Task,
    /// That of the scope in this place.
    Scope(usize),
}

impl<W: World> Task<W> {
    /// One that runs, the root; what is spawned says more.
    #[must_use]
    pub const fn root() -> Self {
        Self {
            handle: None,
            body: None,
            stand: Stand::Running,
            effect: None,
            since: None,
            priority: 0,
            daemon: false,
            awaited: false,
            told: false,
            number: 0,
            origin: None,
            request: Request { asked: false, raised: false },
            scopes: ThinVec::new(),
        }
    }

    /// Whether a cancellation of it, or of a scope of it, was asked for and not raised.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.request.is_due() || self.scopes.iter().any(|scope| scope.request.is_due())
    }

    /// Whether it has no scopes, and nobody asked to cancel it.
    #[must_use]
    pub fn is_left_alone(&self) -> bool {
        self.scopes.is_empty() && !self.request.asked
    }

    /// The cancellation to be raised where it waits: the outermost one that no shield keeps off.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        let mut due = None;
        for (place, scope) in self.scopes.iter().enumerate().rev() {
            if scope.request.is_due() {
                due = Some(Due::Scope(place));
            }
            if scope.shield {
                return due;
            }
        }
        if self.request.is_due() { Some(Due::Task) } else { due }
    }

    /// It is raised now; or not after all.
    pub fn set_raised(&mut self, due: Due, raised: bool) {
        let request = match due {
            Due::Task => Some(&mut self.request),
            Due::Scope(place) => self.scopes.get_mut(place).map(|scope| &mut scope.request),
        };
        if let Some(request) = request {
            request.raised = raised;
        }
    }
}

struct Slot<W: World> {
    birth: u32,
    task: Option<Task<W>>,
}

/// The tasks that live, and those whose failure nobody took note of.
pub struct Table<W: World> {
    slots: Vec<Slot<W>>,
    free: Vec<u32>,
}

impl<W: World> Default for Table<W> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<W: World> Table<W> {
    /// One more.
    ///
    /// # Panics
    /// When there are more than `u32::MAX`.
    pub fn add(&mut self, task: Task<W>) -> TaskKey {
        if let Some(place) = self.free.pop() {
            let slot = &mut self.slots[place as usize];
            slot.task = Some(task);
            return TaskKey { place, birth: slot.birth };
        }
        let place = u32::try_from(self.slots.len()).expect("a scheduler has fewer than 2^32 tasks");
        self.slots.push(Slot { birth: 0, task: Some(task) });
        TaskKey { place, birth: 0 }
    }

    /// The key that the next one gets.
    #[must_use]
    pub fn next_key(&self) -> TaskKey {
        match self.free.last() {
            Some(place) => TaskKey { place: *place, birth: self.slots[*place as usize].birth },
            None => TaskKey { place: u32::try_from(self.slots.len()).unwrap_or(u32::MAX), birth: 0 },
        }
    }

    /// The task, while it is in the table.
    pub fn get_mut(&mut self, key: TaskKey) -> Option<&mut Task<W>> {
        let slot = self.slots.get_mut(key.place as usize)?;
        if slot.birth == key.birth { slot.task.as_mut() } else { None }
    }

    /// The task, while it is in the table.
    #[must_use]
    pub fn get(&self, key: TaskKey) -> Option<&Task<W>> {
        let slot = self.slots.get(key.place as usize)?;
        if slot.birth == key.birth { slot.task.as_ref() } else { None }
    }

    /// Takes it out.
    pub fn remove(&mut self, key: TaskKey) -> Option<Task<W>> {
        let slot = self.slots.get_mut(key.place as usize)?;
        if slot.birth != key.birth {
            return None;
        }
        let task = slot.task.take()?;
        slot.birth = slot.birth.wrapping_add(1);
        self.free.push(key.place);
        Some(task)
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (TaskKey, &Task<W>)> {
        self.slots.iter().enumerate().filter_map(|(place, slot)| {
            let place = u32::try_from(place).ok()?;
            Some((TaskKey { place, birth: slot.birth }, slot.task.as_ref()?))
        })
    }

    /// Those that have not finished, in the order in which they were spawned.
    #[must_use]
    pub fn living(&self) -> Vec<TaskKey> {
        let living = self.iter().filter(|(_, task)| !matches!(task.stand, Stand::Failed(_)));
        let mut living: Vec<_> = living.map(|(key, task)| (task.number, key)).collect();
        living.sort_unstable_by_key(|(number, _)| *number);
        living.into_iter().map(|(_, key)| key).collect()
    }
}

/// Hands what a record holds to the host.
pub fn discard<W: World>(store: &mut dyn Store<W>, task: Task<W>) {
    let Task { handle, body, stand, effect, origin, mut scopes, .. } = task;
    if let Some(handle) = handle {
        store.discard(handle);
    }
    if let Some(effect) = effect {
        store.discard(effect);
    }
    if let Some(origin) = origin {
        store.discard(origin);
    }
    if let Some(body) = body {
        body.into_values().for_each(|value| store.discard(value));
    }
    while let Some(scope) = scopes.pop() {
        store.discard(scope.handle);
    }
    match stand {
        Stand::Ready(wake) => discard_wake(store, wake),
        Stand::Waiting(Wait::Many(many)) => {
            if let Some(wake) = many.verdict {
                discard_wake(store, wake);
            }
        }
        Stand::Waiting(Wait::Errand(errand)) => discard_errand(store, *errand),
        Stand::Waiting(Wait::Promise(promise, _)) => store.discard(promise),
        Stand::Running | Stand::Waiting(_) | Stand::Failed(_) => {}
    }
}

/// Hands what an errand holds to the host.
pub fn discard_errand<W: World>(store: &mut dyn Store<W>, errand: Errand<W>) {
    store.discard(errand.promise);
    store.discard(errand.completer);
    if let Some((_, scope)) = errand.cancelled {
        store.discard(scope);
    }
}

/// Shows what a task goes on with.
pub fn show_wake<W: World>(wake: &Wake<W>, see: &mut dyn FnMut(Held<'_, W>)) {
    match wake {
        Wake::Value(value) | Wake::Outcome(value) | Wake::Cancelled(value) | Wake::Closed(value) => {
            see(Held::Value(value));
        }
        Wake::Start | Wake::Again | Wake::Turn | Wake::Gathered | Wake::Decided(..) => {}
    }
}

fn discard_wake<W: World>(store: &mut dyn Store<W>, wake: Wake<W>) {
    match wake {
        Wake::Value(value) | Wake::Outcome(value) | Wake::Cancelled(value) | Wake::Closed(value) => {
            store.discard(value);
        }
        Wake::Start | Wake::Again | Wake::Turn | Wake::Gathered | Wake::Decided(..) => {}
    }
}
