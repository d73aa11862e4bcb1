//! Time: a clock that runs, or one that jumps, and what is due when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::table::TaskKey;

/// A time of the clock, since the scheduler began, and which of those that are due then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct When {
    /// Since the scheduler began.
    pub time: Duration,
    order: u64,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alarm {
    /// A task has slept enough.
    Sleeper(TaskKey),
    /// The time of a scope is over.
    Scope(TaskKey, u64),
}

/// What time it is.
pub enum Clock {
    /// The wall's.
    Wall {
        /// When the scheduler began.
        began: Instant,
        /// The same, in seconds since the epoch.
        epoch: f64,
    },
    /// A clock that jumps to what is due next when no task can run.
    Virtual {
        /// Since the scheduler began.
        now: Duration,
        /// What it showed then, in seconds.
        start: f64,
    },
}

impl Clock {
    /// The wall's.
    #[must_use]
    pub fn wall() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Self::Wall { began: Instant::now(), epoch }
    }

    /// One that jumps.
    #[must_use]
    pub const fn starting_at(start: f64) -> Self {
        Self::Virtual { now: Duration::ZERO, start }
    }

    /// Since the scheduler began.
    #[must_use]
    pub fn now(&self) -> Duration {
        match self {
            Self::Wall { began, .. } => began.elapsed(),
            Self::Virtual { now, .. } => *now,
        }
    }

    /// A time as the clock shows it, in seconds.
    #[must_use]
    pub fn shown(&self, time: Duration) -> f64 {
        let (Self::Wall { epoch: start, .. } | Self::Virtual { start, .. }) = self;
        start + time.as_secs_f64()
    }

    /// Whether it moves by jumps only.
    #[must_use]
    pub const fn stands_still(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    /// Jumps, when it can.
    pub const fn jump(&mut self, time: Duration) -> bool {
        match self {
            Self::Wall { .. } => false,
            Self::Virtual { now, .. } => {
                *now = time;
                true
            }
        }
    }
}

/// Who is to be woken, and when.
#[derive(Default)]
pub struct Alarms {
    all: BTreeMap<When, Alarm>,
    set: u64,
}

impl Alarms {
    /// Sets one. A time that never comes has none.
    pub fn set(&mut self, now: Duration, seconds: f64, alarm: Alarm) -> Option<When> {
        let time = now.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        self.set += 1;
        let when = When { time, order: self.set };
        self.all.insert(when, alarm);
        Some(when)
    }

    /// Takes one back.
    pub fn unset(&mut self, when: When) {
        self.all.remove(&when);
    }

    /// When the next one is due.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.all.first_key_value().map(|(when, _)| when.time)
    }

    /// The next one that is due by then.
    pub fn due(&mut self, now: Duration) -> Option<Alarm> {
        let first = self.all.first_entry()?;
        (first.key().time <= now).then(|| first.remove())
    }
}
