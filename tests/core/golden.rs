//! Listings of whole runs: what the machine asks for, what comes of it, and each step that it makes.
//!
//! A change of a listing is a change of the machine: look at it, then regenerate all with
//! `INSTA_UPDATE=always cargo test --no-default-features --test core golden`.

use crate::natives::counter;
use crate::scripted::class::{PING, PONG};
use crate::scripted::{
    Log, Run, Shelf, Value, answering, asks, attempt, bracket, call_node, create_continuation, delegate, discontinue,
    error, escape, flat_map, function, handler, inherit, keeping, map, nest, pass, ping, pong, program, pure, resume,
    resume_throw, seal, tell, teller, transfer, with_handler, with_intercept,
};

fn listed(program: Value) -> String {
    let report = Run::new(program).stepping().go();
    let unobserved = report.unobserved.iter().map(|one| format!("unobserved {}", one.error));
    report.listing.into_iter().chain(unobserved).collect::<Vec<_>>().join("\n")
}

/// One listing a test, in `snapshots`, under the test's name.
macro_rules! golden {
    ($($(#[$law:meta])* $name:ident => $program:expr;)+) => {$(
        $(#[$law])*
        #[test]
        #[cfg_attr(miri, ignore = "reads files")]
        fn $name() {
            let listing = listed($program);
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), listing);
            });
        }
    )+};
}

golden! {
    /// Semantics 1.
    nodes_of_values => {
        let adds = function("adds", async |_, arguments| Ok((arguments[0].int() + 1).into()));
        let gives = function("gives", async |_, arguments| Ok(pure(arguments[0].share())));
        flat_map(map(call_node(&gives, vec![1.into()]), &adds), &gives)
    };
    /// Semantics 1: a wrong yield.
    a_wrong_yield_is_met_at_the_yield => {
        program("body", async |y| Ok(y.yields(3).await.unwrap_err().to_string().into()))
    };
    /// Semantics 2: a plain value clause.
    a_value_clause_answers => with_handler(&answering("h", 5), asks(1));
    /// Semantics 2: a value clause that is a program.
    a_value_clause_runs_as_a_program => {
        let log = Log::new();
        let works = handler("works").answers_by(&[PING], async |y, e| {
            y.yields(tell("working")).await?;
            Ok(e.at(0))
        });
        nest(&[&teller(&log), &works.done()], asks(1))
    };
    /// Architecture: native answers in place.
    a_native_clause_answers_twice => {
        let body = program("body", async |y| Ok((y.yields(pong(1)).await?, y.yields(pong(2)).await?).into()));
        with_handler(&counter("counter"), body)
    };
    /// Semantics 2: `return Resume(k, v)`.
    a_tail_resume => {
        let tail = handler("tail").control(&[PING], async |_, e, k| Ok(resume(&k, e.at(0))));
        with_handler(&tail.done(), asks(1))
    };
    /// Semantics 2: `yield Resume(k, v)`.
    a_non_tail_resume => {
        let wraps = handler("wraps").control(&[PING], async |y, e, k| {
            Ok(("handled", y.yields(resume(&k, e.at(0))).await?).into())
        });
        with_handler(&wraps.done(), asks(1))
    };
    /// Semantics 2: `ResumeThrow`.
    a_resume_throw => {
        let throws = handler("throws").control(&[PING], async |_, _, k| Ok(resume_throw(&k, error("ValueError", "no"))));
        attempt(with_handler(&throws.done(), asks(1)))
    };
    /// Semantics 2: the clause's own blocks run first.
    a_transfer_with_an_open_block => {
        let moves = handler("moves").control(&[PING], async |y, _, k| {
            let met = y.yields(transfer(&k, 8)).await.unwrap_err();
            Err(met)
        });
        with_handler(&moves.done(), asks(1))
    };
    /// Semantics 3: the body is unwound before the clause's value counts.
    an_ended_body => {
        let log = Log::new();
        let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
        let body = program("body", async |y| {
            let came = y.yields(ping(0)).await;
            y.yields(tell("clean-up")).await?;
            came
        });
        nest(&[&teller(&log), &stop], body)
    };
    /// Semantics 3: an exception before `k` is used is raised at the perform.
    a_clause_that_raises => {
        let fails = handler("fails").control(&[PING], async |_, _, _| Err(error("ValueError", "no")));
        attempt(with_handler(&fails.done(), asks(1)))
    };
    /// Semantics 2: `Delegate`.
    a_delegating_clause => {
        let doubles = handler("doubles").control(&[PING], async |y, _, k| {
            let answer = y.yields(delegate()).await?.int();
            Ok(resume(&k, answer * 2))
        });
        nest(&[&answering("outer", 21), &doubles.done()], asks(1))
    };
    /// Semantics 2: `Pass`.
    a_passing_clause => {
        let passes = handler("passes").control(&[PING], async |y, _, _| y.yields(pass()).await);
        nest(&[&answering("outer", 4), &passes.done()], asks(1))
    };
    /// Semantics 3: `keep`, and a resume elsewhere.
    a_kept_continuation => {
        let shelf = Shelf::new();
        let keeps = keeping(&shelf, "later");
        program("block", async move |y| {
            let first = y.yields(with_handler(&keeps, asks(1))).await?;
            Ok((first, y.yields(resume(&shelf.take(), 9)).await?).into())
        })
    };
    /// Semantics 3: `Discontinue`, and a second use.
    a_discontinued_continuation => {
        let lets_go = handler("lets_go").control(&[PING], async |y, _, k| {
            y.yields(discontinue(&k)).await?;
            Ok(y.yields(resume(&k, 1)).await.unwrap_err().to_string().into())
        });
        with_handler(&lets_go.done(), asks(1))
    };
    /// Semantics 3: what is left at the end.
    a_continuation_left_at_the_end => {
        let shelf = Shelf::new();
        let body = program("body", async |y| {
            y.yields(ping(0)).await.unwrap_err();
            Err(error("ValueError", "clean-up"))
        });
        with_handler(&keeping(&shelf, "kept"), body)
    };
    /// Semantics 2: `WithIntercept`.
    an_intercepted_perform => {
        let watch = function("watch", async |_, mut arguments| {
            let effect = arguments.remove(0);
            Ok(program("twice", async move |y| Ok((y.yields(&effect).await?, y.yields(&effect).await?).into())))
        });
        with_handler(&answering("h", 1), with_intercept(&watch, asks(0)))
    };
    /// Semantics 2: `Seal`.
    an_effect_at_a_wall => attempt(with_handler(&answering("h", 1), seal(&[PONG], asks(0))));
    /// Semantics 2: the life cycle.
    the_life_cycle_of_a_handler => {
        let h = handler("h")
            .answers(&[PING], |e| Ok(e.at(0)))
            .enter(async |_, value| Ok(value))
            .result(async |_, value| Ok(("result", value).into()))
            .exit(async |_, value| Ok(value));
        with_handler(&h.done(), asks(3))
    };
    /// Semantics 2: `bracket`.
    a_bracket_around_an_ended_block => {
        let log = Log::new();
        let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
        let release = function("release", async |_, mut arguments| Ok(tell(arguments.remove(0))));
        let uses = function("use", async |_, _| Ok(ping(0)));
        nest(&[&teller(&log), &stop], bracket(pure("resource"), &uses, &release))
    };
    /// Semantics 2: `CreateContinuation` and its first value.
    an_unstarted_continuation => program("block", async |y| {
        let k = y.yields(create_continuation(pure("ran"))).await?;
        y.yields(resume(&k, 3)).await.unwrap_err();
        y.yields(resume(&k, ())).await
    });
    /// Semantics 2, 7: `Inherit`, and a block that is ended in a fork.
    a_block_ended_in_a_fork => {
        let ends = handler("ends").control(&[PING], async |_, _, _| Ok("ended".into())).done();
        let spawns = handler("spawns").control(&[PONG], async |y, _, k| {
            let came = y.yields(attempt(inherit(&k, asks(0)))).await?;
            y.yields(resume(&k, came)).await
        });
        nest(&[&spawns.done(), &ends], pong(0))
    };
    /// Semantics 5: the driver's action.
    an_escaped_action => program("body", async |y| y.yields(escape("action")).await);
}
