//! How a clause ends. Laws: semantics 2 and 3; the table is `specs/ends.md`.
//!
//! `k` is *unused* when it was neither used nor kept.

use crate::scripted::class::{PING, TELL};
use crate::scripted::{
    Log, Report, Shelf, Value, answering, asks, delegate, discontinue, error, handler, keeping, nest, pass, ping,
    program, pure, resume, resume_throw, run, tell, teller, transfer, transfer_throw, with_handler,
};

/// A body that shows in the log how it is left, and catches a `ValueError`.
fn careful() -> Value {
    program("careful", async |y| {
        let answer = y.yields(ping(1)).await;
        y.yields(tell(match &answer {
            Ok(value) => format!("got:{value}"),
            Err(caught) => format!("met:{caught}"),
        }))
        .await?;
        match answer {
            Err(caught) if caught.is("ValueError") => Ok("caught".into()),
            other => other,
        }
    })
}

/// Runs `careful` under the handler, inside a block that tells what the `WithHandler` came to.
fn under(handler: Value) -> (String, String) {
    let (report, log) = reported(handler);
    (report.shown(), log)
}

fn reported(handler: Value) -> (Report, String) {
    let log = Log::new();
    let block = program("block", async move |y| {
        let came = y.yields(with_handler(&handler, careful())).await;
        y.yields(tell("after")).await?;
        came
    });
    let report = run(nest(&[&teller(&log)], block));
    (report, log.text())
}

fn pair(value: &str, log: &str) -> (String, String) {
    (value.to_owned(), log.to_owned())
}

/// Value clause, returns v: v is the answer at the perform. It never has a `k`.
#[test]
fn what_a_value_clause_returns_is_the_answer() {
    let expected = pair("5", "got:5 after");
    assert_eq!(under(handler("h").answers(&[PING], |_| Ok(5.into())).done()), expected);
    let by_program = handler("h").answers_by(&[PING], async |y, _| {
        y.yields(tell("working")).await?;
        Ok(5.into())
    });
    assert_eq!(under(by_program.done()), pair("5", "working got:5 after"));
}

/// Value clause, raises e: e is raised at the perform.
#[test]
fn what_a_value_clause_raises_is_raised_at_the_perform() {
    let expected = pair("'caught'", "met:ValueError: no after");
    assert_eq!(under(handler("h").answers(&[PING], |_| Err(error("ValueError", "no"))).done()), expected);
    let by_program = handler("h").answers_by(&[PING], async |_, _| Err(error("ValueError", "no"))).done();
    assert_eq!(under(by_program), expected);
}

/// Any clause, returns `Pass()` unused: effect and body go to the next handler outside.
#[test]
fn a_returned_pass_hands_the_effect_outward() {
    let forms = [
        handler("value").answers(&[PING], |_| Ok(pass())).done(),
        handler("program").answers_by(&[PING], async |_, _| Ok(pass())).done(),
        handler("control").control(&[PING], async |_, _, _| Ok(pass())).done(),
        handler("yields").control(&[PING], async |y, _, _| y.yields(pass()).await).done(),
        handler("by").answers_by(&[PING], async |y, _| y.yields(pass()).await).done(),
    ];
    for form in forms {
        let body = nest(&[&answering("outer", 4), &form], asks(1));
        assert_eq!(run(body).shown(), "4", "{form}");
        let nobody = with_handler(&form, asks(1));
        let name = form.to_string().replace("<handler ", "").replace('>', "");
        assert_eq!(run(nobody).shown(), format!("UnhandledEffectError: Ping(1) in [{name}]"), "at the performer");
    }
}

/// Any clause, returns `Delegate()`: the outer answer is the clause's result, for a value clause the answer.
#[test]
fn a_returned_delegate_makes_the_outer_answer_the_clauses_result() {
    let outer = answering("outer", 4);
    let body = || program("body", async |y| Ok(("body", y.yields(ping(1)).await?).into()));
    let value = handler("value").answers(&[PING], |_| Ok(delegate())).done();
    assert_eq!(run(nest(&[&outer, &value], body())).shown(), "('body', 4)");
    let by_program = handler("program").answers_by(&[PING], async |_, _| Ok(delegate())).done();
    assert_eq!(run(nest(&[&outer, &by_program], body())).shown(), "('body', 4)");
    let control = handler("control").control(&[PING], async |_, _, _| Ok(delegate())).done();
    assert_eq!(run(nest(&[&outer, &control], body())).shown(), "4", "it ends the block");
}

/// The answer of a returned `Delegate()` is a value, also when it is a node that would end a clause.
#[test]
fn the_answer_of_a_returned_delegate_is_not_evaluated_again() {
    for form in ["value", "control"] {
        let outer = handler("outer").control(&[PING], async |_, _, k| Ok(resume(&k, delegate()))).done();
        let inner = match form {
            "value" => handler(form).answers(&[PING], |_| Ok(delegate())),
            _ => handler(form).control(&[PING], async |_, _, _| Ok(delegate())),
        };
        assert_eq!(run(nest(&[&outer, &inner.done()], asks(1))).shown(), "Delegate()", "{form}");
    }
}

/// `Delegate` in the middle of a clause: the answer comes back to the clause, which still owns `k`.
#[test]
fn a_yielded_delegate_gives_the_outer_answer_to_the_clause() {
    let outer = handler("outer").control(&[PING], async |_, _, k| Ok(resume(&k, 42))).done();
    let doubles = handler("doubles").control(&[PING], async |y, _, k| {
        let answer = y.yields(delegate()).await?.int();
        Ok(resume(&k, answer * 2))
    });
    assert_eq!(run(nest(&[&outer, &doubles.done()], asks(1))).shown(), "84");
}

/// `Delegate` with nobody outside is `UnhandledEffectError` at its own yield, where the clause can catch it.
#[test]
fn a_delegate_with_nobody_outside_fails_at_its_own_yield() {
    let tries = handler("tries").control(&[PING], async |y, _, k| {
        let refused = y.yields(delegate()).await.unwrap_err();
        Ok(resume(&k, refused.to_string()))
    });
    assert_eq!(run(with_handler(&tries.done(), asks(1))).shown(), "'UnhandledEffectError: Ping(1) in []'");
}

/// Control clause, returns v with `k` unused: the body is unwound first, then v is the block's result.
#[test]
fn a_control_clause_that_returns_ends_the_body_before_its_value_counts() {
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    assert_eq!(under(stop), pair("'stopped'", "met:Discontinued after"));
}

/// Control clause, returns v with `k` used: v is the value of what stands under the clause.
#[test]
fn a_control_clause_that_used_its_k_gives_its_value_to_what_stands_under_it() {
    let uses = handler("uses").control(&[PING], async |y, _, k| {
        let came = y.yields(resume(&k, 3)).await?;
        Ok(("clause", came).into())
    });
    assert_eq!(under(uses.done()), pair("('clause', 3)", "got:3 after"));
}

/// Control clause, returns v with `k` kept: v is the block's result, the body waits; left at the end, it is unwound.
#[test]
fn a_control_clause_that_kept_its_k_gives_its_value_and_the_body_waits() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "later");
    let twice = program("twice", async move |y| {
        let first = y.yields(with_handler(&keeps, careful())).await?;
        y.yields(tell("between")).await?;
        let second = y.yields(resume(&shelf.take(), 9)).await?;
        Ok((first, second).into())
    });
    assert_eq!(run(with_handler(&teller(&log), twice)).shown(), "('later', 9)");
    assert_eq!(log.text(), "between got:9");
}

/// Control clause, raises e with `k` unused: e is delivered to the performer, at the perform.
#[test]
fn what_a_clause_raises_before_using_its_k_is_raised_at_the_perform() {
    let fails = handler("fails").control(&[PING], async |_, _, _| Err(error("ValueError", "no"))).done();
    assert_eq!(under(fails), pair("'caught'", "met:ValueError: no after"));
}

/// Control clause, raises e with `k` used: e goes on outward from the clause's place.
#[test]
fn what_a_clause_raises_after_using_its_k_goes_outward() {
    let fails = handler("fails").control(&[PING], async |y, _, k| {
        y.yields(resume(&k, 1)).await?;
        Err(error("ValueError", "late"))
    });
    assert_eq!(under(fails.done()), pair("ValueError: late", "got:1 after"));
}

/// Control clause, raises e with `k` kept: e goes on outward; the kept body is not involved.
#[test]
fn what_a_clause_raises_after_keeping_its_k_goes_outward() {
    let shelf = Shelf::new();
    let keeps = {
        let shelf = shelf.clone();
        handler("keeps").control(&[PING], async move |_, _, k| {
            shelf.put(k.keep()?);
            Err(error("ValueError", "kept"))
        })
    };
    let keeps = keeps.done();
    let block = program("block", async move |y| {
        let caught = y.yields(with_handler(&keeps, asks(1))).await.unwrap_err();
        let resumed = y.yields(resume(&shelf.take(), 6)).await?;
        Ok((caught.to_string(), resumed).into())
    });
    assert_eq!(run(block).shown(), "('ValueError: kept', 6)");
}

/// A clause of any form returns a node for its own `k`: it is evaluated in the clause's place.
#[test]
fn a_returned_node_for_the_own_k_is_evaluated_in_the_clauses_place() {
    type Node = fn(&Value) -> Value;
    let rows: [(Node, &str, &str); 5] = [
        (|k| resume(k, 8), "8", "got:8 after"),
        (|k| transfer(k, 8), "8", "got:8 after"),
        (|k| resume_throw(k, error("ValueError", "no")), "'caught'", "met:ValueError: no after"),
        (|k| transfer_throw(k, error("ValueError", "no")), "'caught'", "met:ValueError: no after"),
        (discontinue, "None", "met:Discontinued after"),
    ];
    for (node, value, log) in rows {
        let returns = handler("returns").control(&[PING], async move |_, _, k| Ok(node(&k))).done();
        assert_eq!(under(returns), pair(value, log));
        let yields = handler("yields").control(&[PING], async move |y, _, k| y.yields(node(&k)).await).done();
        assert_eq!(under(yields), pair(value, log));
    }
}

/// A node for a foreign `k`, or any other program, that a clause returns is a plain value.
#[test]
fn a_returned_program_or_node_for_a_foreign_k_is_a_plain_value() {
    let program_value = handler("h").control(&[PING], async |_, _, _| Ok(pure(1))).done();
    assert_eq!(under(program_value), pair("Pure(1)", "met:Discontinued after"));

    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "later");
    let foreign = handler("foreign").control(&[PING], async move |_, _, _| Ok(resume(&shelf.take(), 1))).done();
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, asks(1))).await?;
        let node = y.yields(with_handler(&foreign, asks(2))).await?;
        let shown = node.to_string();
        Ok((shown, y.yields(node).await?).into())
    });
    assert_eq!(run(block).shown(), "('Resume(k, 1)', 1)", "it is a value, and usable");
}

/// Semantics 2: a value with which a clause ends the block does not pass `result`; a normal return of the body does,
/// and the value of a non-tail `Resume` is after it.
#[test]
fn only_a_normal_return_of_the_body_passes_result() {
    let marks = |h: crate::scripted::script::Building| h.result(async |_, value| Ok(("result", value).into())).done();
    let ends = marks(handler("ends").control(&[PING], async |_, _, _| Ok("ended".into())));
    assert_eq!(under(ends).0, "'ended'");
    let tail = marks(handler("tail").control(&[PING], async |_, _, k| Ok(resume(&k, 1))));
    assert_eq!(under(tail).0, "('result', 1)");
    let wraps =
        handler("wraps").control(&[PING], async |y, _, k| Ok(("clause", y.yields(resume(&k, 1)).await?).into()));
    assert_eq!(under(marks(wraps)).0, "('clause', ('result', 1))");
}

/// An ended block runs `exit`, not `result`; `error` only for an `Exception` of a clean-up, and its answer is dropped.
#[test]
fn an_ended_block_runs_exit_and_error_only_for_an_exception_of_a_clean_up() {
    let seen = Log::new();
    let hooked = |ends: &'static str| {
        let (exit, failed) = (seen.clone(), seen.clone());
        handler("hooked")
            .control(&[PING], async move |_, _, _| Ok(ends.into()))
            .result(async |_, _| Ok("result".into()))
            .error(async move |_, error| {
                failed.say(format!("error:{error}"));
                Ok("answer of error".into())
            })
            .exit(async move |_, _| {
                exit.say("exit");
                Ok(().into())
            })
            .done()
    };
    assert_eq!(under(hooked("one")), pair("'one'", "met:Discontinued after"));
    assert_eq!(seen.text(), "exit");

    let fails = program("fails", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("ValueError", "clean-up"))
    });
    assert_eq!(run(with_handler(&hooked("two"), fails)).shown(), "'two'", "`error` answered the clean-up's error");
    assert_eq!(seen.text(), "exit error:Err(ValueError: clean-up) exit");
}

/// A clean-up error leaves the `WithHandler` in place of the clause's value.
#[test]
fn a_clean_up_that_raises_takes_the_place_of_the_clauses_value() {
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let fails = program("fails", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        Err(error("KeyError", "clean-up"))
    });
    assert_eq!(run(with_handler(&stop, fails)).shown(), "KeyError: clean-up");
}

/// A body that catches `Discontinued` runs on as a normal body, and its result is dropped without passing `result`.
#[test]
fn a_body_that_catches_discontinued_runs_on_and_its_result_is_dropped() {
    let (seen, log) = (Log::new(), Log::new());
    let marks = seen.clone();
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).result(async move |_, value| {
        marks.say("result");
        Ok(value)
    });
    let stubborn = program("stubborn", async |y| {
        y.yields(ping(0)).await.unwrap_err();
        y.yields(tell("goes on")).await?;
        Ok("dropped".into())
    });
    assert_eq!(run(nest(&[&teller(&log), &stop.done()], stubborn)).shown(), "'stopped'");
    assert_eq!((log.text().as_str(), seen.text().as_str()), ("goes on", ""));
}

/// The deep handler may end the clean-up again: what that clause returns is dropped, the first clause's value stands.
#[test]
fn a_clean_up_that_is_ended_again_leaves_the_first_value() {
    let stop = handler("stop").control(&[PING], async |_, e, _| Ok(e.at(0))).done();
    let log = Log::new();
    let stubborn = program("stubborn", async |y| {
        for number in 1..4 {
            let met = y.yields(ping(number)).await.unwrap_err();
            y.yields(tell(format!("{number}:{met}"))).await?;
        }
        Ok("dropped".into())
    });
    assert_eq!(run(nest(&[&teller(&log), &stop], stubborn)).shown(), "1");
    assert_eq!(log.text(), "1:Discontinued 2:Discontinued 3:Discontinued");
}

/// Semantics 2: using `k` after `Pass` is refused, and `Pass` after `k` was used or kept is refused at its yield.
#[test]
fn pass_after_k_was_used_or_kept_is_refused_at_its_yield() {
    let used = handler("used").control(&[PING], async |y, _, k| {
        let came = y.yields(resume(&k, 1)).await?;
        let refused = y.yields(pass()).await.unwrap_err();
        Ok((came, refused.to_string()).into())
    });
    let outer = answering("outer", 9);
    let expected = "(1, 'ContinuationError: Pass after k was used or kept')";
    assert_eq!(run(nest(&[&outer, &used.done()], asks(1))).shown(), expected);

    let kept = handler("kept").control(&[PING], async |y, _, k| {
        let _k = k.keep()?;
        y.yields(pass()).await
    });
    let report = run(nest(&[&outer, &kept.done()], asks(1)));
    assert_eq!(report.shown(), "ContinuationError: Pass after k was used or kept");
}

/// `Transfer`, `Pass`, `Delegate` and `GetContinuation` outside a clause are errors at that yield.
#[test]
fn nodes_of_clauses_are_refused_outside_of_clauses() {
    let body = program("body", async |y| {
        let mut seen = Vec::new();
        for node in [pass(), delegate(), crate::scripted::get_continuation()] {
            seen.push(y.yields(node).await.unwrap_err().to_string());
        }
        Ok(seen.into())
    });
    let expected = "['ContinuationError: Pass outside a clause', 'ContinuationError: Delegate outside a clause', \
                    'ContinuationError: GetContinuation outside a clause']";
    assert_eq!(run(body).shown(), expected);
}

/// A body that a clause resumed is not inside that clause: `Delegate` in it means nothing.
#[test]
fn a_resumed_body_is_not_inside_the_clause_that_resumed_it() {
    let nontail = handler("nontail").control(&[PING], async |y, _, k| y.yields(resume(&k, 0)).await).done();
    let body = program("body", async |y| {
        y.yields(ping(0)).await?;
        Ok(y.yields(delegate()).await.unwrap_err().to_string().into())
    });
    assert_eq!(run(with_handler(&nontail, body)).shown(), "'ContinuationError: Delegate outside a clause'");
}

/// `GetContinuation` is the clause's own `k`, also in a program that the clause calls; a value clause has none.
#[test]
fn get_continuation_is_the_clauses_own_k() {
    let nested = program("nested", async |y| {
        let k = y.yields(crate::scripted::get_continuation()).await?;
        y.yields(resume(&k, 11)).await
    });
    let gets = handler("gets").control(&[PING], async move |y, _, _| y.yields(&nested).await).done();
    assert_eq!(run(with_handler(&gets, asks(0))).shown(), "11");
    let value = handler("value").answers_by(&[PING], async |y, _| y.yields(crate::scripted::get_continuation()).await);
    assert_eq!(run(with_handler(&value.done(), asks(0))).shown(), "ContinuationError: a value clause has no k");
}

/// Semantics 2: in a chain of clauses each `Delegate` reaches the next one out, and the answers come back in order.
#[test]
fn delegates_form_a_chain() {
    let adds = |n: i64| {
        handler("adds").control(&[PING], async move |y, _, k| {
            let answer = y.yields(delegate()).await?.int();
            Ok(resume(&k, answer * 10 + n))
        })
    };
    let (first, second) = (adds(1).done(), adds(2).done());
    assert_eq!(run(nest(&[&answering("outer", 7), &first, &second], asks(0))).shown(), "712");
}

/// A clause's `Tell` after a `Discontinue(k)`, then a raise: the way to fail outward.
#[test]
fn discontinue_then_raise_fails_outward() {
    let fails = handler("fails").control(&[PING], async |y, _, k| {
        y.yields(discontinue(&k)).await?;
        y.yields(tell("discontinued")).await?;
        Err(error("ValueError", "outward"))
    });
    assert_eq!(under(fails.done()), pair("ValueError: outward", "met:Discontinued discontinued after"));
}

/// Semantics 2: a clean-up's effects are handled by the handlers that `k` contains first, then by those around.
#[test]
fn a_clean_up_is_handled_by_the_handlers_inside_k_first() {
    let log = Log::new();
    let inner = handler("inner").answers(&[TELL], |e| Ok(("inner", e.at(0)).into())).done();
    let seen = log.clone();
    let body = program("body", async move |y| {
        y.yields(ping(0)).await.unwrap_err();
        seen.say(y.yields(tell("x")).await?);
        Ok(().into())
    });
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok(().into())).done();
    run(nest(&[&teller(&log), &stop, &inner], body));
    assert_eq!(log.text(), "('inner', 'x')");
}
