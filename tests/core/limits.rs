//! Bounds and interrupts. Law: semantics 5: exactly the limit passes, one more does not.

use std::time::Duration;

use segue::core::limits::Bounds;
use segue::core::step::Outcome;

use crate::scripted::class::{PING, TELL};
use crate::scripted::{
    Log, Machine, Run, Shelf, Stop, Value, answering, asks, attempt, call, create_continuation, error, escape,
    function, handler, inherit, keeping, nest, ping, program, pure, resume, run, seal, tell, teller, transfer,
    with_handler, with_intercept,
};

fn performs(n: i64) -> Value {
    program("performs", async move |y| {
        for number in 0..n {
            y.yields(ping(number)).await?;
        }
        Ok("done".into())
    })
}

/// Exactly the steps that a program takes pass, one less does not, for each kind of clause.
#[test]
fn exactly_the_step_limit_passes() {
    let forms = [
        answering("value", 1),
        handler("program").answers_by(&[PING], async |_, _| Ok(1.into())).done(),
        handler("tail").control(&[PING], async |_, _, k| Ok(resume(&k, 1))).done(),
        handler("nontail").control(&[PING], async |y, _, k| y.yields(resume(&k, 1)).await).done(),
    ];
    for form in forms {
        let program = || with_handler(&form, performs(3));
        let steps = run(program()).steps;
        assert_eq!(steps, 7, "{form}");
        for limit in 0..=steps + 1 {
            let report = Run::new(program()).bounds(|bounds| bounds.steps = Some(limit)).go();
            let expected = if limit < steps { "LimitExceeded: Steps" } else { "'done'" };
            assert_eq!((report.shown().as_str(), report.steps), (expected, limit.min(steps)), "{form} with {limit}");
        }
    }
}

/// Exactly the depth passes: as many nested calls as the limit says.
#[test]
fn exactly_the_depth_limit_passes() {
    let nested =
        |depth: i64| (1..depth).fold(asks(0), |inside, _| program("layer", async move |y| y.yields(&inside).await));
    for depth in 1..5 {
        for limit in 0..6 {
            let program = with_handler(&answering("h", 1), nested(depth));
            let report = Run::new(program).bounds(|bounds| bounds.depth = Some(limit)).go();
            let expected = if depth.unsigned_abs() > limit { "LimitExceeded: Depth" } else { "1" };
            assert_eq!(report.shown(), expected, "{depth} calls with {limit}");
        }
    }
}

/// A call that returns at once stands on no stack, and takes its step and its depth as another does.
#[test]
fn calls_that_return_at_once_count_as_others() {
    let leaf = || program("leaf", async |_| Ok(1.into()));
    let calls = || {
        // Deep enough for the stack to have room for more than what is on it.
        let deep = (0..5).fold(leaf(), |inside, _| program("layer", async move |y| y.yields(&inside).await));
        let first = leaf();
        program("calls", async move |y| Ok((y.yields(&first).await?, y.yields(&deep).await?).into()))
    };
    let (short, long) = (run(calls()), Run::new(calls()).stepping().go());
    assert_eq!((short.shown().as_str(), short.peak_calls), ("(1, 1)", 7));
    assert_eq!((long.shown(), long.steps, long.peak_calls), (short.shown(), short.steps, short.peak_calls));
    let bounds: [fn(&mut Bounds, u64); 2] =
        [|bounds, limit| bounds.steps = Some(limit), |bounds, limit| bounds.depth = Some(limit)];
    for bound in bounds {
        for limit in 0..=short.steps {
            let (short, long) = (Run::new(calls()), Run::new(calls()).stepping());
            let (short, long) = (short.bounds(|it| bound(it, limit)).go(), long.bounds(|it| bound(it, limit)).go());
            assert_eq!((short.shown(), short.steps), (long.shown(), long.steps), "at {limit}");
        }
    }
}

/// Exactly the segments pass, whatever opens them: handlers, interceptors, walls.
#[test]
fn exactly_the_segment_limit_passes() {
    let h = answering("h", 1);
    let same = function("same", async |_, mut arguments| Ok(arguments.remove(0)));
    let opens: [&dyn Fn(Value) -> Value; 3] =
        [&|inside| with_handler(&h, inside), &|inside| with_intercept(&same, inside), &|inside| seal(&[PING], inside)];
    for open in opens {
        for depth in 0_u64..4 {
            for limit in 1..6 {
                let program = (0..depth).fold(pure("done"), |inside, _| open(inside));
                let report = Run::new(program).bounds(|bounds| bounds.segments = Some(limit)).go();
                let expected = if depth + 1 > limit { "LimitExceeded: Segments" } else { "'done'" };
                assert_eq!(report.shown(), expected, "{depth} around the root's with {limit}");
            }
        }
    }
}

/// A block that was entered before the limit was met is left again: `exit` runs.
#[test]
fn a_block_that_meets_the_segment_limit_is_left_again() {
    let log = Log::new();
    let (enters, exits) = (log.clone(), log.clone());
    let h = handler("h")
        .enter(async move |_, value| {
            enters.say("enter");
            Ok(value)
        })
        .exit(async move |_, value| {
            exits.say("exit");
            Ok(value)
        });
    let never = program("never", async |_| panic!("there is no room for it"));
    let report = Run::new(with_handler(&h.done(), never)).bounds(|bounds| bounds.segments = Some(1)).go();
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("LimitExceeded: Segments", "enter exit"));
}

/// `CreateContinuation` and `Inherit` open segments too.
#[test]
fn continuations_and_forks_count_as_segments() {
    let creates = program("creates", async |y| {
        let first = y.yields(create_continuation(pure(1))).await?;
        let second = y.yields(create_continuation(pure(2))).await;
        y.yields(resume(&first, ())).await?;
        second
    });
    let report = Run::new(creates).bounds(|bounds| bounds.segments = Some(2)).go();
    assert_eq!(report.shown(), "LimitExceeded: Segments");

    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "kept");
    let inherits = program("inherits", async move |y| {
        y.yields(nest(&[&keeps, &answering("inner", 1)], tell(0))).await.unwrap_err();
        y.yields(nest(&[&keeps, &answering("inner", 1), &keeps], ping(0))).await?;
        y.yields(inherit(&shelf.take(), pure(3))).await
    });
    let within = Run::new(inherits.share()).go();
    assert_eq!(within.shown(), "3");
    let peak = u64::try_from(within.peak_segments).unwrap();
    let exactly = Run::new(inherits.share()).bounds(|bounds| bounds.segments = Some(peak)).go();
    assert_eq!(exactly.shown(), "3");
    let report = Run::new(inherits).bounds(|bounds| bounds.segments = Some(peak - 1)).go();
    assert_eq!(report.shown(), "LimitExceeded: Segments");
}

/// Wall time is bounded in a loop of effects (C03).
#[test]
fn wall_time_is_bounded() {
    let endless = program("endless", async |y| {
        loop {
            y.yields(ping(0)).await?;
        }
    });
    let program = with_handler(&answering("h", 1), endless);
    let report = Run::new(program).bounds(|bounds| bounds.time = Some(Duration::ZERO)).go();
    assert_eq!(report.shown(), "LimitExceeded: Seconds");
    assert!(report.steps <= 128, "it is looked at every 64 steps");
}

/// A loop without a step meets its time too, when the driver asks for attention.
#[test]
fn wall_time_is_bounded_without_steps() {
    let body = program("body", async |y| {
        y.yields(escape("wait")).await?;
        loop {
            y.yields(pure(0)).await?;
        }
    });
    let mut machine = Run::new(body).bounds(|bounds| bounds.time = Some(Duration::ZERO)).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    machine.vm.mailbox().interrupt();
    machine.feed(Outcome::Returned(().into()));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "LimitExceeded: Seconds");
}

/// A loop without a step meets the bound on steps too, and past it the grace, when the driver says how often it turned.
#[test]
fn steps_are_bounded_without_steps() {
    let stubborn = program("stubborn", async |y| {
        for _ in 0..2 {
            let met = y.yields(escape("wait")).await;
            assert!(met.is_ok(), "an action is no step");
            while y.yields(pure(0)).await.is_ok() {}
        }
        Ok("never".into())
    });
    let mut machine = Run::new(stubborn).bounds(|bounds| (bounds.steps, bounds.grace) = (Some(5), 3)).machine();
    let go = |machine: &mut Machine| match machine.go() {
        Stop::Attention => machine.go(),
        stop => stop,
    };
    for _ in 0..2 {
        assert!(matches!(go(&mut machine), Stop::Async(_)));
        assert_eq!(machine.vm.meter().overdue(), None);
        machine.vm.spend_turns(1 << 24);
        machine.vm.mailbox().interrupt();
        machine.feed(Outcome::Returned(().into()));
    }
    let stop = go(&mut machine);
    assert!(matches!(stop, Stop::Exhausted));
    let report = machine.finish(stop);
    assert_eq!((report.closed, report.steps), (vec!["stubborn".to_owned()], 1));
}

/// A run that is being closed has the grace from then on, and no more.
#[test]
fn a_run_that_is_closed_has_only_the_grace() {
    let endless = program("endless", async |y| {
        y.yields(escape("wait")).await?;
        loop {
            y.yields(ping(0)).await?;
        }
    });
    let program = with_handler(&answering("h", 1), endless);
    let mut machine = Run::new(program).bounds(|bounds| bounds.grace = 7).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    machine.vm.begin_closing();
    machine.feed(Outcome::Returned(().into()));
    let stop = machine.go();
    let report = machine.finish(stop);
    assert_eq!((report.closed, report.steps), (vec!["endless".to_owned()], 1 + 7));
}

/// `LimitExceeded` is raised at the step; it is no `Exception`, so `Try` and `error` let it pass.
#[test]
fn a_limit_passes_try_and_error() {
    let seen = Log::new();
    let log = seen.clone();
    let h = handler("h").answers(&[PING], |_| Ok(1.into())).error(async move |_, value| {
        log.say("error");
        Ok(value)
    });
    let program = attempt(with_handler(&h.done(), attempt(performs(100))));
    let report = Run::new(program).bounds(|bounds| bounds.steps = Some(20)).go();
    assert_eq!((report.shown().as_str(), seen.text().as_str()), ("LimitExceeded: Steps", ""));
}

fn cleans_up(tells: i64) -> Value {
    program("cleans_up", async move |y| {
        let came = async {
            loop {
                y.yields(ping(0)).await?;
            }
        };
        let came: crate::scripted::Answered = came.await;
        for n in 0..tells {
            y.yields(tell(n)).await?;
        }
        came
    })
}

/// Past a limit, clean-up gets the grace: exactly its steps are made, then the rest is closed without effects.
#[test]
fn exactly_the_grace_passes() {
    let h = answering("h", 1);
    for grace in 0..8 {
        let log = Log::new();
        let program = nest(&[&teller(&log), &h], cleans_up(3));
        let report = Run::new(program)
            .bounds(|bounds| {
                bounds.steps = Some(50);
                bounds.grace = grace;
            })
            .go();
        if grace < 6 {
            assert_eq!(report.closed, ["cleans_up"], "three tells are six steps, and {grace} are left");
            assert_eq!(report.steps, 50 + grace);
        } else {
            assert_eq!((report.shown().as_str(), report.steps), ("LimitExceeded: Steps", 56));
            assert_eq!(log.text(), "0 1 2");
        }
    }
}

/// When the grace is used up, the `exit` of each installation is among what is to be closed, after its body.
#[test]
fn an_exhausted_run_gives_the_installations_that_have_an_exit() {
    let endless = program("endless", async |y| {
        loop {
            let _: crate::scripted::Answered = y.yields(ping(0)).await;
        }
    });
    let answer = |_| Ok(1.into());
    let leaves = |name| handler(name).answers(&[PING], answer).exit(async |_, _| panic!("not by the machine")).done();
    let program = nest(&[&leaves("outer"), &answering("none", 1), &leaves("inner")], endless);
    let report = Run::new(program).bounds(|bounds| (bounds.steps, bounds.grace) = (Some(9), 4)).go();
    assert_eq!(report.closed, ["endless", "exit of inner", "exit of outer"]);
}

/// When the grace is used up, what is suspended is closed innermost first, kept chains too; nothing is left.
#[test]
fn an_exhausted_run_closes_every_generator() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "kept");
    let stubborn = program("stubborn", async |y| {
        loop {
            let _met = y.yields(pure(0)).await;
            let _met = y.yields(tell(0)).await;
        }
    });
    let outer = program("outer", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(&stubborn).await
    });
    let ignores = handler("ignores").answers(&[TELL], |_| Ok(().into())).done();
    let report = Run::new(with_handler(&ignores, outer))
        .bounds(|bounds| {
            bounds.steps = Some(30);
            bounds.grace = 5;
        })
        .go();
    assert_eq!(report.closed, ["stubborn", "outer", "asks"]);
    assert!(shelf.take().cell().is_used());
}

/// What was used is known afterwards.
#[test]
fn usage_is_counted() {
    let h = handler("h").control(&[PING], async |y, _, k| y.yields(resume(&k, 1)).await).done();
    let report = run(nest(&[&h, &answering("inner", 1)], performs(2)));
    assert_eq!((report.steps, report.peak_calls, report.peak_segments), (5, 1, 3));
    let report = run(with_handler(&h, performs(2)));
    assert_eq!((report.steps, report.peak_calls, report.peak_segments), (5, 3, 2), "two clauses wait for the body");
}

/// An interrupt is looked at where something was yielded, and what is raised then is raised at that yield (S01).
#[test]
fn an_interrupt_is_raised_at_the_next_yield() {
    let log = Log::new();
    let seen = log.clone();
    let body = program("body", async move |y| {
        y.yields(escape("wait")).await?;
        seen.say("between");
        let met = y.yields(ping(0)).await.unwrap_err();
        y.yields(tell("clean-up")).await?;
        Err(met)
    });
    let mut machine = Run::new(nest(&[&teller(&log), &answering("h", 1)], body)).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    machine.vm.mailbox().interrupt();
    machine.feed(Outcome::Returned(().into()));
    assert!(matches!(machine.go(), Stop::Attention));
    machine.feed(Outcome::Raised(error("KeyboardInterrupt", "")));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "KeyboardInterrupt");
    assert_eq!(log.text(), "between clean-up");
}

/// When nothing is raised for it, the run goes on as if nothing had been.
#[test]
fn attention_without_an_error_goes_on() {
    let body = program("body", async |y| {
        y.yields(escape("wait")).await?;
        y.yields(ping(0)).await
    });
    let mut machine = Run::new(with_handler(&answering("h", 1), body)).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    machine.vm.mailbox().interrupt();
    machine.feed(Outcome::Returned(().into()));
    assert!(matches!(machine.go(), Stop::Attention));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "1");
}

/// An interrupt that arrives together with a lost continuation is not lost with it.
#[test]
fn an_interrupt_beside_a_lost_continuation_is_not_forgotten() {
    let shelf = Shelf::new();
    let log = Log::new();
    let seen = log.clone();
    let lost = program("lost", async move |y| {
        let came = y.yields(ping(0)).await;
        seen.say("unwound");
        came
    });
    let kept = with_handler(&keeping(&shelf, "kept"), lost);
    let body = program("body", async move |y| {
        y.yields(&kept).await?;
        y.yields(escape("wait")).await?;
        y.yields(pure("not reached")).await
    });
    let mut machine = Run::new(body).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    shelf.clear();
    machine.vm.mailbox().interrupt();
    machine.feed(Outcome::Returned(().into()));
    assert!(matches!(machine.go(), Stop::Attention));
    machine.feed(Outcome::Raised(error("KeyboardInterrupt", "")));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "KeyboardInterrupt");
    assert_eq!(log.text(), "unwound");
}

/// A bound that a `@do` call meets leaves the call undone.
#[test]
fn a_call_past_the_limit_is_not_made() {
    let never = function("never", async |_, _| panic!("it is not called"));
    let body = program("body", async move |y| {
        let met = y.yields(call(&never, vec![])).await.unwrap_err();
        Ok(met.to_string().into())
    });
    let report = Run::new(body).bounds(|bounds| bounds.steps = Some(1)).go();
    assert_eq!(report.shown(), "'LimitExceeded: Steps'");
}

/// A transfer past the limit is not made: the clause goes on, and may use its `k` still.
#[test]
fn a_transfer_past_the_limit_is_not_made() {
    let moves = handler("moves").control(&[PING], async |y, _, k| {
        let met = y.yields(transfer(&k, "moved")).await.unwrap_err();
        y.yields(resume(&k, met.to_string())).await
    });
    let report = Run::new(with_handler(&moves.done(), asks(0))).bounds(|bounds| bounds.steps = Some(2)).go();
    assert_eq!(report.shown(), "'LimitExceeded: Steps'");
}
