//! Tasks on the tape: a scheduler, its effects, and what reaches it from outside.

use std::num::NonZeroU64;

use segue::effects::{Scheduler, Settings, Settled, Thing};

use super::play::{failure, program_of};
use super::stage::Stage;
use crate::scripted::script::Building;
use crate::scripted::value::Datum;
use crate::scripted::{Class, Value, class, scheduled};

/// Clauses of the built-in scheduler. Its time is virtual: a tape ends at once, and plays the same each time.
pub fn scheduler(stage: &Stage, building: Building) -> Building {
    let (slice, seed) = (stage.next(), stage.next());
    let classes: Vec<_> = class::SCHEDULED.map(Class).collect();
    building.native(&classes, move || {
        let seed = (!seed.is_multiple_of(4)).then(|| seed.into());
        Scheduler::new(&Settings { seed, slice: NonZeroU64::new((slice % 4).into()), virtual_start: Some(0.0) })
    })
}

/// An effect of a scheduler. Those that spawn and wait come up more often.
pub fn effect(stage: &Stage) -> Value {
    let choice = stage.next();
    let handle = || stage.handle();
    let number = || i64::from(stage.next() % 4).into();
    let flag = || i64::from(stage.next() % 2).into();
    let (name, fields) = match choice % 40 {
        0 | 1 => ("Yield", vec![]),
        2..=4 => ("Spawn", vec![program_of(stage), Value::unit(), number(), flag()]),
        5..=7 => ("Wait", vec![handle()]),
        8 => ("Gather", vec![Value::fixed(vec![handle(), handle()]), flag()]),
        9 => ("Race", vec![Value::fixed(vec![handle(), handle()])]),
        10 | 11 => ("Cancel", vec![handle()]),
        12 => ("CurrentTask", vec![]),
        13 => ("CreatePromise", vec![]),
        14 => ("CompletePromise", vec![handle(), 10.into()]),
        15 => ("FailPromise", vec![handle(), Value::new(Datum::Failed(failure(stage)))]),
        16 => ("CreateExternalPromise", vec![]),
        17 => ("CreateSemaphore", vec![number()]),
        18 => ("CreateLock", vec![]),
        19 | 20 => ("Acquire", vec![handle()]),
        21 | 22 => ("Release", vec![handle()]),
        23 => ("CreateEvent", vec![]),
        24 => ("SetEvent", vec![handle()]),
        25 => ("ClearEvent", vec![handle()]),
        26 => ("CreateChannel", vec![number()]),
        27 | 28 => ("Send", vec![handle(), 11.into()]),
        29 | 30 => ("Receive", vec![handle()]),
        31 => ("CloseChannel", vec![handle()]),
        32 | 33 => ("Sleep", vec![number()]),
        34 => ("Now", vec![]),
        35 => ("Deadline", vec![]),
        36 | 37 => ("OpenScope", vec![number(), flag()]),
        38 => ("CloseScope", vec![handle()]),
        _ => ("CancelScope", vec![handle()]),
    };
    scheduled(name, fields)
}

/// Somebody outside completes the promise of a completer: whether there was one that was not used yet.
pub fn complete(completer: &Value, fails: bool) -> bool {
    let Datum::Object(handle) = completer.datum() else { return false };
    let found = match &mut *handle.thing() {
        Thing::Completer { promise, used: used @ false, inbox } => {
            *used = true;
            Some((promise.share(), inbox.clone()))
        }
        _ => None,
    };
    let Some((promise, inbox)) = found else { return false };
    let settled = if fails {
        Settled::Error(crate::scripted::error("ValueError", "from outside"), Value::unit())
    } else {
        Settled::Value(12.into())
    };
    // One whose run is over is refused.
    inbox.post(promise, settled).is_ok()
}
