//! Handlers, and continuing from them. Law: semantics 2.

use crate::scripted::class::{LOUD_PING, LOUDEST_PING, PING, PONG, TELL};
use crate::scripted::{
    Log, Value, answering, asks, error, handler, loud_ping, nest, perform, ping, pong, program, pure, resume,
    resume_throw, run, tell, teller, transfer, with_handler,
};

/// Semantics 2: `handlers=[h0, h1]` nests so that the last is innermost and sees effects first.
#[test]
fn the_last_handler_is_innermost_and_sees_effects_first() {
    let (outer, inner) = (answering("outer", 1), answering("inner", 2));
    assert_eq!(run(nest(&[&outer, &inner], asks(0))).shown(), "2");
    assert_eq!(run(nest(&[&inner, &outer], asks(0))).shown(), "1");
}

/// Semantics 2: the same handler twice is two installations; each answers once.
#[test]
fn the_same_handler_twice_is_two_installations() {
    let log = Log::new();
    let seen = log.clone();
    let twice = handler("twice").control(&[PING], async move |y, e, k| {
        seen.say(format!("in{}", e.at(0)));
        let outer = if e.at(0).int() == 0 { y.yields(ping(1)).await? } else { 10.into() };
        let result = y.yields(resume(&k, outer.int() + 1)).await?;
        seen.say(format!("out{}", e.at(0)));
        Ok(result)
    });
    let twice = twice.done();
    assert_eq!(run(nest(&[&twice, &twice], asks(0))).shown(), "12");
    assert_eq!(log.text(), "in0 in1 out0 out1", "the outer clause is around the inner one");
}

/// Semantics 2: acceptance is by the class and its MRO; a handler of the subclass does not take the base.
#[test]
fn a_subclass_is_accepted_by_the_handler_of_its_base_and_not_the_other_way() {
    let base = answering("base", 1);
    assert_eq!(run(with_handler(&base, perform(LOUDEST_PING, vec![]))).shown(), "1");
    let sub = handler("sub").answers(&[LOUD_PING], |_| Ok(2.into())).done();
    assert_eq!(run(nest(&[&base, &sub], asks(0))).shown(), "1");
}

/// Semantics 2: of one handler's clauses the nearest class of the MRO decides, whatever their order.
#[test]
fn the_clause_of_the_nearest_class_answers() {
    let both = handler("both").answers(&[PING], |_| Ok(1.into())).answers(&[LOUD_PING], |_| Ok(2.into())).done();
    assert_eq!(run(with_handler(&both, perform(LOUDEST_PING, vec![]))).shown(), "2");
    assert_eq!(run(with_handler(&both, ping(0))).shown(), "1");
}

/// Semantics 2: a bare callable is a control clause for every effect.
#[test]
fn a_clause_without_classes_takes_every_effect() {
    let any = handler("any").control(&[], async |_, e, k| Ok(resume(&k, e))).done();
    let both = program("both", async |y| Ok((y.yields(ping(1)).await?, y.yields(tell("x")).await?).into()));
    assert_eq!(run(with_handler(&any, both)).shown(), "(Ping(1), Tell('x'))");
}

/// Semantics 2, deep: after `Resume` the same handler is again around the rest of the body.
#[test]
fn after_a_resume_the_same_handler_is_around_the_rest_of_the_body() {
    let counts = handler("counts").control(&[PING], async |y, e, k| {
        let rest = y.yields(resume(&k, e.at(0).int() * 10)).await?;
        Ok((e.at(0), rest).into())
    });
    let body = program("body", async |y| {
        let first = y.yields(ping(1)).await?.int();
        let second = y.yields(ping(2)).await?.int();
        Ok((first + second).into())
    });
    assert_eq!(run(with_handler(&counts.done(), body)).shown(), "(1, (2, 30))");
}

/// Semantics 2, self-exclusion: what a clause performs skips its own handler, and everything inside of it.
#[test]
fn a_clause_performs_outside_of_its_own_prompt() {
    let outer = answering("outer", 1);
    let again = handler("again").control(&[PING], async |y, _, k| {
        let outside = y.yields(ping(0)).await?.int();
        Ok(resume(&k, outside + 100))
    });
    let inner = handler("inner").answers(&[PONG], |_| Ok(7.into())).done();
    assert_eq!(run(nest(&[&outer, &again.done(), &inner], asks(0))).shown(), "101");

    let pongs = handler("pongs").answers_by(&[PING], async |y, _| y.yields(pong(0)).await).done();
    let report = run(nest(&[&pongs, &inner], asks(0)));
    assert_eq!(report.shown(), "UnhandledEffectError: Pong(0) in []", "the inner handler is not around the clause");
}

/// Semantics 2 (H12): a clause that performs what it handles, with nobody outside, is an error and no endless loop.
#[test]
fn a_clause_that_performs_its_own_effect_with_nobody_outside_is_unhandled() {
    let again = handler("again").answers_by(&[PING], async |y, e| y.yields(e).await).done();
    assert_eq!(run(with_handler(&again, asks(3))).shown(), "UnhandledEffectError: Ping(3) in []");
}

/// Semantics 2: the value of a `Resume` node is what the whole resumed body comes to.
#[test]
fn a_non_tail_resume_gives_what_the_body_comes_to() {
    let wraps = handler("wraps").control(&[PING], async |y, e, k| {
        let result = y.yields(resume(&k, e.at(0).int() + 1)).await?;
        Ok(("handled", result).into())
    });
    assert_eq!(run(with_handler(&wraps.done(), asks(1))).shown(), "('handled', 2)");
}

/// Semantics 2: `return Resume(k, v)` is evaluated in the clause's place.
#[test]
fn a_returned_resume_is_the_tail_resume() {
    let tail = handler("tail").control(&[PING], async |_, e, k| Ok(resume(&k, e.at(0).int() + 1))).done();
    let report = run(with_handler(&tail, asks(1)));
    assert_eq!(report.shown(), "2");
    assert_eq!(report.steps, 3, "entered, performed, answered");
}

fn many(n: i64) -> Value {
    program("many", async move |y| {
        for number in 0..n {
            y.yields(ping(number)).await?;
        }
        Ok("done".into())
    })
}

/// Semantics 2: tail resumes run in constant memory: segments and generators do not add up.
#[test]
fn tail_resumes_run_in_constant_memory() {
    let n = if cfg!(miri) { 50 } else { 20_000 };
    let tail = handler("tail").control(&[PING], async |_, _, k| Ok(resume(&k, ()))).done();
    let report = run(with_handler(&tail, many(n)));
    assert_eq!((report.peak_segments, report.peak_calls), (2, 1));

    let transfers = handler("transfers").control(&[PING], async |y, _, k| y.yields(transfer(&k, ())).await).done();
    let report = run(with_handler(&transfers, many(n)));
    assert_eq!((report.shown().as_str(), report.peak_segments, report.peak_calls), ("'done'", 2, 2));
}

/// Semantics 2, 5: non-tail resumes nest; their depth is bounded by memory, not by the native stack.
#[test]
fn non_tail_resumes_nest_without_the_native_stack() {
    let n = if cfg!(miri) { 20 } else { 20_000 };
    let nests = handler("nests").control(&[PING], async |y, _, k| y.yields(resume(&k, ())).await).done();
    let report = run(with_handler(&nests, many(n)));
    assert_eq!(report.shown(), "'done'");
    assert_eq!(report.peak_calls, usize::try_from(n).unwrap() + 1);
    assert_eq!(report.peak_segments, 2, "dispatch opens no segment");
}

/// Semantics 2: `ResumeThrow` raises at the perform, where it can be caught.
#[test]
fn resume_throw_raises_at_the_perform() {
    let throws =
        handler("throws").control(&[PING], async |y, _, k| y.yields(resume_throw(&k, error("ValueError", "no"))).await);
    let body = program("body", async |y| match y.yields(ping(0)).await {
        Err(caught) if caught.is("ValueError") => Ok(("caught", caught.text()).into()),
        other => other,
    });
    assert_eq!(run(with_handler(&throws.done(), body)).shown(), "('caught', 'no')");
}

/// Semantics 3: an exception of the body reaches the clause that waits in `yield Resume`, and can be caught there.
#[test]
fn an_exception_of_the_body_reaches_the_clause_that_resumed_it() {
    let saves = handler("saves").control(&[PING], async |y, _, k| match y.yields(resume(&k, 1)).await {
        Err(caught) if caught.is("KeyError") => Ok("saved".into()),
        other => other,
    });
    let breaks = program("breaks", async |y| {
        y.yields(ping(0)).await?;
        Err(error("KeyError", "x"))
    });
    assert_eq!(run(with_handler(&saves.done(), breaks)).shown(), "'saved'");
}

/// Semantics 2: `Resume` continues *here*: outside of k's prompt are the handlers of the place of the `Resume`.
#[test]
fn a_resumed_body_finds_the_handlers_of_the_place_of_the_resume() {
    let log = Log::new();
    let moves = handler("moves").control(&[PING], async |y, _, k| {
        let inner = handler("inner").answers(&[TELL], |e| Ok(("inner", e.at(0)).into())).done();
        y.yields(with_handler(&inner, resume(&k, ()))).await
    });
    let body = program("body", async |y| {
        let before = y.yields(tell(1)).await?;
        y.yields(ping(0)).await?;
        Ok((before, y.yields(tell(2)).await?).into())
    });
    assert_eq!(run(nest(&[&teller(&log), &moves.done()], body)).shown(), "(None, ('inner', 2))");
    assert_eq!(log.text(), "1");
}

/// Semantics 2: `WithHandler` gives its program's result, and its handler is gone afterwards.
#[test]
fn a_handler_is_gone_after_its_block() {
    let h = answering("h", 5);
    let body = program("body", async move |y| {
        let inside = y.yields(with_handler(&h, ping(0))).await?;
        let outside = y.yields(ping(1)).await;
        Ok((inside, outside.unwrap_err().to_string()).into())
    });
    assert_eq!(run(body).shown(), "(5, 'UnhandledEffectError: Ping(1) in []')");
}

/// Semantics 2: what is not a handler is refused where it is installed, and can be caught there.
#[test]
fn an_installation_that_fails_raises_at_the_yield() {
    let body = program("body", async |y| {
        let refused = y.yields(with_handler(&3.into(), pure(1))).await;
        Ok(refused.unwrap_err().to_string().into())
    });
    assert_eq!(run(body).shown(), "'TypeError: 3 is no handler'");
}

/// Semantics 1: a step is one perform, one clause's answer, or one program entered, whatever the form of the clause.
#[test]
fn every_form_of_clause_counts_the_same_steps() {
    let forms = [
        handler("value").answers(&[PING], |_| Ok(1.into())).done(),
        handler("program").answers_by(&[PING], async |_, _| Ok(1.into())).done(),
        handler("tail").control(&[PING], async |_, _, k| Ok(resume(&k, 1))).done(),
        handler("nontail").control(&[PING], async |y, _, k| y.yields(resume(&k, 1)).await).done(),
        handler("transfer").control(&[PING], async |y, _, k| y.yields(transfer(&k, 1)).await).done(),
        handler("ends").control(&[PING], async |_, _, _| Ok(1.into())).done(),
    ];
    for form in forms {
        let report = run(with_handler(&form, asks(0)));
        assert_eq!((report.steps, report.result.is_err()), (3, false), "{form}");
    }
}

/// Semantics 2: an effect of a subclass does not disturb what is remembered for its base.
#[test]
fn classes_are_told_apart_in_one_place() {
    let loud = handler("loud").answers(&[LOUD_PING], |_| Ok("loud".into())).done();
    let body = program("body", async |y| {
        let mut seen = Vec::new();
        for effect in [ping(0), loud_ping(0), ping(0), loud_ping(0)] {
            seen.push(y.yields(effect).await?);
        }
        Ok(seen.into())
    });
    assert_eq!(run(nest(&[&answering("base", 1), &loud], body)).shown(), "[1, 'loud', 1, 'loud']");
}
