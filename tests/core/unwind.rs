//! Continuations that are let go. Law: semantics 3, "`k` is unwound where it is let go".

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::scripted::class::{PING, PONG, TELL};
use crate::scripted::{
    Log, Report, Shelf, Value, answering, blank_program, bracket, discontinue, error, function, handler, keeping, nest,
    pass, ping, pong, program, pure, resume_throw, run, seal, tell, teller, transfer, transfer_throw, with_handler,
};

/// A program that performs `Ping(n)`, and tells its name when it is left by an error.
fn leaves(name: &'static str, n: i64) -> Value {
    program(name, async move |y| {
        let came = y.yields(ping(n)).await;
        if let Err(met) = &came {
            y.yields(tell(format!("{name}:{met}"))).await?;
        }
        came
    })
}

/// Semantics 3: a program without a block is let go by an unwinding, not thrown into, and the blocks of the others run in their
/// order. A user's own error is thrown into each.
#[test]
fn a_program_without_a_block_is_let_go() {
    type Ends = fn(&Value) -> Value;
    let rows: [(Ends, &str, &str, usize); 2] = [
        (|_| "given up".into(), "'given up'", "first:Discontinued second", 0),
        (|k| resume_throw(k, error("KeyError", "x")), "KeyError: x", "first:KeyError: x second", 3),
    ];
    for (end, shown, seen, thrown_into) in rows {
        let (log, met) = (Log::new(), Arc::new(AtomicUsize::new(0)));
        let blank = |name, below: Value| {
            let met = Arc::clone(&met);
            blank_program(name, async move |y| {
                let came = y.yields(below.share()).await;
                met.fetch_add(usize::from(came.is_err()), Relaxed);
                came
            })
        };
        let inner = blank("inner", leaves("first", 0));
        let second = program("second", async move |y| {
            let came = y.yields(inner.share()).await;
            y.yields(tell("second")).await?;
            came
        });
        let clause = handler("clause").control(&[PING], async move |_, _, k| Ok(end(&k)));
        let body = blank("outer", blank("middle", second));
        let report = run(nest(&[&teller(&log), &clause.done()], body));
        assert_eq!((report.shown().as_str(), log.text().as_str()), (shown, seen));
        assert_eq!(met.load(Relaxed), thrown_into);
        let swept = report.listing.iter().any(|line| line == "sweep");
        assert_eq!(swept, thrown_into == 0, "two that die one after the other are too many for this host");
    }
}

fn unobserved(report: &Report) -> Vec<String> {
    report.unobserved.iter().map(|one| format!("{} at {:?}", one.error, one.origin)).collect()
}

/// Semantics 2: `Transfer`, `TransferThrow` and `Pass` finish the clause: its own open blocks are run first, by
/// `Discontinued` at that yield, effects handled.
#[test]
fn a_transfer_runs_the_clauses_own_blocks_first() {
    type Node = fn(&Value) -> Value;
    let rows: [(Node, &str, &str); 3] = [
        (|k| transfer(k, 5), "5", "clause:Discontinued"),
        (|k| transfer_throw(k, error("KeyError", "x")), "KeyError: x", "clause:Discontinued body:KeyError: x"),
        (|_| pass(), "1", "clause:Discontinued"),
    ];
    for (node, value, seen) in rows {
        let log = Log::new();
        let clause = handler("clause").control(&[PING], async move |y, _, k| {
            let met = y.yields(node(&k)).await.unwrap_err();
            y.yields(tell(format!("clause:{met}"))).await?;
            Err(met)
        });
        let report = run(nest(&[&answering("outer", 1), &teller(&log), &clause.done()], leaves("body", 0)));
        assert_eq!((report.shown().as_str(), log.text().as_str()), (value, seen));
    }
}

/// Semantics 2: `Transfer` unwinds the blocks of programs that the clause called, too, innermost first.
#[test]
fn a_transfer_from_a_nested_program_unwinds_up_to_the_clause() {
    let log = Log::new();
    let inner = program("inner", async |y| {
        let k = y.yields(crate::scripted::get_continuation()).await?;
        let met = y.yields(transfer(&k, 5)).await.unwrap_err();
        y.yields(tell("inner")).await?;
        Err(met)
    });
    let clause = handler("clause").control(&[PING], async move |y, _, _| {
        let met = y.yields(with_handler(&answering("around", 3), &inner)).await.unwrap_err();
        y.yields(tell("clause")).await?;
        Err(met)
    });
    let report = run(nest(&[&teller(&log), &clause.done()], leaves("body", 0)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("5", "inner clause"));
}

/// Semantics 2: a transfer to another continuation unwinds the clause's own unused `k` before control moves.
#[test]
fn a_transfer_elsewhere_unwinds_the_own_k_before_control_moves() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "kept");
    let moves = handler("moves").control(&[PING], async move |y, _, _| {
        let target = shelf.take();
        y.yields(transfer(&target, "moved")).await
    });
    let moves = moves.done();
    let block = program("block", async move |y| {
        let kept = y.yields(with_handler(&keeps, leaves("target", 0))).await?;
        let came = y.yields(with_handler(&moves, leaves("own", 1))).await?;
        Ok((kept, came).into())
    });
    let report = run(with_handler(&teller(&log), block));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("('kept', 'moved')", "own:Discontinued"));
}

/// The same from a value clause: its body, which waits for the answer, is unwound.
#[test]
fn a_transfer_out_of_a_value_clause_unwinds_its_body() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "kept");
    let moves = handler("moves").answers_by(&[PING], async move |y, _| {
        let target = shelf.take();
        y.yields(transfer(&target, "moved")).await
    });
    let moves = moves.done();
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, leaves("target", 0))).await?;
        y.yields(with_handler(&moves, leaves("own", 1))).await
    });
    let report = run(with_handler(&teller(&log), block));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'moved'", "own:Discontinued"));
}

/// When the clause's own clean-up raises e, the transfer does not happen: e goes to the performer while `k` is unused.
#[test]
fn a_clean_up_that_raises_in_the_clause_goes_to_the_performer() {
    let breaks = handler("breaks").control(&[PING], async |y, _, k| {
        y.yields(transfer(&k, 5)).await.unwrap_err();
        Err(error("KeyError", "clean-up"))
    });
    let log = Log::new();
    let report = run(nest(&[&teller(&log), &breaks.done()], leaves("body", 0)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("KeyError: clean-up", "body:KeyError: clean-up"));
}

/// The foreign `k` that was to be transferred to is then lost: it is unwound as a lost kept `k`.
#[test]
fn a_transfer_that_did_not_happen_loses_its_target() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = nest(&[&keeping(&shelf, "kept"), &teller(&log)], leaves("target", 0));
    let breaks = handler("breaks").control(&[PING], async move |y, _, _| {
        let target = shelf.take();
        y.yields(transfer(&target, 5)).await.unwrap_err();
        Err(error("KeyError", "clean-up"))
    });
    let breaks = breaks.done();
    let block = program("block", async move |y| {
        y.yields(&keeps).await?;
        let met = y.yields(with_handler(&breaks, leaves("own", 1))).await.unwrap_err();
        Ok(met.to_string().into())
    });
    let report = run(with_handler(&teller(&log), block));
    assert_eq!(report.shown(), "'KeyError: clean-up'");
    let mut seen: Vec<_> = log.text().split(' ').map(str::to_owned).collect();
    seen.sort();
    assert_eq!(seen, ["clean-up", "own:KeyError:", "target:Discontinued"]);
}

/// The same when the own `k`'s clean-up raises: it goes outward, and the target is lost.
#[test]
fn a_clean_up_of_the_own_k_that_raises_goes_outward_and_loses_the_target() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = nest(&[&keeping(&shelf, "kept"), &teller(&log)], leaves("target", 0));
    let moves = handler("moves").control(&[PING], async move |y, _, _| {
        let target = shelf.take();
        y.yields(transfer(&target, 5)).await
    });
    let moves = moves.done();
    let own = program("own", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("KeyError", "own clean-up"))
    });
    let block = program("block", async move |y| {
        y.yields(&keeps).await?;
        Ok(y.yields(with_handler(&moves, &own)).await.unwrap_err().to_string().into())
    });
    let report = run(block);
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'KeyError: own clean-up'", "target:Discontinued"));
}

/// Semantics 2: `Discontinue(k)` unwinds here, explicitly, and evaluates to `None`; what the body says is dropped.
#[test]
fn discontinue_unwinds_here_and_gives_none() {
    let log = Log::new();
    let lets_go = handler("lets_go").control(&[PING], async |y, _, k| {
        let came = y.yields(discontinue(&k)).await?;
        y.yields(tell("after")).await?;
        Ok(("clause", came).into())
    });
    let report = run(nest(&[&teller(&log), &lets_go.done()], leaves("body", 0)));
    assert_eq!(report.shown(), "('clause', None)");
    assert_eq!(log.text(), "body:Discontinued after");
}

/// Semantics 3: an unwinding swallows exactly the instance that it threw; another `Discontinued` goes on.
#[test]
fn an_unwinding_swallows_only_its_own_discontinued() {
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let replaces = program("replaces", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("Discontinued", "another"))
    });
    assert_eq!(run(with_handler(&stop, replaces)).shown(), "Discontinued: another");
}

/// Prompts nested inside the chain behave normally while it is unwound: their `result` maps what their body comes to.
#[test]
fn prompts_nested_inside_an_unwound_chain_behave_normally() {
    let log = Log::new();
    let marks = |name: &'static str| {
        let log = log.clone();
        handler(name).answers(&[PONG], |_| Ok(0.into())).result(async move |_, value| {
            log.say(format!("{name}:{value}"));
            Ok(value)
        })
    };
    let stop = marks("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let nested = marks("nested").done();
    let stubborn = program("stubborn", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Ok("went on".into())
    });
    assert_eq!(run(nest(&[&stop, &nested], stubborn)).shown(), "'stopped'");
    assert_eq!(log.text(), "nested:'went on'");
}

/// Semantics 3: a kept `k` that is dropped is unwound at the root, where only the handlers that it contains are left.
#[test]
fn a_lost_k_is_unwound_with_only_the_handlers_that_it_contains() {
    let (shelf, inner, outer) = (Shelf::new(), Log::new(), Log::new());
    let body = nest(&[&keeping(&shelf, "kept"), &teller(&inner)], leaves("body", 0));
    let block = program("block", async move |y| {
        let kept = y.yields(&body).await?;
        shelf.clear();
        y.yields(tell("went on")).await?;
        Ok(kept)
    });
    let report = run(with_handler(&teller(&outer), block));
    assert_eq!(report.shown(), "'kept'");
    assert_eq!((inner.text().as_str(), outer.text().as_str()), ("body:Discontinued", "went on"));
    assert!(report.unobserved.is_empty());
}

/// What its handlers do not accept is `UnhandledEffectError` there; the error is unobserved, with where it came from.
#[test]
fn what_a_lost_k_cannot_perform_is_unobserved() {
    let (shelf, outer) = (Shelf::new(), Log::new());
    let body = with_handler(&keeping(&shelf, "kept"), leaves("body", 0));
    let block = program("block", async move |y| {
        y.yields(&body).await?;
        shelf.clear();
        y.yields(tell("went on")).await
    });
    let report = run(with_handler(&teller(&outer), block));
    assert_eq!((report.shown().as_str(), outer.text().as_str()), ("None", "went on"));
    let expected = "UnhandledEffectError: Tell('body:Discontinued') in [keeps] at Some(\"'body'\")";
    assert_eq!(unobserved(&report), [expected]);
}

/// An error of a lost `k`'s clean-up that is no `Exception` is thrown into the running program.
#[test]
fn a_non_exception_of_a_lost_k_is_thrown_into_the_running_program() {
    let shelf = Shelf::new();
    let breaks = program("breaks", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("KeyboardInterrupt", ""))
    });
    let body = with_handler(&keeping(&shelf, "kept"), breaks);
    let block = program("block", async move |y| {
        y.yields(&body).await?;
        shelf.clear();
        let met = y.yields(pure(1)).await.unwrap_err();
        Ok(met.to_string().into())
    });
    assert_eq!(run(block).shown(), "'KeyboardInterrupt'");
}

/// At the end of the run what is still kept is unwound in the order of capture, before the result is given.
#[test]
fn what_is_left_at_the_end_is_unwound_in_the_order_of_capture() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "kept");
    let names = ["first", "second", "third"];
    let inner = teller(&log);
    let bodies: Vec<Value> = names.iter().map(|name| nest(&[&keeps, &inner], leaves(name, 0))).collect();
    let block = program("block", async move |y| {
        for body in &bodies {
            y.yields(body).await?;
        }
        Ok("ended".into())
    });
    let report = run(block);
    assert_eq!(report.shown(), "'ended'");
    assert_eq!(log.text(), "first:Discontinued second:Discontinued third:Discontinued");
    shelf.clear();
}

/// The same when the run fails: its error stands, what the clean-ups raise is unobserved.
#[test]
fn what_is_left_of_a_failed_run_is_unwound_and_its_error_stands() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "kept");
    let breaks = program("breaks", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("ValueError", "clean-up"))
    });
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, &breaks)).await?;
        Err(error("KeyError", "the run's own"))
    });
    let report = run(block);
    assert_eq!(report.shown(), "KeyError: the run's own");
    assert_eq!(unobserved(&report), ["ValueError: clean-up at Some(\"'breaks'\")"]);
}

/// A clean-up at the end that keeps again is unwound again: nothing is left suspended.
#[test]
fn a_clean_up_at_the_end_that_keeps_again_is_unwound_again() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let seen = log.clone();
    let stubborn = program("stubborn", async move |y| {
        for n in 0..4 {
            let met = y.yields(ping(n)).await.unwrap_err();
            seen.say(format!("{n}:{met}"));
        }
        Ok(().into())
    });
    let report = run(with_handler(&keeping(&shelf, "kept"), stubborn));
    assert_eq!(report.shown(), "'kept'");
    assert_eq!(log.text(), "0:Discontinued 1:Discontinued 2:Discontinued 3:Discontinued");
}

/// A lost chain in which a value clause works: its body, which waits for the answer, is unwound through the clause.
#[test]
fn a_lost_chain_with_a_value_clause_at_work_unwinds_the_body_that_waits() {
    for at_the_end in [false, true] {
        let (shelf, log) = (Shelf::new(), Log::new());
        let seen = log.clone();
        let works = handler("works").answers_by(&[PONG], async move |y, _| {
            let came = y.yields(ping(0)).await;
            seen.say(format!("clause:{}", came.as_ref().unwrap_err()));
            came
        });
        let seen = log.clone();
        let body = program("body", async move |y| {
            let came = y.yields(pong(0)).await;
            seen.say(format!("body:{}", came.as_ref().unwrap_err()));
            came
        });
        let kept = nest(&[&keeping(&shelf, "kept"), &works.done()], body);
        let from = shelf.clone();
        let block = program("block", async move |y| {
            let kept = y.yields(&kept).await?;
            if !at_the_end {
                from.clear();
            }
            Ok(kept)
        });
        let report = run(block);
        assert_eq!(report.shown(), "'kept'");
        assert_eq!(log.text(), "clause:Discontinued body:Discontinued", "at the end: {at_the_end}");
        assert!(report.unobserved.is_empty());
    }
}

/// A kept chain in which a transfer waits for a clean-up is unwound before what it waits to move to: the clean-up says
/// whether the move still happens, and each chain is ended once.
#[test]
fn a_transfer_that_waits_in_a_kept_chain_is_ended_before_its_target() {
    for moves_on in [false, true] {
        let (shelf, log) = (Shelf::new(), Log::new());
        let inner = teller(&log);
        let target = nest(&[&keeping(&shelf, "target"), &inner], leaves("target", 0));
        let from = shelf.clone();
        let moves = handler("moves").control(&[PONG], async move |y, _, _| {
            let target = from.take();
            let first = y.yields(transfer(&target, 5)).await.unwrap_err();
            // The clean-up performs what is kept: the transfer waits in a kept chain now.
            let second = y.yields(ping(1)).await.unwrap_err();
            Err(if moves_on { first } else { second })
        });
        let kept_mover = nest(&[&keeping(&shelf, "mover"), &inner, &moves.done()], pong(0));
        let block = program("block", async move |y| {
            y.yields(&target).await?;
            y.yields(&kept_mover).await
        });
        let report = run(block);
        assert_eq!(report.shown(), "'mover'");
        assert_eq!(log.text(), if moves_on { "" } else { "target:Discontinued" });
        assert!(report.unobserved.is_empty(), "{:?}", unobserved(&report));
    }
}

type Use = fn() -> Value;

/// Semantics 2: `release` of a bracket runs whatever happens: value, error, `Discontinued`; its effects are handled.
#[test]
fn a_bracket_releases_whatever_happens() {
    let release = || function("release", async |_, mut arguments| Ok(tell(arguments.remove(0))));
    let uses = |name: &str, outcome: fn() -> Value| function(name, async move |_, _| Ok(outcome()));
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let fails = || program("fails", async |_| Err(error("KeyError", "x")));
    let rows: [(Use, &str); 2] = [(|| pure(1), "1"), (|| ping(0), "'stopped'")];
    for (outcome, value) in rows {
        let log = Log::new();
        let program = bracket(pure("resource"), &uses("use", outcome), &release());
        let report = run(nest(&[&teller(&log), &stop], program));
        assert_eq!((report.shown().as_str(), log.text().as_str()), (value, "resource"));
    }
    let log = Log::new();
    let failing = function("use", async move |_, _| Ok(fails()));
    let report = run(with_handler(&teller(&log), bracket(pure("resource"), &failing, &release())));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("KeyError: x", "resource"));
}

/// An error of `release` takes the place of the use's, with it as context.
#[test]
fn an_error_of_release_takes_the_place_with_the_earlier_one_as_context() {
    let failing = |name: &'static str| {
        function(name, async move |_, _| Ok(program("fails", async move |_| Err(error("KeyError", name)))))
    };
    let report = run(bracket(pure(0), &failing("use"), &failing("release")));
    assert_eq!(report.shown(), "KeyError: release");
    assert_eq!(report.error().context().unwrap().to_string(), "KeyError: use");
}

/// An acquisition that fails releases nothing.
#[test]
fn a_failed_acquisition_releases_nothing() {
    let never = function("never", async |_, _| panic!("nothing was acquired"));
    let fails = program("fails", async |_| Err(error("KeyError", "x")));
    assert_eq!(run(bracket(fails, &never, &never)).shown(), "KeyError: x");
}

/// Clean-up effects meet walls as others do.
#[test]
fn a_clean_up_meets_the_walls_of_its_place() {
    let log = Log::new();
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let body = program("body", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        y.yields(tell("x")).await
    });
    let report = run(with_handler(&teller(&log), with_handler(&stop, seal(&[PING], body))));
    assert_eq!(report.shown(), "UnhandledEffectError: Tell('x') in [], at a wall");
}

/// A thousand lost continuations are unwound in the order of capture, and nothing is left of them.
#[test]
fn many_lost_continuations_are_unwound() {
    let n = if cfg!(miri) { 10 } else { 1_000 };
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "kept");
    let seen = log.clone();
    let body = function("body", async move |y, mut arguments| {
        let number = arguments.remove(0);
        let came = y.yields(ping(0)).await;
        seen.say(number);
        came
    });
    let block = program("block", async move |y| {
        for number in 0..n {
            y.yields(with_handler(&keeps, crate::scripted::call(&body, vec![number.into()]))).await?;
        }
        shelf.clear();
        y.yields(pure("went on")).await
    });
    let report = run(block);
    assert_eq!(report.shown(), "'went on'");
    let expected: Vec<_> = (0..n).map(|number| number.to_string()).collect();
    assert_eq!(log.text(), expected.join(" "));
}

/// Self-exclusion holds for a clean-up that a clause lets go: it runs from the clause's place.
#[test]
fn a_clean_up_that_a_clause_lets_go_finds_the_handlers_of_the_clauses_place() {
    let log = Log::new();
    let local = handler("local").answers(&[TELL], |e| Ok(("local", e.at(0)).into())).done();
    let lets_go = handler("lets_go").control(&[PING], async move |y, _, k| {
        y.yields(with_handler(&local, discontinue(&k))).await?;
        Ok("ended".into())
    });
    let report = run(nest(&[&teller(&log), &lets_go.done()], leaves("body", 0)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'ended'", ""));
}
