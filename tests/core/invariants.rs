//! The invariants of one pointer over an arena of segments. Law: architecture, rule 1, INV-1 to INV-6.
//!
//! Nothing of a segment is public to a test, so each is held by what would be seen if it broke.

use segue::core::step::Outcome;
use segue::core::visit::Visitor;

use crate::scripted::class::{PING, PONG, TELL};
use crate::scripted::host::{Handler, HeldClass, Scripted};
use crate::scripted::script::Generator;
use crate::scripted::{
    Error, Log, Machine, Run, Shelf, Stop, Value, answering, asks, attempt, bracket, error, escape, flat_map, function,
    handler, keeping, map, nest, ping, pong, program, pure, resume, run, seal, tell, teller, with_handler,
    with_intercept,
};

/// A watcher that counts what it sees in the log.
fn watch(log: &Log) -> Value {
    let log = log.clone();
    function("watch", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        log.say(&effect);
        Ok(effect)
    })
}

/// A body with something of every kind between it and its handlers: maps, `Try`, a bracket, a wall, an interceptor.
fn laden(log: &Log) -> Value {
    let doubles = function("doubles", async |_, arguments| Ok((arguments[0].int() * 2).into()));
    let then = function("then", async |_, arguments| {
        let first = arguments[0].share();
        Ok(program("then", async move |y| Ok((&first, y.yields(ping(30)).await?).into())))
    });
    let uses = function("uses", async |_, mut arguments| {
        let resource = arguments.remove(0);
        Ok(program("uses", async move |y| Ok((&resource, y.yields(ping(20)).await?).into())))
    });
    let releases = function("releases", async |_, arguments| Ok(tell(arguments[0].share())));
    let core = program("core", async move |y| {
        let mapped = y.yields(map(ping(1), &doubles)).await?;
        let chained = y.yields(flat_map(ping(2), &then)).await?;
        let bracketed = y.yields(bracket(ping(3), &uses, &releases)).await?;
        let tried = y.yields(attempt(program("fails", async |y| {
            y.yields(ping(4)).await?;
            Err(error("ValueError", "tried"))
        })));
        let tried = tried.await?;
        Ok(vec![mapped, chained, bracketed, tried].into())
    });
    seal(&[PING, TELL], with_intercept(&watch(log), with_handler(&answering_pong(), core)))
}

fn answering_pong() -> Value {
    handler("pongs").answers(&[PONG], |e| Ok(e.at(0))).done()
}

/// What the machine holds, in the order in which it shows it.
struct Held(Vec<String>);

impl Visitor<Scripted> for Held {
    fn value(&mut self, value: &Value) {
        self.0.push(value.to_string());
    }
    fn error(&mut self, error: &Error) {
        self.0.push(error.to_string());
    }
    fn code(&mut self, code: &Box<Generator>) {
        self.0.push(code.name.clone());
    }
    fn handler(&mut self, _: &Handler) {}
    fn class(&mut self, _: &HeldClass) {}
}

pub fn held(machine: &Machine) -> Vec<String> {
    let mut held = Held(Vec::new());
    machine.vm.visit(&mut held);
    held.0
}

/// INV-1, one source of truth: the state of an execution is on its segments only. What a detached chain holds does not
/// change while another execution runs, and the machine holds nothing of it anywhere else.
#[test]
fn inv_1_a_detached_chain_is_the_only_place_of_its_state() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "kept");
    let adds = function("adds", async |_, arguments| Ok((arguments[0].int() + 1).into()));
    let body = program("body", async |y| y.yields(ping(0)).await);
    let body = map(attempt(body), &function("mapper", async |_, mut arguments| Ok(arguments.remove(0))));
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, &body)).await?;
        y.yields(escape("before")).await?;
        let other = program("other", async |y| y.yields(map(pure(1), &function("f", async |_, _| Ok(2.into())))).await);
        y.yields(map(other, &adds)).await?;
        y.yields(escape("after")).await?;
        y.yields(resume(&shelf.take(), 7)).await
    });
    let mut machine = Run::new(block).machine();
    let mut seen = Vec::new();
    for _ in 0..2 {
        assert!(matches!(machine.go(), Stop::Async(_)));
        seen.push(held(&machine));
        machine.feed(Outcome::Returned(().into()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].iter().filter(|what| *what == "body").count(), 1);
    assert_eq!(seen[0].iter().filter(|what| *what == "<mapper>").count(), 1);
    let stop = machine.go();
    assert_eq!(machine.finish(stop).shown(), "Ok(7)");
}

/// INV-2, isolation: what a nested context opens, guards, or fails with is nothing to its parent.
#[test]
fn inv_2_a_nested_context_does_not_touch_its_parent() {
    let log = Log::new();
    let told = Log::new();
    // Inside the watcher's own program a nested block installs handlers, is guarded, fails, and is gone.
    let seen = log.clone();
    let opens = function("opens", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        seen.say(&effect);
        Ok(program("own", async move |y| {
            let nested = with_handler(
                &answering("nested", 99),
                program("fails", async |y| {
                    y.yields(ping(50)).await?;
                    Err(error("ValueError", "nested"))
                }),
            );
            let _failed = y.yields(attempt(nested)).await?;
            y.yields(&effect).await
        }))
    });
    let body = program("body", async |y| {
        let one = y.yields(ping(1)).await?;
        y.yields(tell("between")).await?;
        Ok((one, y.yields(ping(2)).await?).into())
    });
    let report = run(nest(&[&teller(&told), &answering("h", 7)], with_intercept(&opens, body)));
    assert_eq!(report.shown(), "(7, 7)", "the nested handler is gone");
    assert_eq!(log.text(), "Ping(1) Tell('between') Ping(2)", "each perform of the parent is seen again");
}

type Feed = fn() -> Outcome<Scripted>;

/// INV-3, preservation: a segment that is current again finds its fields as it left them. A lost continuation is unwound
/// between two steps, whatever was about to happen: a value, an error, a program.
#[test]
fn inv_3_what_was_about_to_happen_happens_after_a_detour() {
    let feeds: [(Feed, &str); 2] = [
        (|| Outcome::Returned(5.into()), "('got', 5)"),
        (|| Outcome::Raised(error("OSError", "x")), "('met', 'OSError: x')"),
    ];
    for (feed, expected) in feeds {
        let (shelf, log) = (Shelf::new(), Log::new());
        let inner = teller(&log);
        let lost = program("lost", async |y| {
            let came = y.yields(ping(0)).await;
            for n in 0..3 {
                y.yields(tell(n)).await?;
            }
            came
        });
        let kept = nest(&[&keeping(&shelf, "kept"), &inner], lost);
        let body = program("body", async move |y| {
            y.yields(&kept).await?;
            match y.yields(escape("wait")).await {
                Ok(value) => Ok(("got", value).into()),
                Err(met) => Ok(("met", met.to_string()).into()),
            }
        });
        let mut machine = Run::new(body).machine();
        assert!(matches!(machine.go(), Stop::Async(_)));
        shelf.clear();
        machine.feed(feed());
        let stop = machine.go();
        assert_eq!(machine.finish(stop).shown(), expected);
        assert_eq!(log.text(), "0 1 2");
    }
    // Between a yield and the evaluation of what was yielded.
    let shelf = Shelf::new();
    let kept = with_handler(&keeping(&shelf, "kept"), asks(0));
    let body = program("body", async move |y| {
        y.yields(&kept).await?;
        shelf.clear();
        y.yields(pure("evaluated")).await
    });
    assert_eq!(run(body).shown(), "'evaluated'");
}

/// INV-4, one global: `current_segment` is a machine's own. Two machines that take turns do not know of each other.
#[test]
fn inv_4_machines_that_take_turns_do_not_know_of_each_other() {
    let alone = |seed: i64| {
        let log = Log::new();
        let report = run(laden_run(seed, &log));
        (report.shown(), log.text(), report.listing)
    };
    let expected = [alone(1), alone(2)];
    let logs = [Log::new(), Log::new()];
    let mut machines = vec![Run::new(laden_run(1, &logs[0])).machine(), Run::new(laden_run(2, &logs[1])).machine()];
    let mut stops = [None, None];
    while stops.iter().any(Option::is_none) {
        for (machine, stop) in machines.iter_mut().zip(&mut stops) {
            if stop.is_none() {
                *stop = machine.turn();
            }
        }
    }
    let shown = |stop: Option<Stop>| match stop {
        Some(Stop::Done(value)) => value.to_string(),
        _ => panic!("both runs end with a value"),
    };
    let [first, second] = stops.map(shown);
    assert_eq!([&first, &second], [&expected[0].0, &expected[1].0]);
    for (index, machine) in machines.iter_mut().enumerate() {
        assert_eq!(logs[index].text(), expected[index].1);
        assert_eq!(machine.listing, expected[index].2);
    }
    drop(machines);
}

fn laden_run(seed: i64, log: &Log) -> Value {
    let adds = handler("adds").control(&[PING], async move |y, e, k| y.yields(resume(&k, e.at(0).int() + seed)).await);
    nest(&[&teller(log), &adds.done()], laden(log))
}

/// INV-5, completeness: no field is forgotten across capture and resume. A body that is captured, kept and resumed
/// elsewhere at every perform comes to the same as one that is answered in place.
#[test]
fn inv_5_capture_and_resume_forget_no_field() {
    let answered = {
        let log = Log::new();
        let in_place = handler("in_place").answers(&[PING], |e| Ok((e.at(0).int() + 100).into())).done();
        let report = run(nest(&[&teller(&log), &in_place], laden(&log)));
        (report.shown(), log.text())
    };
    assert!(answered.0.starts_with("[202, "), "{}", answered.0);

    let (log, shelf) = (Log::new(), Shelf::new());
    let to = shelf.clone();
    let keeps = handler("keeps").control(&[PING], async move |_, e, k| {
        to.put(k.keep()?);
        Ok(("kept", e.at(0)).into())
    });
    let body = with_handler(&keeps.done(), laden(&log));
    let inner = teller(&log);
    let relay = program("relay", async move |y| {
        let mut came = y.yields(with_handler(&inner, &body)).await?;
        loop {
            let kept = came.to_string().starts_with("('kept', ");
            if !kept {
                return Ok(came);
            }
            // Each time in another place, with other segments around.
            let answer = came.at(1).int() + 100;
            let here = nest(&[&inner, &answering_pong()], resume(&shelf.take(), answer));
            came = y.yields(seal(&[TELL], with_handler(&inner, here))).await?;
        }
    });
    let report = run(relay);
    assert_eq!((report.shown(), log.text()), answered);
}

/// INV-6, new contexts: a segment starts without a trace of who lived in its slot, and with the guards of its opener.
#[test]
fn inv_6_a_new_segment_has_its_openers_guards_and_nothing_of_a_former_life() {
    let (log, told) = (Log::new(), Log::new());
    let watches = watch(&log);
    // Fills slots with guards, remembered look-ups and pending frames, and empties them by an error.
    let messy = {
        let fails = function("fails", async |_, _| {
            Ok(program("fails", async |y| {
                y.yields(with_handler(
                    &answering("in guard", 0),
                    program("deep", async |y| {
                        y.yields(ping(60)).await?;
                        Err(error("ValueError", "messy"))
                    }),
                ))
                .await
            }))
        });
        attempt(with_intercept(&fails, with_handler(&answering_pong(), ping(61))))
    };
    let body = program("body", async move |y| {
        for _ in 0..3 {
            y.yields(&messy).await?;
        }
        let tidy = with_handler(
            &answering("tidy", 5),
            program("inside", async |y| {
                Ok((y.yields(ping(1)).await?, y.yields(pong(2)).await.unwrap_err().to_string()).into())
            }),
        );
        y.yields(with_intercept(&watches, tidy)).await
    });
    let report = run(nest(&[&teller(&told), &answering("outer", 1)], body));
    assert_eq!(report.shown(), "(5, 'UnhandledEffectError: Pong(2) in [tidy, outer, teller]')");
    assert_eq!(log.text(), "Ping(1) Pong(2)", "the guards of the messy blocks are gone");

    // Guards of the opener: what a watcher's program opens is the watcher's own, as deep as it goes.
    let log = Log::new();
    let seen = log.clone();
    let deep = function("deep", async move |_, mut arguments| {
        let effect = arguments.remove(0);
        seen.say(&effect);
        let inside = program("inside", async move |y| y.yields(&effect).await);
        Ok(seal(&[PING], with_handler(&answering_pong(), seal(&[PING], inside))))
    });
    assert_eq!(run(with_handler(&answering("outer", 1), with_intercept(&deep, asks(9)))).shown(), "1");
    assert_eq!(log.text(), "Ping(9)");
}
