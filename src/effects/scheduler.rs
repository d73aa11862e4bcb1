//! The scheduler: tasks, promises, locks, channels and time, on the core's public interface (semantics 7).
//!
//! ```text
//!             spawn                        resume
//!   effect ──────────► Ready ◄───────────────────────► Running ──► finished: the outcome goes to the handle
//!                        ▲   wake                        │
//!                        └──────────── Waiting ◄─────────┘ wait
//! ```
//!
//! A task is one record with one owner of its body. Whoever waits stands in the list of what it waits for, and leaves it
//! in O(1) when it is cancelled; `wake` is the only way back to the queue. What a task came to goes to the object that
//! programs hold, and the record is free: the table holds what has not finished, and failures nobody took note of.

mod awaits;
mod cancel;
mod clause;
mod ending;
mod gather;
mod handle;
mod inner;
mod native;
mod ready;
mod standing;
mod sync;
mod table;
mod time;
mod waiters;
mod waits;

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use handle::{Handle, Inbox, Settled, Settling, Thing};
pub use time::Clock;

use crate::core::fault::{Bound, Fault, Place};
use crate::core::host::World;
use crate::core::native::{Answer, Continuation, Next, Resumption, Seen, Store, Tally};
use clause::Clause;
use inner::Inner;
use ready::Ready;
use table::{Stand, Table, TaskKey, Wait, Wake};
use time::{Alarm, Alarms};
use waiters::Waiters;

/// A world with tasks: what native handlers make in it are handles of schedulers.
pub trait TaskWorld: World<Object = Handle<Self>, Value: Send, Error: Send> {}

impl<W: World<Object = Handle<W>, Value: Send, Error: Send>> TaskWorld for W {}

/// How a scheduler is set up.
#[derive(Default)]
pub struct Settings {
    /// The order of those that can run is drawn from this.
    pub seed: Option<u64>,
    /// After how many effects a task gives way.
    pub slice: Option<NonZeroU64>,
    /// What its clock shows when it begins; without, it is the wall's.
    pub virtual_start: Option<f64>,
}

/// What is not a handle that an effect can work on.
enum Not {
    /// It belongs to another scheduler.
    Ours,
    /// It is nothing of the kind.
    Fit,
}

type Found<'v, W> = Result<&'v Handle<W>, Not>;

/// What a `Spawn` says of its task.
struct Options<'v, W: World> {
    name: Option<&'v W::Value>,
    priority: i64,
    daemon: bool,
}

impl<'v, W: World> Options<'v, W> {
    /// Those of the effect, if it says them well.
    fn of(store: &dyn Store<W>, effect: &'v W::Value) -> Option<Self> {
        let [_, name, priority, daemon, ..] = store.fields(effect) else { return None };
        let name = (!store.is_unit(name)).then_some(name);
        if !name.is_none_or(|name| store.is_text(name)) {
            return None;
        }
        Some(Self { name, priority: store.integer(priority)?, daemon: store.flag(daemon)? })
    }
}

/// What all of it comes to, when the others are unwound.
struct Ending<W: World> {
    outcome: Result<W::Value, W::Error>,
    /// How far the root's error had come: others may raise it again meanwhile.
    trace: Option<W::Value>,
    /// The root was cancelled: that is told instead.
    cancelled: bool,
}

/// One installation of `scheduler`.
pub struct Scheduler<W: World> {
    me: u64,
    tasks: Table<W>,
    root: TaskKey,
    running: TaskKey,
    ready: Ready,
    waiters: Waiters,
    alarms: Alarms,
    clock: Clock,
    slice: Option<NonZeroU64>,
    /// What the last effect that suspends was for.
    asked: Clause,
    /// Those that have schedulers of their own, which idle.
    inner: Inner,
    /// Those that wait for what another task computes.
    stalled: Vec<TaskKey>,
    /// Those that are to be asked to end, and whether they are being asked.
    to_cancel: VecDeque<TaskKey>,
    cancelling: bool,
    inbox: Option<Arc<Inbox<W>>>,
    tally: Option<Arc<Tally>>,
    /// Those that wait for external promises.
    external: usize,
    /// Since when the one who is about to wait does, when it is for something from outside.
    since: Option<Instant>,
    /// Somebody else's loop drives the run.
    driven: bool,
    /// What interrupted the run while the root did not wait.
    interruption: Option<W::Error>,
    /// The root can run, and is kept back.
    root_kept: bool,
    spawned: u32,
    settled: u32,
    scopes: u64,
    /// What the root, or who broke off, came to; the others are being unwound.
    ending: Option<Ending<W>>,
    /// How many of those who were asked to end did not yet.
    told: usize,
    /// What an earlier end came to, and tasks that still ran at the end.
    replaced: Vec<W::Error>,
    unfinished: Vec<(W::Value, Option<W::Value>)>,
}

/// Schedulers of this process: each has a number of its own.
static SCHEDULERS: AtomicU64 = AtomicU64::new(0);

impl<W: World> Scheduler<W> {
    /// A scheduler without tasks.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            me: SCHEDULERS.fetch_add(1, Ordering::Relaxed),
            tasks: Table::default(),
            root: TaskKey::default(),
            running: TaskKey::default(),
            ready: Ready::new(settings.seed),
            waiters: Waiters::default(),
            alarms: Alarms::default(),
            clock: settings.virtual_start.map_or_else(Clock::wall, Clock::starting_at),
            slice: settings.slice,
            asked: Clause::Yield,
            inner: Inner::default(),
            stalled: Vec::new(),
            to_cancel: VecDeque::new(),
            cancelling: false,
            inbox: None,
            tally: None,
            external: 0,
            since: None,
            driven: false,
            interruption: None,
            root_kept: false,
            spawned: 0,
            settled: 0,
            scopes: 0,
            ending: None,
            told: 0,
            replaced: Vec::new(),
            unfinished: Vec::new(),
        }
    }
}

impl<W: TaskWorld> Scheduler<W> {
    /// The handle in a value, when it is one of this scheduler.
    fn ours<'v>(&self, store: &dyn Store<W>, value: &'v W::Value) -> Found<'v, W> {
        match store.object(value) {
            Seen::Object(handle) if handle.scheduler == self.me => Ok(handle),
            Seen::Object(_) | Seen::Foreign => Err(Not::Ours),
            Seen::Other => Err(Not::Fit),
        }
    }

    /// The answer to an effect that holds something else than it should.
    fn refuse(store: &dyn Store<W>, effect: &W::Value, not: &Not) -> Answer<W> {
        match not {
            Not::Ours => Answer::Forward,
            Not::Fit => Answer::Fault(Fault::Unfit(store.share(effect))),
        }
    }

    fn make(&self, store: &mut dyn Store<W>, thing: Thing<W>) -> W::Value {
        store.make_object(Handle::new(self.me, thing))
    }

    /// Works on the handle in the first field of an effect.
    fn on_handle(
        &mut self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        work: impl FnOnce(&mut Self, &mut dyn Store<W>, &W::Value, &Handle<W>) -> Result<Answer<W>, Not>,
    ) -> Answer<W> {
        let value = store.field(effect, 0);
        let answer = match self.ours(store, &value) {
            Ok(handle) => work(self, store, &value, handle),
            Err(not) => Err(not),
        };
        store.discard(value);
        answer.unwrap_or_else(|not| Self::refuse(store, effect, &not))
    }

    /// What `find` finds in the handle that is the first field of an effect; or how the effect is refused.
    fn pick<T>(
        &self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        find: impl FnOnce(&Thing<W>) -> Option<T>,
    ) -> Result<T, Answer<W>> {
        let value = store.field(effect, 0);
        let found = self.ours(store, &value).and_then(|handle| find(&handle.thing()).ok_or(Not::Fit));
        store.discard(value);
        found.map_err(|not| Self::refuse(store, effect, &not))
    }

    fn spawn(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        if let Some(program) = self.spawn_at_once(store, effect) {
            return Answer::Branch(program);
        }
        let program = store.field(effect, 0);
        if !store.is_program(&program) {
            return Answer::Fault(Fault::NotProgram(program, Place::Node));
        }
        store.discard(program);
        Answer::Fault(match Options::of(store, effect) {
            Some(_) => Fault::Exceeded(Bound::Tasks),
            None => Fault::Unfit(store.share(effect)),
        })
    }

    /// The program to spawn, if nothing is wrong.
    fn spawn_at_once(&self, store: &dyn Store<W>, effect: &W::Value) -> Option<W::Value> {
        let program = store.fields(effect).first()?;
        let fits = store.is_program(program) && Options::of(store, effect).is_some() && self.permits_task();
        fits.then(|| store.share(program))
    }

    fn permits_task(&self) -> bool {
        self.tally.as_ref().is_none_or(|tally| tally.permits_task())
    }

    /// The object that programs hold; the root's is made now.
    fn handle_of(&mut self, store: &mut dyn Store<W>, key: TaskKey) -> W::Value {
        let known = self.tasks.get(key).and_then(|task| task.handle.as_ref()).map(|handle| store.share(handle));
        known.unwrap_or_else(|| {
            let thing = Thing::Task { key, name: None, number: 0, settling: Settling::default() };
            let handle = self.make(store, thing);
            if let Some(task) = self.tasks.get_mut(key) {
                task.handle = Some(store.share(&handle));
            }
            handle
        })
    }

    /// The only way from waiting to the queue.
    fn wake(&mut self, key: TaskKey, wake: Wake<W>) {
        if let Some(task) = self.tasks.get_mut(key) {
            task.stand = Stand::Ready(wake);
            self.ready.push(key, task.priority);
        }
    }

    fn root_waits(&self) -> bool {
        self.tasks.get(self.root).is_some_and(|task| matches!(task.stand, Stand::Waiting(_)))
    }

    /// Who goes on now.
    fn next(&mut self, store: &mut dyn Store<W>) -> Next<W> {
        loop {
            self.listen(store);
            if self.root_kept && !store.keeps_root() {
                self.root_kept = false;
                // One that waits is to be told that all hang.
                if self.tasks.get(self.root).is_some_and(|task| matches!(task.stand, Stand::Ready(_))) {
                    self.ready.push_first(self.root);
                }
            }
            if self.interruption.is_some() && self.root_waits() {
                if self.driven && store.keeps_root() {
                    // It is raised where the root is.
                    return Next::Idle(Some(Duration::ZERO));
                }
                if let Some(error) = self.interruption.take() {
                    return self.interrupted(store, error);
                }
            }
            if let Some(key) = self.ready.pop() {
                if key == self.root && self.driven && store.keeps_root() {
                    self.root_kept = true;
                    continue;
                }
                match self.resume(store, key) {
                    Some(next) => return next,
                    None => continue,
                }
            }
            if let Some(next) = self.nobody_runs(store) {
                return next;
            }
        }
    }

    /// What arrived from outside, and whose time has come.
    fn listen(&mut self, store: &mut dyn Store<W>) {
        if let Some(letters) = self.inbox.as_ref().and_then(|inbox| inbox.read()) {
            for (promise, settled) in letters {
                self.arrived(store, promise, settled);
            }
        }
        if !self.inner.is_empty() {
            self.wake_inner();
        }
        if self.alarms.next().is_some() {
            let now = self.clock.now();
            self.ring(store, now);
        }
    }

    fn ring(&mut self, store: &mut dyn Store<W>, now: Duration) {
        while let Some(alarm) = self.alarms.due(now) {
            match alarm {
                Alarm::Sleeper(key) => {
                    let unit = store.unit();
                    self.wake(key, Wake::Value(unit));
                }
                Alarm::Scope(key, id) => self.request_scope(store, key, id),
            }
        }
    }

    /// Nobody can run: time passes, something arrives, all is over, or all hang.
    fn nobody_runs(&mut self, store: &mut dyn Store<W>) -> Option<Next<W>> {
        if let Some(next) = self.end(store) {
            return Some(next);
        }
        if !self.ready.is_empty() {
            return None;
        }
        if self.root_kept {
            return Some(Next::Idle(Some(Duration::ZERO)));
        }
        let others = self.external > 0 || !self.inner.is_empty();
        let alarm = match self.alarms.next() {
            Some(time) if !others && self.clock.jump(time) => return None,
            Some(time) if !self.clock.stands_still() => Some(time.saturating_sub(self.clock.now())),
            _ => None,
        };
        if others || alarm.is_some() {
            return Some(Next::Idle([alarm, self.inner.at_most()].into_iter().flatten().min()));
        }
        if self.driven && store.keeps_root() {
            // What comes now is for the root.
            self.root_kept = true;
            return Some(Next::Idle(Some(Duration::ZERO)));
        }
        if self.let_one_go(store) {
            return None;
        }
        Some(self.deadlock(store))
    }

    /// A task has its turn.
    fn resume(&mut self, store: &mut dyn Store<W>, key: TaskKey) -> Option<Next<W>> {
        let task = self.tasks.get_mut(key)?;
        let Stand::Ready(wake) = std::mem::replace(&mut task.stand, Stand::Running) else { return None };
        let body = task.body.take()?;
        let effect = task.effect.take();
        self.running = key;
        let outcome = match wake {
            Wake::Start => return Some(Next::Start(body)),
            Wake::Again => {
                // Who stalled performs its effect again, from where it waits.
                if let Some(effect) = effect {
                    store.discard(effect);
                }
                return Some(Next::Again(body));
            }
            Wake::Turn => Ok(store.unit()),
            Wake::Value(value) => Ok(value),
            Wake::Outcome(handle) => {
                let outcome = self.outcome(store, &handle);
                store.discard(handle);
                outcome
            }
            Wake::Gathered => self.results(store, effect.as_ref()),
            Wake::Decided(slot, later) => self.decided(store, effect.as_ref(), slot, &later),
            Wake::Cancelled(scope) => Err(Fault::Cancelled(scope)),
            Wake::Closed(channel) => Err(Fault::ChannelClosed(channel)),
        };
        if let Some(effect) = effect {
            store.discard(effect);
        }
        Some(match outcome {
            Ok(value) => Next::Resume(body, Resumption::Value(value)),
            Err(fault) => Next::Refuse(body, fault),
        })
    }

    /// Whether nobody else can run, and nothing is to be looked at.
    fn is_alone(&self) -> bool {
        self.ready.is_empty()
            && self.alarms.next().is_none()
            && self.inbox.as_ref().is_none_or(|inbox| inbox.is_empty())
            && self.interruption.is_none()
            && self.is_unbothered()
    }

    /// The running task waits; somebody else goes on.
    fn wait(
        &mut self,
        store: &mut dyn Store<W>,
        effect: Option<W::Value>,
        body: Continuation,
        wait: Wait<W>,
    ) -> Next<W> {
        let key = self.running;
        if let Some(task) = self.tasks.get_mut(key) {
            task.body = Some(body.into());
            task.effect = effect;
            task.since = self.since.take();
            task.stand = Stand::Waiting(wait);
        }
        // One that was cancelled before it gathers cancels what it gathers.
        self.deliver(store, key);
        self.cancel_all(store);
        self.next(store)
    }

    /// The running task need not wait after all.
    fn go_on(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation, wake: Wake<W>) -> Next<W> {
        if let Some(task) = self.tasks.get_mut(self.running) {
            task.body = Some(body.into());
            task.effect = Some(effect);
            task.stand = Stand::Ready(wake);
        }
        self.cancel_all(store);
        self.resume(store, self.running).unwrap_or(Next::Fail(Fault::Internal("the running task is not in the table")))
    }

    fn sleep(store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        let value = store.field(effect, 0);
        let seconds = store.float(&value);
        store.discard(value);
        match seconds {
            Some(seconds) if seconds >= 0.0 => Answer::Suspend,
            _ => Answer::Fault(Fault::Unfit(store.share(effect))),
        }
    }

    /// How long the task that sleeps now is to sleep.
    fn until(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Wait<W> {
        let value = store.field(effect, 0);
        let seconds = store.float(&value).unwrap_or(0.0);
        store.discard(value);
        let now = self.clock.now();
        self.alarms.set(now, seconds, Alarm::Sleeper(self.running)).map_or(Wait::Never, Wait::Until)
    }
}
