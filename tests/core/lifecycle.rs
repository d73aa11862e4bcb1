//! The life cycle of an installation, and forks. Law: semantics 2, handlers of the third shape.

use crate::natives::counter;
use crate::scripted::class::{LOUD_PING, PING, PONG, TELL};
use crate::scripted::script::Building;
use crate::scripted::{
    Log, Shelf, Value, asks, bracket, create_continuation, discontinue, error, function, get_handlers, handler,
    inherit, keeping, loud_ping, nest, ping, pong, program, pure, resume, run, seal, tell, teller, with_handler,
    with_intercept,
};

/// A handler that answers `Ping` and writes its life cycle.
fn living(name: &'static str, log: &Log) -> Building {
    let hook = |what: &'static str| {
        let log = log.clone();
        move |value: &Value| log.say(format!("{name}.{what}({value})"))
    };
    let (enter, result, failed, exit) = (hook("enter"), hook("result"), hook("error"), hook("exit"));
    handler(name)
        .answers(&[PING], |e| Ok(e.at(0)))
        .enter(async move |_, value| {
            enter(&value);
            Ok(value)
        })
        .result(async move |_, value| {
            result(&value);
            Ok(("result", value).into())
        })
        .error(async move |_, value| {
            failed(&value);
            Ok("answered".into())
        })
        .exit(async move |_, value| {
            exit(&value);
            Ok("ignored".into())
        })
}

/// `enter`, body, `result`, `exit`, each once and in that order; what `exit` returns is ignored.
#[test]
fn a_block_is_entered_mapped_and_left_once() {
    let log = Log::new();
    assert_eq!(run(with_handler(&living("h", &log).done(), asks(4))).shown(), "('result', 4)");
    assert_eq!(log.text(), "h.enter(None) h.result(4) h.exit(None)");
}

/// `error` may answer an `Exception` of the body; `exit` runs after it.
#[test]
fn error_may_answer_an_exception_of_the_body() {
    let log = Log::new();
    let fails = program("fails", async |_| Err(error("KeyError", "x")));
    assert_eq!(run(with_handler(&living("h", &log).done(), fails)).shown(), "'answered'");
    assert_eq!(log.text(), "h.enter(None) h.error(Err(KeyError: x)) h.exit(None)");
}

/// Other exceptions pass `error`, and still run `exit`.
#[test]
fn a_non_exception_passes_error_and_runs_exit() {
    let log = Log::new();
    let stops = program("stops", async |_| Err(error("KeyboardInterrupt", "")));
    assert_eq!(run(with_handler(&living("h", &log).done(), stops)).shown(), "KeyboardInterrupt");
    assert_eq!(log.text(), "h.enter(None) h.exit(None)");
}

/// When `enter` fails nothing is installed: neither the body nor `exit` runs, the error is raised at the yield.
#[test]
fn a_failed_enter_installs_nothing() {
    let broken = handler("broken")
        .enter(async |_, _| Err(error("ValueError", "enter")))
        .exit(async |_, _| panic!("nothing was entered"))
        .done();
    let body = program("body", async move |y| {
        let never = program("never", async |_| panic!("the body does not run"));
        Ok(y.yields(with_handler(&broken, never)).await.unwrap_err().to_string().into())
    });
    assert_eq!(run(body).shown(), "'ValueError: enter'");
}

/// `exit` failing after an error: its exception, with the other as context; after a value, just its exception.
#[test]
fn an_exit_that_fails_after_an_error_has_it_as_context() {
    let leaves = handler("leaves").exit(async |_, _| Err(error("ValueError", "exit"))).done();
    let fails = program("fails", async |_| Err(error("KeyError", "body")));
    let report = run(with_handler(&leaves, fails));
    assert_eq!(report.shown(), "ValueError: exit");
    assert_eq!(report.error().context().unwrap().to_string(), "KeyError: body");
    let report = run(with_handler(&leaves, pure(1)));
    assert_eq!((report.shown().as_str(), report.error().context().is_none()), ("ValueError: exit", true));
}

/// A `result` that fails runs `exit` all the same.
#[test]
fn a_result_that_fails_runs_exit() {
    let log = Log::new();
    let seen = log.clone();
    let h = handler("h").result(async |_, _| Err(error("ValueError", "result"))).exit(async move |_, _| {
        seen.say("exit");
        Ok(().into())
    });
    assert_eq!(run(with_handler(&h.done(), pure(1))).shown(), "ValueError: result");
    assert_eq!(log.text(), "exit");
}

/// The methods run outside of the prompt, and may perform: their own handler does not answer them.
#[test]
fn life_cycle_methods_run_outside_of_the_prompt() {
    let log = Log::new();
    let telling = |when: &'static str| {
        async move |y: crate::scripted::script::Yielder, value| {
            y.yields(tell(when)).await?;
            Ok(value)
        }
    };
    let own = handler("own")
        .answers(&[TELL], |_| panic!("its own methods are outside"))
        .enter(telling("enter"))
        .result(telling("result"))
        .exit(telling("exit"))
        .done();
    assert_eq!(run(nest(&[&teller(&log), &own], pure(5))).shown(), "5");
    assert_eq!(log.text(), "enter result exit");
}

/// `exit` belongs to the prompt and travels with a kept `k`: it runs where the block is left, once.
#[test]
fn exit_travels_with_a_kept_k() {
    let (log, shelf) = (Log::new(), Shelf::new());
    let from = shelf.clone();
    let keeps = living("h", &log).control(&[PONG], async move |_, _, k| {
        shelf.put(k.keep()?);
        Ok("kept".into())
    });
    let inside = with_handler(&keeps.done(), pong(0));
    let seen = log.clone();
    let block = program("block", async move |y| {
        let kept = y.yields(&inside).await?;
        seen.say(kept);
        let came = y.yields(resume(&from.take(), 6)).await?;
        seen.say("left");
        Ok(came)
    });
    assert_eq!(run(block).shown(), "('result', 6)");
    assert_eq!(log.text(), "h.enter(None) 'kept' h.result(6) h.exit(None) left");
}

/// Inherit: a program runs inside forks of what `k` contains, in the same order.
#[test]
fn inherit_runs_inside_forks_of_what_k_contains() {
    let log = Log::new();
    let outer = handler("outer").answers(&[TELL], |_| Ok("outer".into())).done();
    let spawns = handler("spawns").control(&[PONG], async |y, _, k| {
        let child = program("child", async |y| {
            let handlers = y.yields(get_handlers()).await?;
            Ok((handlers, y.yields(ping(3)).await?).into())
        });
        let came = y.yields(inherit(&k, child)).await?;
        y.yields(resume(&k, came)).await
    });
    let spawns = spawns.result(async |_, value| Ok(("mapped", value).into())).done();
    let inner = living("inner", &log).done();
    let report = run(nest(&[&outer, &spawns, &inner], pong(0)));
    let inside = "([<handler inner>, <handler spawns>, <handler outer>], 3)";
    assert_eq!(report.shown(), format!("('mapped', ('result', {inside}))"));
    assert_eq!(
        log.text(),
        format!("inner.enter(None) inner.result({inside}) inner.exit(None)"),
        "forked handlers only answer: the child's end passes no method"
    );
}

/// Inherit copies interceptors and walls inside `k`, and the wall around stays.
#[test]
fn inherit_copies_interceptors_and_walls() {
    let log = Log::new();
    let seen = log.clone();
    let watch = function("watch", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        seen.say(&effect);
        Ok(effect)
    });
    let outer = handler("outer").answers(&[PING], |e| Ok(e.at(0))).done();
    let spawns = handler("spawns").control(&[PONG], async |y, _, k| {
        let child = program("child", async |y| {
            let stopped = y.yields(loud_ping(1)).await.unwrap_err();
            Ok((y.yields(ping(2)).await?, stopped.to_string()).into())
        });
        y.yields(inherit(&k, child)).await
    });
    let body = with_intercept(&watch, seal(&[PING, PONG], pong(0)));
    let report = run(nest(&[&outer, &spawns.done()], body));
    assert_eq!(
        report.shown(),
        "(2, 'UnhandledEffectError: LoudPing(1) in [], at a wall')",
        "the wall of k stands around the child"
    );
    assert_eq!(log.text(), "Pong(0) Ping(2)", "and so does its interceptor");
}

/// A control clause that ends its block inside a fork: `k` is unwound, then `TaskEndedError(value)` is raised there.
#[test]
fn a_clause_that_ends_its_block_in_a_fork_raises_task_ended() {
    let log = Log::new();
    let ends = handler("ends").control(&[PING], async |_, _, _| Ok("ended".into())).done();
    let spawns = handler("spawns").control(&[PONG], async |y, _, k| {
        let child = program("child", async |y| {
            let came = y.yields(ping(0)).await;
            y.yields(tell("clean-up")).await?;
            came
        });
        let came = y.yields(inherit(&k, child)).await;
        y.yields(resume(&k, came.unwrap_err().to_string())).await
    });
    let report = run(nest(&[&teller(&log), &spawns.done(), &ends], pong(0)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'TaskEndedError: 'ended''", "clean-up"));
}

/// `fork()` gives the handler that a child gets; a `fork` that fails, or gives no handler, fails the `Inherit`.
#[test]
fn fork_gives_the_handler_of_the_child() {
    type Forks = fn() -> crate::scripted::Answered;
    let rows: [(Forks, &str); 3] = [
        (|| Ok(handler("forked").answers(&[PING], |_| Ok("fork".into())).done()), "'fork'"),
        (|| Ok(3.into()), "'TypeError: 3 is no handler'"),
        (|| Err(error("ValueError", "fork")), "'ValueError: fork'"),
    ];
    for (forks, expected) in rows {
        let original =
            handler("original").answers(&[PING], |_| Ok("original".into())).fork(async move |_, _| forks()).done();
        let spawns = handler("spawns").control(&[PONG], async |y, _, k| {
            let came = match y.yields(inherit(&k, asks(0))).await {
                Ok(value) => value,
                Err(met) => met.to_string().into(),
            };
            y.yields(resume(&k, came)).await
        });
        let outer = handler("outer").answers(&[LOUD_PING], |_| Ok(().into())).done();
        let report = run(nest(&[&spawns.done(), &outer, &original], pong(0)));
        assert_eq!(report.shown(), expected);
    }
}

/// A `fork` runs inside the forks that were opened before it, and may perform there.
#[test]
fn a_fork_may_perform_inside_the_forks_around_it() {
    let forking = handler("forking").answers(&[PING], |_| Ok("original".into())).fork(async |y, _| {
        let word = y.yields(tell("from fork")).await?;
        Ok(handler("forked").answers(&[PING], move |_| Ok(word.share())).done())
    });
    let tells = handler("tells").answers(&[TELL], |e| Ok(("told", e.at(0)).into())).done();
    let spawns = handler("spawns").control(&[PONG], async |y, _, k| y.yields(inherit(&k, asks(0))).await).done();
    let report = run(nest(&[&spawns, &tells, &forking.done()], pong(0)));
    assert_eq!(report.shown(), "('told', 'from fork')");
}

/// An unstarted continuation resumes inside the handlers of the place of its first `Resume`.
#[test]
fn an_unstarted_continuation_starts_where_it_is_resumed() {
    let body = program("body", async |y| {
        let k = y.yields(create_continuation(asks(0))).await?;
        let here = handler("here").answers(&[PING], |_| Ok("here".into())).done();
        y.yields(with_handler(&here, resume(&k, ()))).await
    });
    assert_eq!(run(body).shown(), "'here'");
}

/// The same handler object installed twice lives twice.
#[test]
fn each_installation_has_a_life_of_its_own() {
    let log = Log::new();
    let h = living("h", &log).done();
    let twice = program("twice", async move |y| {
        y.yields(with_handler(&h, asks(1))).await?;
        y.yields(with_handler(&h, asks(2))).await
    });
    assert_eq!(run(twice).shown(), "('result', 2)");
    let expected = "h.enter(None) h.result(1) h.exit(None) h.enter(None) h.result(2) h.exit(None)";
    assert_eq!(log.text(), expected);
}

/// A `fork` that lets `k` go does not pull the installations from under the forks that are still to open.
#[test]
fn a_fork_that_lets_k_go_leaves_the_other_forks_whole() {
    let shelf = Shelf::new();
    let from = shelf.clone();
    let forking = handler("forking").fork(async move |y, _| {
        y.yields(discontinue(&from.take())).await?;
        Ok(handler("forked").done())
    });
    let inside = nest(&[&keeping(&shelf, "kept"), &forking.done(), &counter("counter")], asks(0));
    let block = program("block", async move |y| {
        y.yields(&inside).await?;
        let k = shelf.take();
        shelf.put(k.share());
        let child = program("child", async |y| Ok((y.yields(pong(2)).await?, y.yields(pong(3)).await?).into()));
        y.yields(inherit(&k, child)).await
    });
    assert_eq!(run(block).shown(), "(2, 5)");
}

/// A body that performs `Ping`, and whose clean-up raises what is no exception for programs.
fn hard() -> Value {
    program("hard", async |y| {
        let _met = y.yields(ping(0)).await;
        Err(error("KeyboardInterrupt", "of the clean-up"))
    })
}

/// Semantics 2: what was entered is left, though a `k` that got lost in `enter` raises before the body begins.
#[test]
fn nothing_comes_between_enter_and_the_block() {
    let (log, shelf) = (Log::new(), Shelf::new());
    let (keeps, exits) = (keeping(&shelf, "kept"), log.clone());
    let block = handler("block").enter(async move |_, _| {
        shelf.clear();
        Ok(().into())
    });
    let block = block.exit(async move |_, _| {
        exits.say("exit");
        Ok(().into())
    });
    let block = block.done();
    let main = program("main", async move |y| {
        y.yields(with_handler(&keeps, hard())).await?;
        y.yields(with_handler(&block, pure(1))).await
    });
    assert_eq!(run(main).shown(), "KeyboardInterrupt: of the clean-up");
    assert_eq!(log.text(), "exit");
}

/// Semantics 6: what was acquired is released, though a `k` that got lost meanwhile raises before it is used.
#[test]
fn nothing_comes_between_a_resource_and_its_release() {
    let (log, shelf) = (Log::new(), Shelf::new());
    let (keeps, releases) = (keeping(&shelf, "kept"), log.clone());
    let acquire = program("acquire", async move |_| {
        shelf.clear();
        Ok("resource".into())
    });
    let uses = function("uses", async |_, mut arguments| Ok(pure(arguments.remove(0))));
    let releases = function("releases", async move |_, mut arguments| {
        releases.say(arguments.remove(0));
        Ok(pure(()))
    });
    let main = program("main", async move |y| {
        y.yields(with_handler(&keeps, hard())).await?;
        y.yields(bracket(acquire.share(), &uses, &releases)).await
    });
    assert_eq!(run(main).shown(), "KeyboardInterrupt: of the clean-up");
    assert_eq!(log.text(), "'resource'");
}
