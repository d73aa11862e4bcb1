//! Interceptors and their guards. Law: semantics 2, `WithIntercept`.

use crate::scripted::class::{PING, PONG, TELL};
use crate::scripted::{
    Log, Value, answering, asks, delegate, error, function, handler, nest, pass, perform, ping, pong, program, pure,
    resume, run, seal, tell, teller, with_handler, with_intercept,
};

/// An interceptor that writes what it sees, and performs it again.
fn watch(name: &'static str, log: &Log) -> Value {
    let log = log.clone();
    function(name, async move |_, mut arguments| {
        let effect = arguments.remove(0);
        log.say(format!("{name}:{effect}"));
        Ok(effect)
    })
}

/// Each effect performed inside is first given to `f`; what `f` gives is evaluated at the performer, and its result is
/// the result of the perform.
#[test]
fn an_interceptor_replaces_the_result_of_a_perform() {
    let doubles = function("doubles", async |_, mut arguments| {
        let effect = arguments.remove(0);
        Ok(program("twice", async move |y| Ok((y.yields(&effect).await?.int() * 2).into())))
    });
    let body = program("body", async |y| Ok(("body", y.yields(ping(0)).await?).into()));
    assert_eq!(run(with_handler(&answering("h", 21), with_intercept(&doubles, body))).shown(), "('body', 42)");
}

/// What `f` returns must be a program or an effect; anything else is a `TypeError` at the perform.
#[test]
fn an_interceptor_that_gives_no_program_is_a_type_error_at_the_perform() {
    let wrong = function("wrong", async |_, _| Ok(3.into()));
    let body = program("body", async |y| Ok(y.yields(ping(0)).await.unwrap_err().to_string().into()));
    assert_eq!(run(with_intercept(&wrong, body)).shown(), "'TypeError: 3 at Returned'");
}

/// The innermost interceptor is first, and each sees what the one inside of it performs.
#[test]
fn interceptors_see_effects_innermost_first() {
    let log = Log::new();
    let inner = with_intercept(&watch("inner", &log), asks(1));
    let report = run(with_handler(&answering("h", 5), with_intercept(&watch("outer", &log), inner)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("5", "inner:Ping(1) outer:Ping(1)"));
}

/// `f` is skipped by what its own program performs, at any depth of it, also inside handlers that it opens.
#[test]
fn an_interceptor_is_skipped_by_its_own_program() {
    let seen = Log::new();
    let log = seen.clone();
    let inner = handler("inner").control(&[PONG], async |y, _, k| {
        let outer = y.yields(tell("from the clause")).await?;
        y.yields(resume(&k, outer)).await
    });
    let inner = inner.done();
    let opens = function("opens", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        log.say(&effect);
        let nested = program("nested", async |y| {
            y.yields(tell("nested")).await?;
            y.yields(pong(0)).await
        });
        let inner = inner.share();
        Ok(program("own", async move |y| {
            y.yields(with_handler(&inner, &nested)).await?;
            y.yields(&effect).await
        }))
    });
    let told = Log::new();
    let report = run(nest(&[&answering("h", 1), &teller(&told)], with_intercept(&opens, asks(9))));
    assert_eq!((report.shown().as_str(), seen.text().as_str()), ("1", "Ping(9)"));
    assert_eq!(told.text(), "nested from the clause");
}

/// A clause that answers what `f`'s program performs stands outside of it, and is not guarded.
#[test]
fn a_clause_that_answers_an_interceptors_program_is_seen() {
    let log = Log::new();
    let works = handler("works").answers_by(&[PING], async |y, e| {
        y.yields(tell("work")).await?;
        Ok(e.at(0))
    });
    let told = Log::new();
    let inside = with_handler(&works.done(), asks(3));
    let report = run(with_handler(&teller(&told), with_intercept(&watch("watch", &log), inside)));
    assert_eq!((report.shown().as_str(), told.text().as_str()), ("3", "work"));
    assert_eq!(log.text(), "watch:Ping(3) watch:Tell('work')");
}

/// Handlers running inside the extent are watched; a clause of a handler outside is not.
#[test]
fn handlers_inside_the_extent_are_watched_and_those_outside_are_not() {
    let telling = || {
        handler("tells").control(&[PING], async |y, _, k| {
            y.yields(tell("clause")).await?;
            Ok(resume(&k, 1))
        })
    };
    let (log, told) = (Log::new(), Log::new());
    let outside = with_handler(&telling().done(), with_intercept(&watch("watch", &log), asks(0)));
    run(with_handler(&teller(&told), outside));
    assert_eq!(log.text(), "watch:Ping(0)");

    let log = Log::new();
    let inside = with_intercept(&watch("watch", &log), with_handler(&telling().done(), asks(0)));
    run(with_handler(&teller(&told), inside));
    assert_eq!(log.text(), "watch:Ping(0) watch:Tell('clause')");
}

/// After `f`'s program ended, its guard is gone: the next perform is seen again.
#[test]
fn a_guard_ends_with_the_interceptors_program() {
    let log = Log::new();
    let twice = program("twice", async |y| Ok((y.yields(ping(1)).await?, y.yields(ping(2)).await?).into()));
    let report = run(with_handler(&answering("h", 0), with_intercept(&watch("watch", &log), twice)));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("(0, 0)", "watch:Ping(1) watch:Ping(2)"));
}

/// A guard never leaks after an exception: of `f` itself, of its program, or of what answers it.
#[test]
fn a_guard_does_not_leak_after_an_exception() {
    type Failing = fn(Value) -> crate::scripted::Answered;
    let ways: [Failing; 3] = [
        |_| Err(error("ValueError", "f")),
        |_| Ok(program("own", async |_| Err(error("ValueError", "program")))),
        |_| Ok(perform(PONG, vec![])),
    ];
    for way in ways {
        let seen = Log::new();
        let log = seen.clone();
        let fails = function("fails", async move |_, mut arguments| {
            let effect = arguments.remove(0);
            log.say(&effect);
            way(effect)
        });
        let raises = handler("raises").answers(&[PONG], |_| Err(error("ValueError", "answer"))).done();
        let body = program("body", async |y| {
            for n in 0..3 {
                assert!(y.yields(ping(n)).await.unwrap_err().is("ValueError"));
            }
            Ok(().into())
        });
        assert_eq!(run(with_handler(&raises, with_intercept(&fails, body))).shown(), "None");
        assert_eq!(seen.text(), "Ping(0) Ping(1) Ping(2)");
    }
}

/// A body that is ended while `f`'s program waits leaves no guard behind, and the clean-up is guarded while it runs.
#[test]
fn a_guard_ends_when_its_program_is_unwound() {
    let seen = Log::new();
    let log = seen.clone();
    let asking = function("asking", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        log.say(&effect);
        Ok(program("own", async move |y| {
            let came = y.yields(&effect).await;
            if came.is_err() {
                y.yields(tell("clean-up of f")).await?;
            }
            came
        }))
    });
    let stop = handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let body = program("body", async |y| {
        let came = y.yields(ping(0)).await;
        y.yields(tell("clean-up of the body")).await?;
        came
    });
    let told = Log::new();
    let report = run(nest(&[&teller(&told), &stop], with_intercept(&asking, body)));
    assert_eq!((report.shown().as_str(), seen.text().as_str()), ("'stopped'", "Ping(0) Tell('clean-up of the body')"));
    assert_eq!(told.text(), "clean-up of f clean-up of the body");
}

/// `Delegate` and an effect performed again are performs and are seen; `Pass` is not.
#[test]
fn delegate_is_seen_and_pass_is_not() {
    let outer = answering("outer", 1);
    let rows = [
        (handler("h").answers_by(&[PING], async |y, _| y.yields(delegate()).await), "watch:Ping(0) watch:Ping(0)"),
        (handler("h").answers_by(&[PING], async |y, e| y.yields(e).await), "watch:Ping(0) watch:Ping(0)"),
        (handler("h").answers(&[PING], |_| Ok(delegate())), "watch:Ping(0) watch:Ping(0)"),
        (handler("h").answers_by(&[PING], async |y, _| y.yields(pass()).await), "watch:Ping(0)"),
        (handler("h").answers(&[PING], |_| Ok(pass())), "watch:Ping(0)"),
    ];
    for (inner, expected) in rows {
        let log = Log::new();
        let inside = with_handler(&inner.done(), asks(0));
        let report = run(with_handler(&outer, with_intercept(&watch("watch", &log), inside)));
        assert_eq!((report.shown().as_str(), log.text().as_str()), ("1", expected));
    }
}

/// An interceptor outside a wall sees only what passes it; one inside sees what the wall then stops.
#[test]
fn an_interceptor_outside_a_wall_sees_only_what_passes() {
    let (outer, inner) = (Log::new(), Log::new());
    let body = program("body", async |y| {
        y.yields(pong(0)).await.unwrap_err();
        y.yields(ping(1)).await
    });
    let walled = seal(&[PING], with_intercept(&watch("inner", &inner), body));
    let report = run(with_handler(&answering("h", 2), with_intercept(&watch("outer", &outer), walled)));
    assert_eq!((report.shown().as_str(), outer.text().as_str()), ("2", "outer:Ping(1)"));
    assert_eq!(inner.text(), "inner:Pong(0) inner:Ping(1)");
}

/// Inside a wall, the handlers of the region get an effect before an interceptor outside of the wall sees it.
#[test]
fn handlers_inside_a_wall_answer_before_an_interceptor_outside_sees() {
    let log = Log::new();
    let walled = seal(&[PING], with_handler(&answering("inner", 3), asks(0)));
    let report = run(with_intercept(&watch("outer", &log), walled));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("3", ""));
}

/// Within one region interceptors come before handlers, also those that stand outside of the handler that accepts.
#[test]
fn an_interceptor_outside_of_the_accepting_handler_is_first() {
    let log = Log::new();
    let inside = with_handler(&answering("h", 1), asks(0));
    assert_eq!(run(with_intercept(&watch("watch", &log), inside)).shown(), "1");
    assert_eq!(log.text(), "watch:Ping(0)");
}

/// An interceptor travels with a chain that is captured through it, and watches where the chain goes on.
#[test]
fn an_interceptor_travels_with_its_chain() {
    let (log, told) = (Log::new(), Log::new());
    let keeps = handler("keeps").control(&[PING], async |y, _, k| y.yields(resume(&k, ())).await).done();
    let body = program("body", async |y| {
        y.yields(ping(0)).await?;
        y.yields(tell("after")).await
    });
    run(nest(&[&teller(&told), &keeps], with_intercept(&watch("watch", &log), body)));
    assert_eq!(log.text(), "watch:Ping(0) watch:Tell('after')");
    let after = program("after", async |y| y.yields(tell("outside")).await);
    run(with_handler(&teller(&told), after));
    assert_eq!(log.text(), "watch:Ping(0) watch:Tell('after')");
}

/// One interceptor twice is two installations: the outer one sees what the inner one performs.
#[test]
fn the_same_function_twice_is_two_interceptors() {
    let log = Log::new();
    let watches = watch("watch", &log);
    let report = run(with_handler(&answering("h", 1), with_intercept(&watches, with_intercept(&watches, asks(4)))));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("1", "watch:Ping(4) watch:Ping(4)"));
}

/// An interceptor may answer without performing at all.
#[test]
fn an_interceptor_may_answer_by_itself() {
    let answers = function("answers", async |_, _| Ok(pure("by f")));
    assert_eq!(run(with_intercept(&answers, asks(0))).shown(), "'by f'");
    let tells = function("tells", async |_, mut arguments| Ok(tell(arguments.remove(0))));
    let told = handler("told").answers(&[TELL], |e| Ok(e.at(0))).done();
    assert_eq!(run(with_handler(&told, with_intercept(&tells, asks(7)))).shown(), "Ping(7)");
}
