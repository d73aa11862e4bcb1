//! Programs and what their nodes come to. Laws: semantics 1 and 5.

use segue::core::step::Outcome;

use crate::scripted::class::{PING, PONG};
use crate::scripted::host::{Clones, Scripted};
use crate::scripted::{
    Run, Stop, Value, answering, asks, attempt, call, call_node, error, escape, flat_map, function,
    get_execution_context, handler, map, nest, ping, program, pure, resume, run, with_handler,
};

fn adds(n: i64) -> Value {
    function("adds", async move |_, arguments| Ok((arguments[0].int() + n).into()))
}

/// `Pure` delivers; `Map` delivers the function's value, whatever it is; `FlatMap` evaluates the program it gives.
#[test]
fn values_are_mapped_and_programs_are_chained() {
    assert_eq!(run(pure(1)).shown(), "1");
    assert_eq!(run(map(pure(1), &adds(1))).shown(), "2");
    let gives_program = function("gives", async |_, arguments| Ok(pure(arguments[0].int() * 10)));
    assert_eq!(run(map(pure(1), &gives_program)).shown(), "Pure(10)", "what a function returns is a value");
    assert_eq!(run(flat_map(pure(1), &gives_program)).shown(), "10");
    assert_eq!(run(call_node(&gives_program, vec![4.into()])).shown(), "40");
}

/// Where a program is asked for, anything else is a `TypeError` that says where it stood.
#[test]
fn a_value_where_a_program_is_asked_for_is_a_type_error() {
    assert_eq!(run(3).shown(), "TypeError: 3 at Node");
    assert_eq!(run(flat_map(pure(1), &adds(1))).shown(), "TypeError: 2 at Returned");
    assert_eq!(run(call_node(&adds(1), vec![1.into()])).shown(), "TypeError: 2 at Returned");
    assert_eq!(run(map(3.into(), &adds(1))).shown(), "TypeError: 3 at Node");
}

/// A wrong yield is a `TypeError` at that yield (P01), in a program and in a clause (H03).
#[test]
fn a_wrong_yield_is_a_type_error_at_that_yield() {
    let body = program("body", async |y| {
        let refused = y.yields(3).await.unwrap_err();
        Ok((refused.to_string(), y.yields(pure("goes on")).await?).into())
    });
    assert_eq!(run(body).shown(), "('TypeError: 3 at Yield', 'goes on')");
    let wrong = handler("wrong").control(&[PING], async |y, _, k| {
        let refused = y.yields("text").await.unwrap_err();
        Ok(resume(&k, refused.to_string()))
    });
    assert_eq!(run(with_handler(&wrong.done(), asks(0))).shown(), "'TypeError: 'text' at Yield'");
}

/// A function that raises does so where its node stands.
#[test]
fn a_function_that_raises_does_so_at_its_node() {
    let fails = function("fails", async |_, _| Err(error("ValueError", "f")));
    let nodes = [map(pure(1), &fails), flat_map(pure(1), &fails), call_node(&fails, vec![]), call(&fails, vec![])];
    for node in nodes {
        let body = program("body", async move |y| Ok(y.yields(&node).await.unwrap_err().to_string().into()));
        assert_eq!(run(body).shown(), "'ValueError: f'");
    }
}

/// An error of the mapped program passes the map; the function is not called.
#[test]
fn an_error_passes_maps() {
    let never = function("never", async |_, _| panic!("there is no value to map"));
    let fails = || program("fails", async |_| Err(error("KeyError", "x")));
    assert_eq!(run(map(flat_map(fails(), &never), &never)).shown(), "KeyError: x");
}

/// `Try` gives `Ok(value)` or `Err(error)` for `Exception`s; others pass.
#[test]
fn try_makes_a_value_of_exceptions_only() {
    let fails = |class| program("fails", async move |_| Err(error(class, "x")));
    assert_eq!(run(attempt(pure(1))).shown(), "Ok(1)");
    assert_eq!(run(attempt(fails("KeyError"))).shown(), "Err(KeyError: x)");
    for class in ["Discontinued", "KeyboardInterrupt", "LimitExceeded"] {
        assert_eq!(run(attempt(attempt(fails(class)))).shown(), format!("{class}: x"));
    }
    assert_eq!(run(attempt(ping(1))).shown(), "Err(UnhandledEffectError: Ping(1) in [])");
}

/// One program value runs many times, each time from the start.
#[test]
fn one_program_value_runs_many_times() {
    let once = asks(3);
    let twice = program("twice", async move |y| Ok((y.yields(&once).await?, y.yields(&once).await?).into()));
    let h = answering("h", 5);
    assert_eq!(run(with_handler(&h, twice.share())).shown(), "(5, 5)");
    assert_eq!(run(with_handler(&h, twice)).shown(), "(5, 5)");
}

/// Semantics 5 (D02, D03): nested calls are bounded by memory, not by the native stack; so is an error through them.
#[test]
fn nested_calls_do_not_use_the_native_stack() {
    let n = if cfg!(miri) { 30 } else { 30_000 };
    for fails in [false, true] {
        let step = function("step", async move |y, mut arguments| {
            let left = arguments.pop().expect("a count").int();
            let own = arguments.pop().expect("itself");
            match left {
                0 if fails => Err(error("ValueError", "deep")),
                0 => Ok(0.into()),
                _ => {
                    let again = call(&own, vec![own.share(), (left - 1).into()]);
                    Ok((y.yields(again).await?.int() + 1).into())
                }
            }
        });
        let report = run(call(&step, vec![step.share(), n.into()]));
        let expected = if fails { "ValueError: deep".to_owned() } else { n.to_string() };
        assert_eq!(report.shown(), expected);
        assert_eq!(report.peak_calls, usize::try_from(n).unwrap() + 1);
        assert_eq!(report.peak_segments, 1);
    }
}

/// Architecture, rule 4: the machine moves values; a second owner is taken where a law asks for one, and seen.
#[test]
fn the_machine_takes_only_the_second_owners_that_it_needs() {
    let clones = |values, handlers| Clones { values, handlers, errors: 0 };
    let same = function("same", async |_, mut arguments| Ok(arguments.remove(0)));
    let nodes = map(attempt(flat_map(pure(pure(1)), &same)), &same);
    assert_eq!(run(nodes).clones, clones(0, 0));
    let rows = [
        (handler("value").answers(&[PING], |e| Ok(e.at(0))), clones(0, 1)),
        (handler("program").answers_by(&[PING], async |_, e| Ok(e.at(0))), clones(0, 1)),
        // The value of a `Resume`, and its `k` where the node is not the only one that has it.
        (handler("tail").control(&[PING], async |_, e, k| Ok(resume(&k, e.at(0)))), clones(1, 1)),
        (handler("nontail").control(&[PING], async |y, e, k| y.yields(resume(&k, e.at(0))).await), clones(2, 1)),
    ];
    for (form, expected) in rows {
        let form = form.done();
        assert_eq!(run(with_handler(&form, asks(1))).clones, expected, "{form}");
    }
}

/// Semantics 1: a program that returns without a yield is a program all the same.
#[test]
fn a_program_that_never_yields_gives_its_value() {
    assert_eq!(run(program("plain", async |_| Ok(pure(1)))).shown(), "Pure(1)", "its result is a value");
}

/// `GetExecutionContext` shows programs, clauses and handlers from here outward.
#[test]
fn the_execution_context_is_read_off_the_chain() {
    let outer = answering("outer", 1);
    let looks = handler("looks").control(&[PONG], async |y, _, k| {
        let clause = y.yields(get_execution_context()).await?;
        y.yields(resume(&k, clause)).await
    });
    let inner = handler("inner").answers(&[PING], |_| Ok(().into())).done();
    let body = program("body", async |y| {
        let clause = y.yields(crate::scripted::pong(7)).await?;
        Ok((clause, y.yields(get_execution_context()).await?).into())
    });
    let main = {
        let inside = nest(&[&looks.done(), &inner], body);
        program("main", async move |y| y.yields(&inside).await)
    };
    let clause = "['looks.pong', 'looks.pong for Pong(7)', 'main', 'handler outer']";
    let inside = "['body', 'handler inner', 'handler looks', 'looks.pong', 'looks.pong for Pong(7)', 'main', \
                  'handler outer']";
    assert_eq!(run(with_handler(&outer, main)).shown(), format!("({clause}, {inside})"));
}

type Feed = fn() -> Outcome<Scripted>;

/// `PythonAsyncSyntaxEscape`: the action is the driver's; what it feeds is delivered or raised at the yield.
#[test]
fn an_escaped_action_is_answered_by_the_driver() {
    let body = || {
        program("body", async |y| match y.yields(escape("action")).await {
            Ok(value) => Ok(("got", value).into()),
            Err(met) => Ok(("met", met.to_string()).into()),
        })
    };
    let feeds: [(Feed, &str); 2] = [
        (|| Outcome::Returned(5.into()), "('got', 5)"),
        (|| Outcome::Raised(error("OSError", "x")), "('met', 'OSError: x')"),
    ];
    for (feed, expected) in feeds {
        let mut machine = Run::new(body()).machine();
        let Stop::Async(action) = machine.go() else { panic!("the action is surfaced") };
        assert_eq!(action.to_string(), "'action'");
        machine.feed(feed());
        let stop = machine.go();
        assert_eq!(machine.finish(stop).shown(), expected);
    }
}

/// A machine that is advanced while an outcome is missing says that it is misused, at the yield; it does not panic.
#[test]
fn advancing_without_the_outcome_is_an_internal_error_at_the_yield() {
    let body = program("body", async |y| Ok(y.yields(escape("action")).await.unwrap_err().to_string().into()));
    let mut machine = Run::new(body).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "'InternalError: a suspended segment is current'");
}

/// A machine that is dropped in the middle leaves no segment and no chain behind.
#[test]
fn a_machine_that_is_closed_in_the_middle_leaves_nothing() {
    let shelf = crate::scripted::Shelf::new();
    let keeps = crate::scripted::keeping(&shelf, "kept");
    let body = program("body", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(escape("wait")).await
    });
    let mut machine = Run::new(body).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    assert_eq!((machine.live_segments(), machine.detached()), (2, 1));
    assert_eq!(machine.close(), ["body", "asks"], "each chain after the other, innermost first");
    assert!(shelf.take().cell().is_used(), "its run is over");
}
