//! One owner, one place, one use. Law: semantics 3.

use std::sync::Arc;

use segue::core::fault::{Fate, Refusal};
use segue::core::mailbox::Mailbox;
use segue::core::step::Outcome;

use crate::scripted::class::PING;
use crate::scripted::host::Label;
use crate::scripted::{
    Log, Run, Shelf, Stop, Value, answering, asks, create_continuation, discontinue, error, escape, handler, keeping,
    nest, pass, ping, program, pure, resume, resume_throw, run, tell, teller, transfer, transfer_throw, with_handler,
};

/// Semantics 3 (K01): a second use is `ContinuationError` at the offending yield, and can be caught there.
#[test]
fn second_resume_is_rejected_at_the_yield() {
    let again = handler("again").control(&[PING], async |y, _, k| {
        let first = y.yields(resume(&k, 1)).await?;
        let second = y.yields(resume(&k, 2)).await.unwrap_err();
        assert!(second.is("ContinuationError"));
        Ok(("once", first).into())
    });
    assert_eq!(run(with_handler(&again.done(), asks(0))).shown(), "('once', 1)");
}

/// Semantics 3: the error says what became of `k` and by which clause, for each way of using it.
#[test]
fn a_refusal_says_what_became_of_k_and_by_which_clause() {
    type Node = fn(&Value) -> Value;
    let rows: [(Node, &str); 5] = [
        (|k| resume(k, 1), "Resumed by uses.ping"),
        (|k| resume_throw(k, error("ValueError", "")), "ThrownInto by uses.ping"),
        (|k| transfer(k, 1), "Transferred by uses.ping"),
        (|k| transfer_throw(k, error("ValueError", "")), "ThrownInto by uses.ping"),
        (discontinue, "Discontinued by uses.ping"),
    ];
    for (node, fate) in rows {
        for returned in [false, true] {
            let shelf = Shelf::new();
            let to = shelf.clone();
            let uses = handler("uses").control(&[PING], async move |y, _, k| {
                to.put(k.share());
                if returned { Ok(node(&k)) } else { y.yields(node(&k)).await }
            });
            let uses = uses.done();
            let block = program("block", async move |y| {
                let _came = y.yields(with_handler(&uses, asks(0))).await;
                Ok(y.yields(resume(&shelf.take(), 2)).await.unwrap_err().to_string().into())
            });
            assert_eq!(run(block).shown(), format!("'ContinuationError: {fate}'"), "returned: {returned}");
        }
    }
}

/// The clause is named when it is near: a program far inside of it uses `k` for nobody.
#[test]
fn a_refusal_does_not_look_far_for_the_clause() {
    for (depth, by) in [(10, "Resumed by uses.ping"), (100, "Resumed")] {
        let uses = handler("uses").control(&[PING], async move |y, _, k| {
            let inside =
                (0..depth).fold(resume(&k, 1), |inside, _| program("layer", async move |y| y.yields(&inside).await));
            y.yields(inside).await?;
            Ok(y.yields(resume(&k, 2)).await.unwrap_err().text().into())
        });
        assert_eq!(run(with_handler(&uses.done(), asks(0))).shown(), format!("'{by}'"));
    }
}

/// The same for a `k` that was let go by the end of its clause, that was passed, or that the run unwound.
#[test]
fn a_refusal_says_how_a_clause_let_its_k_go() {
    let report = |handler: Value, shelf: Shelf| {
        let block = program("block", async move |y| {
            let _came = y.yields(with_handler(&handler, asks(0))).await;
            Ok(y.yields(resume(&shelf.take(), 2)).await.unwrap_err().text().into())
        });
        run(with_handler(&answering("outer", 1), block)).shown()
    };
    let shelves: Vec<Shelf> = (0..3).map(|_| Shelf::new()).collect();
    let shelf = shelves[0].clone();
    let ends = handler("ends").control(&[PING], async move |_, _, k| {
        shelf.put(k);
        Ok(0.into())
    });
    assert_eq!(report(ends.done(), shelves[0].clone()), "'Ended by ends.ping'");
    let shelf = shelves[1].clone();
    let raises = handler("raises").control(&[PING], async move |_, _, k| {
        shelf.put(k);
        Err(error("ValueError", ""))
    });
    assert_eq!(report(raises.done(), shelves[1].clone()), "'Raised by raises.ping'");
    let shelf = shelves[2].clone();
    let passes = handler("passes").control(&[PING], async move |_, _, k| {
        shelf.put(k);
        Ok(pass())
    });
    assert_eq!(report(passes.done(), shelves[2].clone()), "'Passed by passes.ping'");
}

/// Semantics 3 (K16): a body that is given its own running `k` cannot resume it.
#[test]
fn a_body_cannot_resume_its_own_running_k() {
    let sends = handler("sends").control(&[PING], async |_, _, k| Ok(resume(&k, &k))).done();
    let body = program("body", async |y| {
        let own = y.yields(ping(0)).await?;
        Ok(y.yields(resume(&own, 1)).await.unwrap_err().to_string().into())
    });
    assert_eq!(run(with_handler(&sends, body)).shown(), "'ContinuationError: Resumed by sends.ping'");
}

/// Semantics 3: every way of using a `k` is refused after a first use, each at its own yield.
#[test]
fn every_use_after_the_first_is_refused() {
    let tries = handler("tries").control(&[PING], async |y, _, k| {
        y.yields(discontinue(&k)).await?;
        let nodes = [
            resume(&k, 0),
            resume_throw(&k, error("ValueError", "")),
            transfer(&k, 0),
            transfer_throw(&k, error("ValueError", "")),
            discontinue(&k),
            crate::scripted::handlers_in(&k),
            crate::scripted::inherit(&k, pure(0)),
        ];
        let mut refused = 0;
        for node in nodes {
            let met = y.yields(node).await.unwrap_err();
            assert_eq!(met.to_string(), "ContinuationError: Discontinued by tries.ping");
            refused += 1;
        }
        Ok(refused.into())
    });
    assert_eq!(run(with_handler(&tries.done(), asks(0))).shown(), "7");
}

/// Semantics 3: `keep` says that somebody will let it go later; on a used `k` it is refused.
#[test]
fn keep_is_refused_after_a_use_and_flags_tell() {
    let flags = |k: &Value| (k.cell().is_used(), k.cell().is_kept());
    let keeps = handler("keeps").control(&[PING], async move |y, _, k| {
        assert_eq!(flags(&k), (false, false));
        let kept = k.keep()?;
        kept.keep()?;
        assert_eq!((flags(&k), kept.same(&k)), ((false, true), true));
        let came = y.yields(resume(&k, 5)).await?;
        assert_eq!(flags(&k), (true, true));
        Ok((came, k.keep().unwrap_err().to_string()).into())
    });
    let expected = "(5, 'ContinuationError: Resumed by keeps.ping')";
    assert_eq!(run(with_handler(&keeps.done(), asks(0))).shown(), expected);
}

/// Semantics 3 (K03): a `K` of a finished run is refused, and the other run stays usable.
#[test]
fn a_k_of_a_finished_run_is_refused() {
    let shelf = Shelf::new();
    let log = Log::new();
    let body = program("body", async |y| {
        let met = y.yields(ping(0)).await;
        y.yields(tell("finally")).await?;
        met
    });
    let first = run(nest(&[&keeping(&shelf, "later"), &teller(&log)], body));
    assert_eq!((first.shown().as_str(), log.text().as_str()), ("'later'", "finally"), "its run unwound it");
    let k = shelf.take();
    assert!(k.keep().is_err());
    let second = program("second", async move |y| {
        let refused = y.yields(resume(&k, 1)).await.unwrap_err();
        Ok((refused.to_string(), y.yields(pure(2)).await?).into())
    });
    let second = run(second);
    assert_eq!(second.shown(), "('ContinuationError: its run is over', 2)");
}

/// Semantics 3 (K03, K04): a `K` of another run that is still going on is refused, and stays usable in its own.
#[test]
fn a_k_of_another_run_is_refused_and_stays_usable_in_its_own() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "later");
    let back = shelf.clone();
    let owner = program("owner", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(escape("wait")).await?;
        y.yields(resume(&back.take(), 8)).await
    });
    let mut machine = Run::new(owner).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));

    let k = shelf.take();
    let thief = {
        let k = k.share();
        program("thief", async move |y| {
            let mut seen = Vec::new();
            for node in [resume(&k, 1), discontinue(&k), crate::scripted::handlers_in(&k)] {
                seen.push(y.yields(node).await.unwrap_err().text().to_owned());
            }
            Ok(seen.into())
        })
    };
    let refused = "'it belongs to another run'";
    assert_eq!(run(thief).shown(), format!("[{refused}, {refused}, {refused}]"));

    shelf.put(k);
    machine.feed(Outcome::Returned(().into()));
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "8");
}

/// Semantics 2: the first value of an unstarted continuation must be `None`; else it stays usable.
#[test]
fn an_unstarted_continuation_wants_none_first_and_stays_usable() {
    let body = program("body", async |y| {
        let k = y.yields(create_continuation(pure("ran"))).await?;
        assert!(k.cell().is_kept() && !k.cell().is_used());
        let refused = y.yields(resume(&k, 3)).await.unwrap_err();
        assert!(!k.cell().is_used());
        Ok((refused.to_string(), y.yields(resume(&k, ())).await?).into())
    });
    assert_eq!(run(body).shown(), "('TypeError: the first value is 3', 'ran')");
}

/// Semantics 2: throwing into an unstarted continuation, or discontinuing it, runs nothing of it.
#[test]
fn an_unstarted_continuation_that_is_let_go_runs_nothing() {
    let body = program("body", async |y| {
        let never = || program("never", async |_| panic!("nothing of it runs"));
        let first = y.yields(create_continuation(never())).await?;
        let thrown = y.yields(resume_throw(&first, error("ValueError", "in"))).await.unwrap_err();
        let second = y.yields(create_continuation(never())).await?;
        let discontinued = y.yields(discontinue(&second)).await?;
        let lost = y.yields(create_continuation(never())).await?;
        drop(lost);
        let left = y.yields(create_continuation(never())).await?;
        std::mem::drop(left.share());
        Ok((thrown.to_string(), discontinued).into())
    });
    assert_eq!(run(body).shown(), "('ValueError: in', None)");
}

/// A `K` whose chain the run is unwinding, or has unwound, is used.
#[test]
fn a_k_that_the_end_of_the_run_unwinds_is_used() {
    let (shelf, seen) = (Shelf::new(), Log::new());
    let (own, log) = (shelf.clone(), seen.clone());
    let body = program("body", async move |y| {
        y.yields(ping(0)).await.unwrap_err();
        let own = own.take();
        let inside = y.yields(crate::scripted::handlers_in(&own)).await.unwrap_err();
        log.say(inside.text());
        let again = y.yields(resume(&own, 1)).await.unwrap_err();
        log.say(again.text());
        Ok(().into())
    });
    let keeps = keeping(&shelf, "later");
    assert_eq!(run(with_handler(&keeps, body)).shown(), "'later'");
    assert_eq!(seen.text(), "Unwound Unwound");
}

/// A `K` whose chain is gone does not stand for another chain that lives in its slot now.
#[test]
fn a_k_does_not_stand_for_what_lives_in_its_slot_now() {
    let (shelf, seen) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "later");
    let (own, log) = (shelf, seen.clone());
    let second = program("second", async move |y| {
        y.yields(ping(1)).await.unwrap_err();
        // The chain of the first is unwound, and new ones take its slots.
        let _own = own.take();
        let first = own.take();
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(y.yields(create_continuation(pure(0))).await?);
        }
        log.say(y.yields(crate::scripted::handlers_in(&first)).await.unwrap_err().text());
        log.say(y.yields(resume(&first, 3)).await.unwrap_err().text());
        for other in &others {
            y.yields(resume(other, ())).await?;
        }
        Ok(().into())
    });
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(with_handler(&keeps, &second)).await
    });
    assert_eq!(run(block).shown(), "'later'");
    assert_eq!(seen.text(), "Unwound Unwound");
}

/// Two continuations of one body: each capture has its own, and only the last is usable.
#[test]
fn each_capture_has_a_k_of_its_own() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "kept");
    let body = program("body", async |y| {
        let one = y.yields(ping(0)).await?;
        let two = y.yields(ping(1)).await?;
        Ok((one, two).into())
    });
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, &body)).await?;
        let first = shelf.take();
        y.yields(resume(&first, 10)).await?;
        let second = shelf.take();
        let refused = y.yields(resume(&first, 11)).await.unwrap_err();
        let came = y.yields(resume(&second, 20)).await?;
        Ok((refused.text(), came).into())
    });
    assert_eq!(run(block).shown(), "('Resumed', (10, 20))");
}

/// The cell itself gives its continuation away once, and to its own run only, whoever asks.
#[test]
fn a_cell_gives_its_continuation_once_and_to_its_own_run() {
    let (shelf, other) = (Shelf::new(), Run::new(pure(0)).machine());
    let keeps = keeping(&shelf, "kept");
    let body = program("body", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(escape("wait")).await
    });
    let mut machine = Run::new(body).machine();
    assert!(matches!(machine.go(), Stop::Async(_)));
    let k = shelf.take();
    let take = |run: &Arc<Mailbox>| k.cell().take(run, Fate::Resumed, None, Label::share).err();
    assert!(matches!(take(other.vm.mailbox()), Some(Refusal::Foreign)));
    assert!(take(machine.vm.mailbox()).is_none());
    assert!(matches!(take(machine.vm.mailbox()), Some(Refusal::Used(Fate::Resumed, None))));
    assert_eq!(machine.finish(Stop::Exhausted).closed, ["body", "asks"]);
}
