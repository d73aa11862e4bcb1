//! The scheduler on the scripted host: who runs when, who wakes whom, and that nothing is dropped inside or left behind.
//! Laws: semantics 7.

use segue::core::limits::Bounds;
use segue::core::native::Stance;
use segue::core::step::Outcome;
use segue::effects::{Scheduler, Settings};

use crate::scripted::value::class::{PING, SCHEDULED, TELL};
use crate::scripted::{
    Class, Log, Report, Run, Stop, Value, call, discontinue, error, function, handler, nest, perform, ping, program,
    run, scheduled, teller,
};

fn scheduler(settings: impl Fn() -> Settings + Send + Sync + 'static) -> Value {
    let classes: Vec<_> = SCHEDULED.map(Class).collect();
    handler("scheduler").native(&classes, move || Scheduler::new(&settings())).done()
}

fn in_order() -> Value {
    scheduler(|| Settings { virtual_start: Some(0.0), ..Settings::default() })
}

fn spawn(body: Value) -> Value {
    scheduled("Spawn", vec![body, Value::unit(), 0.into(), 0.into()])
}

fn spawn_with(body: Value, priority: i64, daemon: bool) -> Value {
    scheduled("Spawn", vec![body, Value::unit(), priority.into(), i64::from(daemon).into()])
}

fn wait(target: &Value) -> Value {
    scheduled("Wait", vec![target.share()])
}

fn gather(targets: &[Value]) -> Value {
    let targets: Vec<_> = targets.iter().map(Value::share).collect();
    scheduled("Gather", vec![Value::fixed(targets), 1.into()])
}

fn race(targets: &[Value]) -> Value {
    let targets: Vec<_> = targets.iter().map(Value::share).collect();
    scheduled("Race", vec![Value::fixed(targets)])
}

fn turn() -> Value {
    scheduled("Yield", vec![])
}

/// A task that says its name, gives way, says it again, and comes to a number.
fn talker(log: &Log, name: &'static str, result: i64) -> Value {
    let log = log.clone();
    program(name, async move |y| {
        log.say(name);
        y.yields(turn()).await?;
        log.say(name);
        Ok(result.into())
    })
}

#[test]
fn who_can_run_runs_in_turn_and_results_are_in_the_order_of_the_arguments() {
    let log = Log::default();
    let (one, two) = (talker(&log, "one", 1), talker(&log, "two", 2));
    let told = log.clone();
    let root = program("root", async move |y| {
        let first = y.yields(spawn(one.share())).await?;
        let second = y.yields(spawn(two.share())).await?;
        told.say("root");
        y.yields(gather(&[second, first])).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "[2, 1]");
    assert_eq!(log.text(), "root one two one two");
}

#[test]
fn the_highest_priority_runs_first() {
    let log = Log::default();
    let (low, high) = (talker(&log, "low", 1), talker(&log, "high", 2));
    let root = program("root", async move |y| {
        let low = y.yields(spawn_with(low.share(), -1, false)).await?;
        let high = y.yields(spawn_with(high.share(), 1, false)).await?;
        y.yields(gather(&[low, high])).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "[1, 2]");
    assert_eq!(log.text(), "high high low low");
}

#[test]
fn a_cancelled_task_performs_in_its_clean_up_and_whoever_waits_is_told() {
    let log = Log::default();
    let tell = log.clone();
    let stuck = program("stuck", async move |y| {
        let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
        let waited = y.yields(wait(&promise)).await;
        tell.say("cleaning");
        y.yields(turn()).await?;
        tell.say("cleaned");
        waited
    });
    let root = program("root", async move |y| {
        let task = y.yields(spawn(stuck.share())).await?;
        y.yields(turn()).await?;
        y.yields(scheduled("Cancel", vec![task.share()])).await?;
        y.yields(scheduled("Cancel", vec![task.share()])).await?;
        y.yields(wait(&task)).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "TaskCancelledError");
    assert_eq!(log.text(), "cleaning cleaned");
}

#[test]
fn a_task_that_has_not_started_never_starts() {
    let log = Log::default();
    let never = talker(&log, "never", 1);
    let root = program("root", async move |y| {
        let task = y.yields(spawn(never.share())).await?;
        y.yields(scheduled("Cancel", vec![task.share()])).await?;
        y.yields(wait(&task)).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "TaskCancelledError");
    assert_eq!(log.text(), "");
}

/// A failure cancels those that have not finished, and is raised when they are unwound.
#[test]
fn a_failure_of_one_that_is_gathered_ends_the_others_first() {
    let log = Log::default();
    let tell = log.clone();
    let fails = program("fails", async move |y| {
        y.yields(turn()).await?;
        Err(error("ValueError", "no"))
    });
    let hangs = program("hangs", async move |y| {
        let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
        let waited = y.yields(wait(&promise)).await;
        y.yields(turn()).await?;
        tell.say("unwound");
        waited
    });
    let tell = log.clone();
    let root = program("root", async move |y| {
        let hangs = y.yields(spawn(hangs.share())).await?;
        let fails = y.yields(spawn(fails.share())).await?;
        let came = y.yields(gather(&[hangs, fails])).await;
        tell.say("raised");
        came
    });
    let report = run(nest(&[&in_order()], root));
    assert_eq!(report.shown(), "ValueError: no");
    assert!(report.unobserved.is_empty());
    assert_eq!(log.text(), "unwound raised");
}

#[test]
fn the_first_of_a_race_decides_and_the_others_are_unwound() {
    let log = Log::default();
    let (tell, quick) = (log.clone(), talker(&log, "quick", 1));
    let slow = program("slow", async move |y| {
        let slept = y.yields(scheduled("Sleep", vec![60.into()])).await;
        tell.say("unwound");
        slept
    });
    let root = program("root", async move |y| {
        let slow = y.yields(spawn(slow.share())).await?;
        let quick = y.yields(spawn(quick.share())).await?;
        y.yields(race(&[slow, quick])).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "1");
    assert_eq!(log.text(), "quick quick unwound");
}

/// Permits are handed on in order, and one that waits in vain takes none with it.
#[test]
fn a_permit_is_not_lost_to_one_who_waits_no_more() {
    let log = Log::default();
    let tell = log.clone();
    let root = program("root", async move |y| {
        let lock = y.yields(scheduled("CreateSemaphore", vec![1.into()])).await?;
        y.yields(scheduled("Acquire", vec![lock.share()])).await?;
        let mut tasks = Vec::new();
        for name in ["first", "second", "third"] {
            let (tell, lock) = (tell.clone(), lock.share());
            let task = program(name, async move |y| {
                y.yields(scheduled("Acquire", vec![lock.share()])).await?;
                tell.say(name);
                y.yields(scheduled("Release", vec![lock.share()])).await
            });
            tasks.push(y.yields(spawn(task)).await?);
        }
        y.yields(turn()).await?;
        y.yields(scheduled("Cancel", vec![tasks[0].share()])).await?;
        y.yields(scheduled("Release", vec![lock.share()])).await?;
        y.yields(gather(&tasks[1..])).await?;
        y.yields(scheduled("Acquire", vec![lock])).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "None");
    assert_eq!(log.text(), "second third");
}

#[test]
fn sender_and_receiver_of_a_channel_without_room_meet() {
    let log = Log::default();
    let tell = log.clone();
    let root = program("root", async move |y| {
        let channel = y.yields(scheduled("CreateChannel", vec![0.into()])).await?;
        let (there, told) = (channel.share(), tell.clone());
        let sender = program("sender", async move |y| {
            for number in [1, 2, 3] {
                y.yields(scheduled("Send", vec![there.share(), number.into()])).await?;
                told.say(format!("sent {number}"));
            }
            y.yields(scheduled("CloseChannel", vec![there.share()])).await
        });
        y.yields(spawn(sender)).await?;
        loop {
            let received = y.yields(scheduled("Receive", vec![channel.share()])).await;
            match received {
                Ok(value) => tell.say(format!("got {value}")),
                Err(met) => return Err(met),
            }
        }
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "ChannelClosedError");
    assert_eq!(log.text(), "sent 1 got 1 got 2 sent 2 sent 3 got 3");
}

#[test]
fn a_virtual_clock_jumps_to_what_is_due_next() {
    let log = Log::default();
    let sleeper = |name: &'static str, seconds: f64| {
        let log = log.clone();
        program(name, async move |y| {
            y.yields(scheduled("Sleep", vec![seconds.into()])).await?;
            let now = y.yields(scheduled("Now", vec![])).await?;
            log.say(format!("{name} at {now}"));
            Ok(now)
        })
    };
    let (later, sooner) = (sleeper("long", 3600.0), sleeper("short", 0.5));
    let root = program("root", async move |y| {
        let later = y.yields(spawn(later.share())).await?;
        let sooner = y.yields(spawn(sooner.share())).await?;
        y.yields(gather(&[later, sooner])).await
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "[3600, 0.5]");
    assert_eq!(log.text(), "short at 0.5 long at 3600");
}

#[test]
fn a_deadlock_is_raised_where_the_root_waits_and_names_all_who_wait() {
    let root = program("root", async move |y| {
        let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
        let waiter = program("waiter", async move |y| y.yields(wait(&promise)).await);
        let task = y.yields(spawn(waiter)).await?;
        let daemon = program("daemon", async move |y| {
            let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
            y.yields(wait(&promise)).await
        });
        y.yields(spawn_with(daemon, 0, true)).await?;
        y.yields(wait(&task)).await
    });
    let shown = run(nest(&[&in_order()], root)).shown();
    assert_eq!(shown, "DeadlockError: Wait(<object>) at 'root'; Wait(<object>) at 'waiter'");
}

/// The root's end ends the others, in the order in which they were spawned; daemons are not told of.
#[test]
fn what_still_runs_when_the_root_returns_is_unwound_in_order() {
    let log = Log::default();
    let tell = log.clone();
    let root = program("root", async move |y| {
        for (name, daemon) in [("a", false), ("b", true), ("c", false)] {
            let tell = tell.clone();
            let task = program(name, async move |y| {
                let slept = y.yields(scheduled("Sleep", vec![60.into()])).await;
                tell.say(name);
                slept
            });
            y.yields(spawn_with(task, 0, daemon)).await?;
        }
        y.yields(turn()).await?;
        Ok(7.into())
    });
    let report = run(nest(&[&in_order()], root));
    assert_eq!(report.shown(), "7");
    assert_eq!(log.text(), "a b c");
    let unobserved: Vec<_> = report.unobserved.iter().map(|one| one.error.to_string()).collect();
    assert_eq!(unobserved, ["UnfinishedTaskError", "UnfinishedTaskError"]);
    assert_eq!(report.unobserved[0].origin.as_deref(), Some("'root'"));
}

#[test]
fn a_failure_that_nobody_waits_for_is_told_with_its_origin() {
    let root = program("root", async move |y| {
        let fails = program("fails", async move |_| Err(error("ValueError", "lost")));
        y.yields(spawn(fails)).await?;
        y.yields(turn()).await
    });
    let report = run(nest(&[&in_order()], root));
    assert_eq!(report.shown(), "None");
    assert_eq!(report.unobserved.len(), 1);
    assert_eq!(report.unobserved[0].error.to_string(), "ValueError: lost");
    assert_eq!(report.unobserved[0].origin.as_deref(), Some("'root'"));
}

/// What is no `Exception` breaks all off at once.
#[test]
fn an_interrupt_in_a_task_unwinds_the_others_and_leaves() {
    let log = Log::default();
    let tell = log.clone();
    let root = program("root", async move |y| {
        let breaks = program("breaks", async move |_| Err(error("KeyboardInterrupt", "")));
        let task = y.yields(spawn(breaks)).await?;
        let waited = y.yields(wait(&task)).await;
        tell.say("root unwound");
        waited
    });
    assert_eq!(run(nest(&[&in_order()], root)).shown(), "KeyboardInterrupt");
    assert_eq!(log.text(), "root unwound");
}

/// A handler outside that lets the whole block go: all tasks are unwound, inside the scheduler.
#[test]
fn a_clause_outside_that_ends_the_block_unwinds_all_tasks() {
    let log = Log::default();
    let tell = log.clone();
    let stops = handler("stops").control(&[PING], async |y, _, k: Value| {
        y.yields(discontinue(&k)).await?;
        Ok("stopped".into())
    });
    let root = program("root", async move |y| {
        let told = tell.clone();
        let waits = program("waits", async move |y| {
            let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
            let waited = y.yields(wait(&promise)).await;
            told.say("task unwound");
            waited
        });
        y.yields(spawn(waits)).await?;
        y.yields(turn()).await?;
        let came = y.yields(ping(1)).await;
        tell.say("root unwound");
        came
    });
    assert_eq!(run(nest(&[&stops.done(), &in_order()], root)).shown(), "'stopped'");
    assert_eq!(log.text(), "root unwound task unwound");
}

/// A slice lets a task run that many effects before the others have their turn.
#[test]
fn a_slice_is_used_up_by_effects_of_any_handler() {
    let log = Log::default();
    let busy = |name: &'static str| {
        program(name, async move |y| {
            for _ in 0..3 {
                y.yields(perform(TELL, vec![name.into()])).await?;
            }
            Ok(Value::unit())
        })
    };
    let (one, two) = (busy("one"), busy("two"));
    let root = program("root", async move |y| {
        let one = y.yields(spawn(one.share())).await?;
        let two = y.yields(spawn(two.share())).await?;
        y.yields(gather(&[one, two])).await
    });
    let sliced = scheduler(|| Settings { slice: std::num::NonZeroU64::new(2), ..Settings::default() });
    let report = run(nest(&[&teller(&log), &sliced], root));
    assert_eq!(report.shown(), "[None, None]");
    assert_eq!(log.text(), "one one two two one two");
}

fn audited(program: Value) -> Report {
    let mut machine = Run::new(program).machine();
    loop {
        let stop = machine.turn();
        machine.vm.audit().expect("the machine agrees with itself");
        match stop {
            None => {}
            Some(Stop::Idle(_)) => machine.feed(Outcome::Returned(Value::unit())),
            Some(stop) => return machine.finish(stop),
        }
    }
}

/// The invariants hold between all events of a run with tasks, scopes and a kept continuation around them.
#[test]
fn the_machine_agrees_with_itself_between_all_switches() {
    let log = Log::default();
    let root = program("root", {
        let log = log.clone();
        async move |y| {
            let mut tasks = Vec::new();
            for number in 0..5 {
                let log = log.clone();
                let task = program("task", async move |y| {
                    let scope = y.yields(scheduled("OpenScope", vec![number.into(), 0.into()])).await?;
                    let slept = y.yields(scheduled("Sleep", vec![2.into()])).await;
                    y.yields(scheduled("CloseScope", vec![scope])).await?;
                    log.say(if slept.is_ok() { "slept" } else { "cancelled" });
                    Ok(Value::unit())
                });
                tasks.push(y.yields(spawn(task)).await?);
            }
            y.yields(gather(&tasks)).await
        }
    });
    let report = audited(nest(&[&in_order()], root));
    assert_eq!(report.shown(), "[None, None, None, None, None]");
    assert_eq!(log.text(), "cancelled cancelled cancelled slept slept");
}

/// How each task stands, in the order of the spawns, whenever that changed.
#[test]
fn how_tasks_stand_can_be_seen_between_all_events() {
    let root = program("root", async |y| {
        let child = program("child", async |y| y.yields(turn()).await);
        let sleeper = program("sleeper", async |y| y.yields(scheduled("Sleep", vec![2.into()])).await);
        let tasks = [y.yields(spawn(child)).await?, y.yields(spawn(sleeper)).await?];
        y.yields(gather(&tasks)).await
    });
    let mut machine = Run::new(nest(&[&in_order()], root)).machine();
    let mut seen: Vec<String> = Vec::new();
    let stop = loop {
        let stop = machine.turn();
        let standings = machine.vm.standings(&mut machine.host);
        let runs = machine.vm.running(&mut machine.host).is_some();
        let told = standings.iter().map(|one| match &one.stance {
            Stance::Running => "runs".to_owned(),
            Stance::Ready(impulse) => format!("{impulse:?}"),
            Stance::Waiting(effect) => format!("waits({effect})"),
            Stance::Failed => "failed".to_owned(),
        });
        let told: Vec<_> = told.collect();
        assert_eq!(runs, told.iter().any(|how| how == "runs"));
        if seen.last() != Some(&told.join(" ")) {
            seen.push(told.join(" "));
        }
        drop(standings);
        machine.host.trash.clear();
        if let Some(stop) = stop {
            break stop;
        }
    };
    machine.finish(stop);
    let gathers = "waits(Gather([<object>, <object>], 1))";
    let expected = [
        String::new(),
        // Nobody sees the root spawn: that is on the short way.
        "runs Spawned Spawned".to_owned(),
        format!("{gathers} runs Spawned"),
        format!("{gathers} GaveWay runs"),
        // That the sleeper waits, and the child alone runs, is on the short way too: it ends before anybody looks.
        format!("{gathers} runs"),
        "runs".to_owned(),
        String::new(),
    ];
    assert_eq!(seen, expected);
}

/// A hundred thousand tasks that wait for one promise, and a chain of as many spawns.
#[test]
fn a_hundred_thousand_tasks_are_routine() {
    let many = if cfg!(miri) { 100 } else { 100_000 };
    let root = program("root", async move |y| {
        let promise = y.yields(scheduled("CreatePromise", vec![])).await?;
        let waiter = function("waiter", async |y, arguments| y.yields(wait(&arguments[0])).await);
        let mut tasks = Vec::new();
        for _ in 0..many {
            tasks.push(y.yields(spawn(call(&waiter, vec![promise.share()]))).await?);
        }
        y.yields(turn()).await?;
        y.yields(scheduled("CompletePromise", vec![promise, 1.into()])).await?;
        let results = y.yields(gather(&tasks)).await?;
        Ok(results.at(many - 1))
    });
    let wide = |bounds: &mut Bounds| *bounds = Bounds::default();
    let report = Run::new(nest(&[&in_order()], root)).bounds(wide).go();
    assert_eq!(report.shown(), "1");
}
