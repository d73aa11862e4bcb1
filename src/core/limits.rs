//! Steps, and the bounds of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::fault::Bound;

/// The bounds of a run; `None` is no bound.
#[derive(Clone, Copy, Default, Debug)]
pub struct Bounds {
    /// Steps.
    pub steps: Option<u64>,
    /// Depth of nested calls.
    pub depth: Option<u64>,
    /// Live segments.
    pub segments: Option<u64>,
    /// Tasks that live at a time.
    pub tasks: Option<u64>,
    /// Promises made.
    pub promises: Option<u64>,
    /// Wall time.
    pub time: Option<Duration>,
    /// Steps for clean-up after a bound was passed.
    pub grace: u64,
}

/// How often wall time is read, in steps.
const CLOCK_STEPS: u64 = 64;
/// Turns of the driver that each permitted step brings with it, on top of [`FREE_TURNS`].
const TURNS_PER_STEP: u64 = 1024;
/// Turns of the driver that a run with a bound on steps has in any case, and once more past a bound.
const FREE_TURNS: u64 = 1 << 23;

/// Counts steps against the bounds.
pub struct Meter {
    bounds: Bounds,
    steps: u64,
    checkpoint: u64,
    started: Instant,
    passed_at: Option<u64>,
    turns: u64,
    peak_calls: usize,
    live_calls: usize,
    peak_segments: usize,
    tally: Arc<Tally>,
}

/// What a run counts of the tasks and promises of its schedulers.
#[derive(Default, Debug)]
pub struct Tally {
    tasks: Count,
    promises: Count,
}

#[derive(Default, Debug)]
struct Count {
    limit: Option<u64>,
    live: AtomicU64,
    peak: AtomicU64,
}

impl Count {
    fn has_room(&self) -> bool {
        self.limit.is_none_or(|limit| self.live.load(Ordering::Relaxed) < limit)
    }

    /// The run alone counts, one step after the other: nothing is to be locked for it.
    fn add(&self) {
        let live = self.live.load(Ordering::Relaxed) + 1;
        self.live.store(live, Ordering::Relaxed);
        if self.peak.load(Ordering::Relaxed) < live {
            self.peak.store(live, Ordering::Relaxed);
        }
    }

    fn remove(&self) {
        self.live.store(self.live.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
    }
}

impl Tally {
    /// Whether there may be one more task.
    #[must_use]
    pub fn permits_task(&self) -> bool {
        self.tasks.has_room()
    }

    /// There is one more task.
    pub fn task_began(&self) {
        self.tasks.add();
    }

    /// A task ended.
    pub fn task_ended(&self) {
        self.tasks.remove();
    }

    /// Asks for one more promise.
    #[must_use]
    pub fn promise_made(&self) -> bool {
        let has_room = self.promises.has_room();
        if has_room {
            self.promises.add();
        }
        has_room
    }
}

/// What a step may do.
pub enum Permit {
    /// It is made.
    Granted,
    /// A bound is passed now: the step is not made.
    Exceeded(Bound),
    /// The grace is used up.
    Exhausted,
}

impl Meter {
    /// A meter at zero.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let mut meter = Self {
            bounds,
            steps: 0,
            checkpoint: 0,
            started: Instant::now(),
            passed_at: None,
            turns: 0,
            peak_calls: 0,
            live_calls: 0,
            peak_segments: 1,
            tally: Arc::new(Tally {
                tasks: Count { limit: bounds.tasks, ..Count::default() },
                promises: Count { limit: bounds.promises, ..Count::default() },
            }),
        };
        meter.schedule();
        meter
    }

    fn schedule(&mut self) {
        let steps = match self.passed_at {
            Some(passed) => passed.saturating_add(self.bounds.grace),
            None => self.bounds.steps.unwrap_or(u64::MAX),
        };
        let clock = if self.bounds.time.is_some() && self.passed_at.is_none() {
            self.steps.saturating_add(CLOCK_STEPS)
        } else {
            u64::MAX
        };
        self.checkpoint = steps.min(clock);
    }

    /// Asks for one step.
    #[inline]
    pub fn step(&mut self) -> Permit {
        if self.steps < self.checkpoint {
            self.steps += 1;
            return Permit::Granted;
        }
        self.check()
    }

    /// Whether so many steps will be granted, whatever happens meanwhile.
    #[inline]
    #[must_use]
    pub const fn can_make(&self, steps: u64) -> bool {
        self.steps + steps <= self.checkpoint
    }

    /// A step that [`Meter::can_make`] said will be granted.
    #[inline]
    pub const fn make_one(&mut self) {
        self.steps += 1;
    }

    /// Such steps of a generator that goes on, and has no frame meanwhile.
    #[inline]
    pub const fn make(&mut self, steps: u64) {
        self.steps += steps;
        if self.peak_calls <= self.live_calls {
            self.peak_calls = self.live_calls + 1;
        }
    }

    #[cold]
    fn check(&mut self) -> Permit {
        if let Some(passed) = self.passed_at {
            if self.steps >= passed.saturating_add(self.bounds.grace) {
                return Permit::Exhausted;
            }
        } else if self.bounds.steps.is_some_and(|limit| self.steps >= limit) {
            return self.pass(Bound::Steps);
        } else if self.bounds.time.is_some_and(|limit| self.started.elapsed() > limit) {
            return self.pass(Bound::Seconds);
        }
        self.schedule();
        self.steps += 1;
        Permit::Granted
    }

    /// The driver ran user code so many times.
    pub const fn spend_turns(&mut self, turns: u64) {
        self.turns = self.turns.saturating_add(turns);
    }

    /// Looks at the bounds of programs that make no steps: the clock, and the turns of the driver.
    pub fn between_steps(&mut self) -> Permit {
        match self.overdue() {
            None => Permit::Granted,
            Some(_) if self.passed_at.is_some() => Permit::Exhausted,
            Some(bound) => self.pass(bound),
        }
    }

    /// The bound that is passed without a step, when one is: [`Meter::between_steps`] is to be called then.
    #[must_use]
    pub fn overdue(&self) -> Option<Bound> {
        let steps = if self.passed_at.is_some() { Some(self.bounds.grace) } else { self.bounds.steps };
        let turns = steps.map(|steps| steps.saturating_mul(TURNS_PER_STEP).saturating_add(FREE_TURNS));
        if turns.is_some_and(|turns| self.turns > turns) {
            return Some(Bound::Steps);
        }
        let overdue = self.passed_at.is_none() && self.bounds.time.is_some_and(|limit| self.started.elapsed() > limit);
        overdue.then_some(Bound::Seconds)
    }

    /// How long nothing may happen before a bound is passed.
    #[must_use]
    pub fn may_wait(&self) -> Option<Duration> {
        let limit = self.bounds.time.filter(|_| self.passed_at.is_none())?;
        // One nanosecond more is past it.
        Some(limit.saturating_sub(self.started.elapsed()) + Duration::from_nanos(1))
    }

    /// From now on only the grace is left.
    pub fn begin_grace(&mut self) {
        if self.passed_at.is_none() {
            self.passed_at = Some(self.steps);
            self.turns = 0;
        }
        self.schedule();
    }

    /// What is counted of tasks and promises.
    #[must_use]
    pub const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The most tasks that lived at a time.
    #[must_use]
    pub fn peak_tasks(&self) -> u64 {
        self.tally.tasks.peak.load(Ordering::Relaxed)
    }

    /// The promises that were made.
    #[must_use]
    pub fn promises(&self) -> u64 {
        self.tally.promises.peak.load(Ordering::Relaxed)
    }

    /// A bound was passed that somebody else counts.
    pub fn passed(&mut self, bound: Bound) {
        if self.passed_at.is_none() {
            self.pass(bound);
        }
    }

    fn pass(&mut self, bound: Bound) -> Permit {
        self.passed_at = Some(self.steps);
        self.turns = 0;
        self.schedule();
        Permit::Exceeded(bound)
    }

    /// Whether the depth of the chain has to be known: no chain is deeper than all generators that live.
    #[must_use]
    pub fn asks_depth(&self) -> bool {
        self.passed_at.is_none() && self.bounds.depth.is_some_and(|limit| self.live_calls as u64 >= limit)
    }

    /// Whether one more generator may wait for a call, and the depth need not be known.
    #[inline]
    #[must_use]
    pub fn can_enter(&self) -> bool {
        self.bounds.depth.is_none_or(|limit| (self.live_calls as u64) + 1 < limit)
    }

    /// A call is entered that [`Meter::can_enter`] said may be.
    #[inline]
    pub fn entered(&mut self) {
        self.peak_calls = self.peak_calls.max(self.live_calls + 1);
    }

    /// A call was entered and left, while the generator that made it had no frame.
    #[inline]
    pub fn came_and_went(&mut self) {
        self.peak_calls = self.peak_calls.max(self.live_calls + 2);
    }

    /// Asks to enter one more call, `depth` being there already; it counts where [`Meter::asks_depth`].
    pub fn enter(&mut self, depth: usize) -> Permit {
        self.entered();
        if self.asks_depth() && self.bounds.depth.is_some_and(|limit| depth as u64 >= limit) {
            return self.pass(Bound::Depth);
        }
        Permit::Granted
    }

    /// Asks for one more segment, `live` being there already.
    pub fn open(&mut self, live: usize) -> Permit {
        if self.can_open(live) { Permit::Granted } else { self.pass(Bound::Segments) }
    }

    /// Whether [`Meter::open`] will permit it.
    #[must_use]
    pub fn can_open(&self, live: usize) -> bool {
        self.passed_at.is_some() || self.bounds.segments.is_none_or(|limit| (live as u64) < limit)
    }

    /// A segment was opened.
    pub fn opened(&mut self, live: usize) {
        self.peak_segments = self.peak_segments.max(live);
    }

    /// A generator lives.
    pub fn call_began(&mut self) {
        self.live_calls += 1;
        self.peak_calls = self.peak_calls.max(self.live_calls);
    }

    /// A generator ended.
    pub const fn call_ended(&mut self) {
        self.live_calls -= 1;
    }

    /// The generators that live.
    #[must_use]
    pub const fn live_calls(&self) -> usize {
        self.live_calls
    }

    /// Steps made.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// The most calls that were live at a time.
    #[must_use]
    pub const fn peak_calls(&self) -> usize {
        self.peak_calls
    }

    /// The most segments that were live at a time.
    #[must_use]
    pub const fn peak_segments(&self) -> usize {
        self.peak_segments
    }

    /// Wall time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The value of a bound, for a message.
    #[must_use]
    pub const fn bounds(&self) -> &Bounds {
        &self.bounds
    }
}
