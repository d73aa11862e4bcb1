//! Native handlers that hold the bodies of their installation, against the public `core::native`: what a scheduler is
//! made of. Laws: semantics 7 (handler order decides sharing, one runs at a time), decision 21.

use std::collections::{HashMap, VecDeque};

use segue::core::fault::Fault;
use segue::core::frame::{Continuation, Resumption};
use segue::core::ids::ClauseId;
use segue::core::limits::Bounds;
use segue::core::native::{Answer, Body, Held, Native, Next, Store};

use crate::natives::counter;
use crate::scripted::class::{PING, PONG, READ, WRITE};
use crate::scripted::host::Scripted;
use crate::scripted::{
    Error, Log, Run, Shelf, Value, answering, discontinue, error, function, handler, inherit, keeping, nest, ping,
    pong, program, read, resume, run, seal, with_handler, with_intercept, write,
};

/// What a body that is held goes on with.
enum Wake {
    Start,
    With(Result<Value, Error>),
}

/// Bodies take turns. `Write(name, program)` opens one and gives its number, `Pong` gives way and gives what it was
/// given, `Read(number)` waits for what that one comes to.
#[derive(Default)]
struct Rounds {
    running: usize,
    ready: VecDeque<(usize, Body<Scripted>, Wake)>,
    waiting: HashMap<usize, Vec<(usize, Continuation)>>,
    results: Vec<Option<Result<Value, Error>>>,
}

const NOBODY: Fault<Scripted> = Fault::Internal("nobody can go on");

fn place(number: &Value) -> usize {
    usize::try_from(number.int()).expect("a body has a number")
}

fn twin(store: &dyn Store<Scripted>, result: &Result<Value, Error>) -> Result<Value, Error> {
    match result {
        Ok(value) => Ok(store.share(value)),
        Err(met) => Err(store.clone_error(met)),
    }
}

fn let_go(store: &mut dyn Store<Scripted>, result: Result<Value, Error>) {
    match result {
        Ok(value) => store.discard(value),
        Err(met) => store.discard_error(met),
    }
}

impl Rounds {
    fn next(&mut self) -> Next<Scripted> {
        if let Some((number, body, wake)) = self.ready.pop_front() {
            self.running = number;
            return match wake {
                Wake::Start => Next::Start(body),
                Wake::With(Ok(value)) => Next::Resume(body, Resumption::Value(value)),
                Wake::With(Err(met)) => Next::Resume(body, Resumption::Error(met)),
            };
        }
        let stuck = self.waiting.values_mut().find_map(Vec::pop);
        let (number, body) = stuck.expect("somebody waits when nobody runs");
        self.running = number;
        Next::Refuse(body.into(), NOBODY)
    }
}

impl Native<Scripted> for Rounds {
    fn answer(&mut self, store: &mut dyn Store<Scripted>, clause: ClauseId, effect: &Value) -> Answer<Scripted> {
        match clause {
            ClauseId(0) => Answer::Branch(store.field(effect, 1)),
            ClauseId(1) => Answer::Suspend,
            _ => {
                let number = store.field(effect, 0);
                let result = self.results.get(place(&number)).and_then(Option::as_ref);
                store.discard(number);
                match result.map(|result| twin(store, result)) {
                    Some(Ok(value)) => Answer::Value(value),
                    Some(Err(met)) => Answer::Raise(met),
                    None => Answer::Suspend,
                }
            }
        }
    }

    fn holds_bodies(&self) -> bool {
        true
    }

    fn suspended(&mut self, store: &mut dyn Store<Scripted>, effect: Value, body: Continuation) -> Next<Scripted> {
        let field = store.field(&effect, 0);
        if effect.to_string().starts_with("Pong") {
            self.ready.push_back((self.running, body.into(), Wake::With(Ok(field))));
        } else {
            let number = place(&field);
            store.discard(field);
            self.waiting.entry(number).or_default().push((self.running, body));
        }
        store.discard(effect);
        self.next()
    }

    fn branched(
        &mut self,
        store: &mut dyn Store<Scripted>,
        _: &Value,
        body: Body<Scripted>,
        place: Option<Value>,
    ) -> Value {
        if let Some(place) = place {
            store.discard(place);
        }
        if self.results.is_empty() {
            self.results.push(None);
        }
        let number = self.results.len();
        self.results.push(None);
        self.ready.push_back((number, body, Wake::Start));
        i64::try_from(number).expect("a body has a small number").into()
    }

    fn ended(&mut self, store: &mut dyn Store<Scripted>, outcome: Result<Value, Error>) -> Next<Scripted> {
        let leaves = matches!(&outcome, Err(met) if !met.is_exception());
        if self.running == 0 || leaves {
            return Next::Finish(outcome);
        }
        for (number, body) in self.waiting.remove(&self.running).unwrap_or_default() {
            self.ready.push_back((number, body.into(), Wake::With(twin(store, &outcome))));
        }
        self.results[self.running] = Some(outcome);
        self.next()
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, Scripted>)) {
        self.ready.iter().flat_map(|(_, body, _)| body.values()).for_each(|value| see(Held::Value(value)));
        let ready = self.ready.iter().filter_map(|(_, _, wake)| match wake {
            Wake::Start => None,
            Wake::With(result) => Some(result),
        });
        ready.chain(self.results.iter().flatten()).for_each(|result| match result {
            Ok(value) => see(Held::Value(value)),
            Err(met) => see(Held::Error(met)),
        });
    }

    fn release(self: Box<Self>, store: &mut dyn Store<Scripted>) {
        for (_, body, wake) in self.ready {
            body.into_values().for_each(|value| store.discard(value));
            if let Wake::With(result) = wake {
                let_go(store, result);
            }
        }
        self.results.into_iter().flatten().for_each(|result| let_go(store, result));
    }
}

fn rounds() -> Value {
    handler("rounds").native(&[WRITE, PONG, READ], Rounds::default).done()
}

/// Says its name at each of its turns, and comes to it.
fn turns(name: &'static str, times: i64, log: &Log) -> Value {
    let log = log.clone();
    program(name, async move |y| {
        for turn in 0..times {
            log.say(format!("{name}{turn}"));
            let given = y.yields(pong(turn)).await?;
            assert_eq!(given.int(), turn, "each body has its own answer");
        }
        Ok(name.into())
    })
}

/// Opens a body for each program, and waits for all.
fn gather(programs: impl Fn() -> Vec<Value> + Send + Sync + 'static) -> Value {
    program("gather", async move |y| {
        let mut numbers = Vec::new();
        for body in programs() {
            numbers.push(y.yields(write("body", body)).await?.int());
        }
        let mut results = Vec::new();
        for number in numbers {
            results.push(match y.yields(read(number)).await {
                Ok(value) => value,
                Err(met) => met.to_string().into(),
            });
        }
        Ok(results.into())
    })
}

/// Semantics 7: one runs at a time, and gives way only where it waits; opening a body does not switch.
#[test]
fn bodies_take_turns() {
    let log = Log::new();
    let seen = log.clone();
    let both = gather(move || vec![turns("a", 2, &seen), turns("b", 3, &seen)]);
    assert_eq!(run(with_handler(&rounds(), both)).shown(), "['a', 'b']");
    assert_eq!(log.text(), "a0 b0 a1 b1 b2");
}

/// An error that leaves a body goes to who waits for it, and to nobody else.
#[test]
fn an_error_of_a_body_goes_to_who_waits_for_it() {
    let log = Log::new();
    let fails = || program("fails", async |_| Err(error("ValueError", "no")));
    let both = gather(move || vec![fails(), turns("b", 1, &log), fails()]);
    assert_eq!(run(with_handler(&rounds(), both)).shown(), "['ValueError: no', 'b', 'ValueError: no']");
}

/// Semantics 7: handlers outside are shared, those between are forked for each body, in the same order.
#[test]
fn handlers_outside_are_shared_and_those_between_are_forked() {
    let counts = |name: &'static str| {
        program(name, async move |y| {
            let inner = y.yields(pong(1)).await?;
            Ok((inner, y.yields(ping(0)).await?).into())
        })
    };
    let log = Log::new();
    let seen = log.clone();
    let shared = handler("shared").answers(&[PING], move |_| {
        seen.say("ping");
        Ok("shared".into())
    });
    let body = program("body", async move |y| {
        y.yields(pong(10)).await?;
        y.yields(gather(move || vec![counts("a"), counts("b")])).await
    });
    // The counter between answers `Pong`: each body's starts where it stood when the body was opened.
    let report = run(nest(&[&shared.done(), &rounds(), &counter("counter")], body));
    assert_eq!(report.shown(), "([(11, 'shared'), (11, 'shared')], 10)");
    assert_eq!(log.text(), "ping ping");
}

/// Semantics 7: interceptors and walls that stand between are around the child as well.
#[test]
fn interceptors_and_walls_are_around_the_new_body() {
    let log = Log::new();
    let seen = log.clone();
    let watch = function("watch", async move |_, mut arguments| {
        seen.say(&arguments[0]);
        Ok(arguments.remove(0))
    });
    let child = || {
        program("child", async |y| {
            y.yields(pong(1)).await?;
            y.yields(ping(0)).await
        })
    };
    let inside = seal(&[WRITE, READ, PONG], with_intercept(&watch, gather(move || vec![child()])));
    let report = run(nest(&[&answering("outer", 1), &rounds()], inside));
    assert_eq!(report.shown(), "['UnhandledEffectError: Ping(0) in [], at a wall']");
    assert_eq!(log.text(), "Write('body', <child>()) Read(1) Pong(1) Ping(0)");
}

/// A `fork` that fails is an error of who asked, and opens no body.
#[test]
fn a_fork_that_fails_opens_no_body() {
    let fragile =
        handler("fragile").fork(async |_, _| Err(error("ValueError", "fork"))).answers(&[PING], |_| Ok(1.into()));
    let log = Log::new();
    let asks = program("asks", async move |y| {
        let met = y.yields(write("body", turns("a", 1, &log))).await.unwrap_err();
        Ok((met.to_string(), y.yields(pong(7)).await?).into())
    });
    assert_eq!(run(nest(&[&rounds(), &fragile.done()], asks)).shown(), "('ValueError: fork', 7)");
}

/// A body between which and its handler nothing stands has no segment before it starts; a bound on segments counts the one
/// that it will have, and meets who asked for it.
#[test]
fn a_bound_on_segments_counts_a_body_that_has_not_started() {
    let log = Log::new();
    let asks = program("asks", async move |y| {
        let first = y.yields(write("body", turns("a", 1, &log))).await?;
        let met = y.yields(write("body", turns("b", 1, &log))).await.unwrap_err();
        Ok((first, met.to_string()).into())
    });
    let report = Run::new(with_handler(&rounds(), asks)).bounds(|bounds| bounds.segments = Some(3)).go();
    assert_eq!((report.shown().as_str(), report.peak_segments), ("(1, 'LimitExceeded: Segments')", 3));
}

/// Those that started, ended, or went with their handler count no more.
#[test]
fn a_bound_on_segments_forgets_bodies_that_are_over() {
    let log = Log::new();
    let block = move |log: &Log| {
        let log = log.clone();
        let asks = program("asks", async move |y| {
            for _ in 0..3 {
                let number = y.yields(write("body", turns("a", 0, &log))).await?;
                y.yields(read(number)).await?;
            }
            y.yields(write("body", program("never", async |_| panic!("nobody lets it start")))).await
        });
        with_handler(&rounds(), asks)
    };
    let twice =
        program("twice", async move |y| Ok((y.yields(block(&log)).await?, y.yields(block(&log)).await?).into()));
    let report = Run::new(twice).bounds(|bounds| bounds.segments = Some(3)).go();
    assert_eq!((report.shown().as_str(), report.peak_segments), ("(4, 4)", 3));
}

/// One that never starts holds its program and its context, and lets go of them with its handler.
#[test]
fn a_body_that_never_starts_is_let_go() {
    let asks = program("asks", async move |y| {
        y.yields(write("body", program("never", async |_| panic!("nobody lets it start")))).await?;
        Ok(1.into())
    });
    assert_eq!(run(with_handler(&rounds(), asks)).shown(), "1");
}

/// A bound on segments counts those of forks, and meets who asked for them.
#[test]
fn a_bound_on_segments_meets_who_asked() {
    let log = Log::new();
    let asks = program("asks", async move |y| {
        let first = y.yields(write("body", turns("a", 1, &log))).await?;
        let met = y.yields(write("body", turns("b", 1, &log))).await.unwrap_err();
        Ok((first, met.to_string()).into())
    });
    let between = nest(&[&rounds(), &answering("between", 1)], asks);
    let report = Run::new(between).bounds(|bounds| bounds.segments = Some(5)).go();
    assert_eq!(report.shown(), "(1, 'LimitExceeded: Segments')");
}

/// The first body's result is the block's; what its handler still holds is unwound at the end of the run, with effects.
#[test]
fn what_is_still_held_is_unwound_at_the_end() {
    let log = Log::new();
    let seen = log.clone();
    let child = program("child", async move |y| {
        let met = y.yields(pong(1)).await.unwrap_err();
        seen.say(met.class());
        Err(met)
    });
    let first = program("first", async move |y| {
        y.yields(write("body", child.share())).await?;
        y.yields(pong(0)).await?;
        Ok("first".into())
    });
    let report = run(with_handler(&rounds(), first));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'first'", "Discontinued"));
    assert!(report.unobserved.is_empty());
}

/// A handler outside has all bodies as its body: when it ends its block, the running one is unwound, and so are the others.
#[test]
fn a_handler_outside_ends_all_of_them() {
    let log = Log::new();
    let leaves = |name: &'static str, log: &Log| {
        let log = log.clone();
        program(name, async move |y| {
            y.yields(pong(0)).await.inspect_err(|met| log.say(format!("{name}:{}", met.class())))?;
            let came = y.yields(ping(0)).await;
            log.say(format!("{name}:{}", came.as_ref().unwrap_err().class()));
            came
        })
    };
    let (a, b) = (leaves("a", &log), leaves("b", &log));
    let stops = handler("stops").control(&[PING], async |_, _, _| Ok("stopped".into())).done();
    let report = run(nest(&[&stops, &rounds()], gather(move || vec![a.share(), b.share()])));
    assert_eq!(report.shown(), "'stopped'");
    assert_eq!(log.text(), "a:Discontinued b:Discontinued");
}

/// A handler outside may keep the block with all its bodies, and go on with it later: nothing is lost.
#[test]
fn a_block_that_is_kept_and_resumed_elsewhere_goes_on() {
    let (log, shelf) = (Log::new(), Shelf::new());
    let seen = log.clone();
    let keeps = keeping(&shelf, "kept");
    let asks = || program("asks", async |y| y.yields(ping(0)).await);
    let block = nest(&[&keeps, &rounds()], gather(move || vec![turns("a", 2, &seen), asks(), turns("b", 2, &seen)]));
    let outer = program("outer", async move |y| {
        let first = y.yields(block.share()).await?;
        let k = shelf.try_take().expect("it is kept");
        Ok((first, y.yields(resume(&k, "later")).await?).into())
    });
    assert_eq!(run(outer).shown(), "('kept', ['a', 'later', 'b'])");
    assert_eq!(log.text(), "a0 b0 a1 b1");
}

/// An effect for the installation that comes from none of its bodies is an error there: a fork that a user's clause made.
#[test]
fn an_effect_from_a_fork_that_is_no_body_is_refused() {
    let spawns = handler("spawns").control(&[PING], async |y, _, k| {
        let child = program("child", async |y| {
            let opened = y.yields(write("body", "p")).await.unwrap_err().to_string();
            Ok((opened, y.yields(pong(0)).await.unwrap_err().to_string()).into())
        });
        let child = y.yields(inherit(&k, child)).await?;
        y.yields(resume(&k, child)).await
    });
    let body = program("body", async |y| y.yields(ping(0)).await);
    let refused = "'ContinuationError: not a body of this handler'";
    assert_eq!(run(nest(&[&spawns.done(), &rounds()], body)).shown(), format!("({refused}, {refused})"));
}

/// A body that is discontinued by an inner handler's clause ends as any does.
#[test]
fn a_body_may_use_handlers_of_its_own() {
    let ends = handler("ends").control(&[PING], async |y, _, k| {
        y.yields(discontinue(&k)).await?;
        y.yields(pong(3)).await
    });
    let ends = ends.done();
    let child = program("child", async move |y| {
        y.yields(with_handler(&ends, program("asks", async |y| y.yields(ping(0)).await))).await
    });
    assert_eq!(run(with_handler(&rounds(), gather(move || vec![child.share()]))).shown(), "[3]");
}

/// A switch costs the same however many wait: a hundred thousand bodies take turns, in constant native stack.
#[test]
fn a_hundred_thousand_bodies_take_turns() {
    let many = if cfg!(miri) { 100 } else { 100_000 };
    let all = program("all", async move |y| {
        for _ in 0..many {
            let child = program("child", async |y| y.yields(pong(1)).await);
            y.yields(write("body", child)).await?;
        }
        let last = y.yields(read(many)).await?.int();
        Ok(last.into())
    });
    let report = Run::new(with_handler(&rounds(), all)).bounds(|bounds| *bounds = Bounds::default()).go();
    assert_eq!(report.shown(), "1");
    assert!(report.peak_segments >= usize::try_from(many).unwrap());
}
