//! Handlers that answer inside the machine, against the public `core::native`. Laws: architecture, "Built-ins answer in
//! place"; semantics 6 (lazy values).

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use segue::core::fault::Fault;
use segue::core::ids::ClauseId;
use segue::core::native::{Answer, AtOnce, Held, Load, Native, Store, Thunk};
use segue::core::step::Outcome;
use segue::effects::EventLoop;

use crate::scripted::class::{PING, PONG, READ, WRITE};
use crate::scripted::host::{Clones, Scripted};
use crate::scripted::value::locked;
use crate::scripted::{
    Error, Log, Run, Shelf, Stop, Value, answering, asks, error, function, handler, inherit, keeping, lazy, mapping,
    nest, ping, pong, program, pure, read, resume, run, seal, with_handler, with_intercept, write,
};

/// Adds up what `Pong` brings, and gives the sum; forks start from it.
struct Counter(i64);

impl Native<Scripted> for Counter {
    fn answer(&mut self, store: &mut dyn Store<Scripted>, _: ClauseId, effect: &Value) -> Answer<Scripted> {
        let n = store.field(effect, 0);
        self.0 += n.int();
        store.discard(n);
        Answer::Value(self.0.into())
    }

    fn finish(&mut self, store: &mut dyn Store<Scripted>, value: Value) -> Value {
        store.pair(value, self.0.into())
    }

    fn fork(&mut self, _: &mut dyn Store<Scripted>) -> Option<Box<dyn Native<Scripted>>> {
        Some(Box::new(Self(self.0)))
    }

    fn visit(&self, _: &mut dyn FnMut(Held<'_, Scripted>)) {}

    fn release(self: Box<Self>, _: &mut dyn Store<Scripted>) {}
}

/// A handler of `Pong` that counts inside the machine.
pub fn counter(name: &str) -> Value {
    handler(name).native(&[PONG], || Counter(0)).done()
}

/// A mapping that is read and written; forks share it. `Read` of a lazy value computes it, of a number asks user code.
struct Shelved {
    mapping: Option<Value>,
    outward: bool,
}

static RELEASED: AtomicUsize = AtomicUsize::new(0);

impl Shelved {
    fn mapping(&self) -> &Value {
        self.mapping.as_ref().expect("it is released once")
    }

    fn give(store: &mut dyn Store<Scripted>, value: Value) -> Answer<Scripted> {
        match store.thunk(&value) {
            Thunk::Plain => Answer::Value(value),
            Thunk::Done(result) => {
                store.discard(value);
                Answer::Value(result)
            }
            Thunk::Running => Answer::Fault(Fault::Cycle(value)),
            Thunk::Fresh(program) => {
                store.start_thunk(&value);
                Answer::Evaluate { program, thunk: value }
            }
        }
    }
}

impl Native<Scripted> for Shelved {
    fn answer(&mut self, store: &mut dyn Store<Scripted>, clause: ClauseId, effect: &Value) -> Answer<Scripted> {
        let key = store.field(effect, 0);
        if clause == ClauseId(1) {
            let value = store.field(effect, 1);
            return match store.store(self.mapping(), key, value) {
                None => Answer::Value(store.unit()),
                Some(request) => Answer::Request(request),
            };
        }
        match store.load(self.mapping(), &key) {
            Load::Found(value) => {
                store.discard(key);
                Self::give(store, value)
            }
            Load::Missing if self.outward => {
                store.discard(key);
                Answer::Forward
            }
            Load::Missing => {
                let mapping = store.share(self.mapping());
                Answer::Fault(Fault::MissingKey { key, mapping })
            }
            Load::Request(request) => {
                store.discard(key);
                Answer::Request(request)
            }
        }
    }

    fn settle(
        &mut self,
        store: &mut dyn Store<Scripted>,
        effect: &Value,
        outcome: Result<Value, Error>,
    ) -> Answer<Scripted> {
        match outcome {
            Ok(value) if store.is_missing(&value) && self.outward => {
                store.discard(value);
                Answer::Forward
            }
            Ok(value) if store.is_missing(&value) => {
                store.discard(value);
                let mapping = store.share(self.mapping());
                Answer::Fault(Fault::MissingKey { key: store.field(effect, 0), mapping })
            }
            Ok(value) => Self::give(store, value),
            Err(error) => Answer::Raise(error),
        }
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, Scripted>)) {
        see(Held::Value(self.mapping()));
    }

    fn release(mut self: Box<Self>, store: &mut dyn Store<Scripted>) {
        RELEASED.fetch_add(1, Ordering::Relaxed);
        if let Some(mapping) = self.mapping.take() {
            store.discard(mapping);
        }
    }
}

fn shelves(name: &str, entries: Value, outward: bool) -> Value {
    let entries = Mutex::new(Some(entries));
    let fresh = move || {
        let mapping = locked(&entries).take();
        Shelved { mapping: Some(mapping.expect("this handler is installed once")), outward }
    };
    handler(name).native(&[READ, WRITE], fresh).done()
}

fn lists(effects: impl Fn() -> Vec<Value> + Send + Sync + 'static) -> Value {
    program("lists", async move |y| {
        let mut answers = Vec::new();
        for effect in effects() {
            answers.push(match y.yields(effect).await {
                Ok(answer) => answer,
                Err(met) => met.to_string().into(),
            });
        }
        Ok(answers.into())
    })
}

/// A native clause answers in place: it captures nothing, opens nothing, and the machine takes no second owner.
#[test]
fn a_native_clause_answers_in_place() {
    let body = program("body", async |y| {
        for n in 0..9 {
            y.yields(pong(n)).await?;
        }
        y.yields(pong(0)).await
    });
    let report = run(with_handler(&counter("counter"), body));
    assert_eq!(report.shown(), "(36, 36)", "`finish` made the pair");
    assert_eq!(report.clones, Clones::default());
    assert_eq!((report.peak_segments, report.peak_calls), (2, 1));
    assert_eq!(report.steps, 1 + 2 * 10, "a native answer is two steps: perform and answer");
    let sends = report.listing.iter().filter(|line| line.starts_with("send"));
    assert_eq!((sends.count(), report.listing.len()), (10, 13), "no other user code runs for it");
}

/// What it does not have it forwards: the walk goes on outward, interceptors do not see it again.
#[test]
fn a_forwarded_effect_goes_on_outward() {
    let log = Log::new();
    let seen = log.clone();
    let watch = function("watch", async move |_, mut arguments| {
        seen.say(&arguments[0]);
        Ok(arguments.remove(0))
    });
    let outer = shelves("outer", mapping(vec![("b", 2.into())]), false);
    let inner = shelves("inner", mapping(vec![("a", 1.into())]), true);
    let body = lists(|| vec![read("a"), read("b"), read("c")]);
    let report = run(nest(&[&outer], with_intercept(&watch, with_handler(&inner, body))));
    assert_eq!(report.shown(), "[1, 2, 'MissingKeyError: 'c'']");
    assert_eq!(log.text(), "Read('a') Read('b') Read('c')");
}

/// A forwarded effect that nobody outside accepts is unhandled at the performer.
#[test]
fn a_forwarded_effect_that_nobody_accepts_is_unhandled() {
    let inner = shelves("inner", mapping(vec![]), true);
    assert_eq!(run(with_handler(&inner, read("a"))).shown(), "UnhandledEffectError: Read('a') in [inner]");
}

/// A forwarded effect may be answered by a handler of any form, whose `k` reaches to the performer.
#[test]
fn a_forwarded_effect_may_be_answered_by_any_form() {
    let forms = [
        handler("h").answers(&[READ], |_| Ok(7.into())).done(),
        handler("h").answers_by(&[READ], async |_, _| Ok(7.into())).done(),
        handler("h").control(&[READ], async |y, _, k| y.yields(resume(&k, 7)).await).done(),
    ];
    for form in forms {
        let inner = shelves("inner", mapping(vec![]), true);
        let body = program("body", async |y| Ok(("body", y.yields(read("a")).await?).into()));
        assert_eq!(run(nest(&[&form, &inner], body)).shown(), "('body', 7)");
    }
}

/// A request is work for the driver; what comes of it is settled by the installation, which may still forward.
#[test]
fn a_request_is_settled_by_the_installation() {
    let outer = handler("outer").answers(&[READ], |_| Ok("outer".into())).done();
    for (outward, missing) in [(true, "'outer'"), (false, "'MissingKeyError: 9'")] {
        let inner = shelves("inner", mapping(vec![("a", 1.into())]), outward);
        let body = lists(|| vec![read(9), write(9, "nine"), read(9)]);
        let report = run(nest(&[&outer, &inner], body));
        assert_eq!(report.shown(), format!("[{missing}, None, 'nine']"));
        let requests = report.listing.iter().filter(|line| line.starts_with("request"));
        assert_eq!(requests.count(), 1);
    }
}

/// Reads a mapping, and says nothing about what a request comes to.
struct Plain(Option<Value>);

impl Native<Scripted> for Plain {
    fn answer(&mut self, store: &mut dyn Store<Scripted>, _: ClauseId, effect: &Value) -> Answer<Scripted> {
        let mapping = self.0.as_ref().expect("it is released once");
        let (key, function) = (store.field(effect, 0), store.field(effect, 1));
        Answer::Request(store.modify(mapping, key, function))
    }

    fn visit(&self, see: &mut dyn FnMut(segue::core::native::Held<'_, Scripted>)) {
        self.0.iter().for_each(|mapping| see(segue::core::native::Held::Value(mapping)));
    }

    fn release(mut self: Box<Self>, store: &mut dyn Store<Scripted>) {
        self.0.take().into_iter().for_each(|mapping| store.discard(mapping));
    }
}

/// What comes of a request is the answer, or raised at the perform, where the handler does not say otherwise.
#[test]
fn a_request_answers_by_what_comes_of_it() {
    let entries = Mutex::new(Some(mapping(vec![("a", 1.into())])));
    let plain = handler("plain").native(&[WRITE], move || Plain(locked(&entries).take())).done();
    let adds = || function("adds", async |_, arguments| Ok((arguments[0].int() + 1).into()));
    let fails = || function("fails", async |_, _| Err(error("ValueError", "no")));
    let body = lists(move || vec![write("a", adds()), write("a", fails()), write("a", adds())]);
    assert_eq!(run(with_handler(&plain, body)).shown(), "[1, 'ValueError: no', 2]");
}

/// An interceptor beyond a wall sees a forwarded effect there: the performer gets what its program comes to, an error too.
#[test]
fn a_forwarded_effect_that_an_interceptor_answers_continues_the_performer() {
    let watch = function("watch", async move |_, arguments| {
        let key = arguments[0].at(0);
        Ok(program(
            "instead",
            async move |_| if key.int() == 0 { Err(error("ValueError", "no")) } else { Ok(key.share()) },
        ))
    });
    let watched = || {
        let inner = with_handler(&shelves("inner", mapping(vec![]), true), lists(|| vec![read(0), read(7)]));
        with_intercept(&watch, seal(&[READ], inner))
    };
    let report = run(watched());
    assert_eq!(report.shown(), "['ValueError: no', 7]");
    for limit in 0..report.steps {
        let stopped = Run::new(watched()).bounds(|bounds| bounds.steps = Some(limit)).go();
        assert!(stopped.shown().contains("LimitExceeded: Steps"), "{limit}: {}", stopped.shown());
    }
}

/// The state belongs to the installation, not to the handler: it starts afresh, and is released at the end, once.
#[test]
fn native_state_belongs_to_the_installation_and_is_released_once() {
    let handler = counter("counter");
    let twice = program("twice", async move |y| {
        let first = y.yields(with_handler(&handler, pong(1))).await?;
        Ok((first, y.yields(with_handler(&handler, pong(2))).await?).into())
    });
    assert_eq!(run(twice).shown(), "((1, 1), (2, 2))");

    // While this machine lives, no other test's does: the count is this test's.
    let alone = Run::new(pure(0)).machine();
    let before = RELEASED.load(Ordering::Relaxed);
    let inside = with_handler(&shelves("inner", mapping(vec![]), false), asks(0));
    assert_eq!(run(with_handler(&handler_that_stops(), inside)).shown(), "'stopped'");
    assert_eq!(RELEASED.load(Ordering::Relaxed) - before, 1, "an ended block releases it too");
    drop(alone);
}

fn handler_that_stops() -> Value {
    handler("stop").control(&[PING], async |_, _, _| Ok("stopped".into())).done()
}

/// An ended body does not pass the native `finish`, as it does not pass `result`.
#[test]
fn an_ended_body_does_not_pass_the_native_finish() {
    let ends = handler("ends").control(&[PING], async |_, _, _| Ok("ended".into())).native(&[PONG], || Counter(0));
    assert_eq!(run(with_handler(&ends.done(), asks(0))).shown(), "'ended'");
}

/// A fork of a native installation works on what its `fork` gives; without one it shares.
#[test]
fn forks_copy_or_share_a_native_installation() {
    let spawns = handler("spawns").control(&[PING], async |y, _, k| {
        let child = program("child", async |y| {
            y.yields(write("a", "child")).await?;
            y.yields(pong(10)).await
        });
        let child = y.yields(inherit(&k, child)).await?;
        y.yields(resume(&k, child)).await
    });
    let body = program("body", async |y| {
        y.yields(pong(1)).await?;
        let child = y.yields(ping(0)).await?;
        Ok((child, (y.yields(pong(0)).await?, y.yields(read("a")).await?)).into())
    });
    let shared = shelves("shared", mapping(vec![("a", "parent".into())]), false);
    let report = run(nest(&[&spawns.done(), &shared, &counter("counter")], body));
    assert_eq!(report.shown(), "((11, (1, 'child')), 1)");
}

/// A lazy value is computed when it is first asked for, under this installation and the handlers outside it, once.
#[test]
fn a_thunk_is_computed_once_under_its_installation() {
    let log = Log::new();
    let seen = log.clone();
    let computes = program("computes", async move |y| {
        seen.say("computing");
        let base = y.yields(read("base")).await?.int();
        Ok((base + y.yields(ping(0)).await?.int()).into())
    });
    let inner = answering("inner", 1000);
    let body = with_handler(&inner, lists(|| vec![read("sum"), read("sum"), ping(0)]));
    let entries = mapping(vec![("base", 5.into()), ("sum", lazy(computes))]);
    let report = run(nest(&[&answering("outer", 2), &shelves("reader", entries, false)], body));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("[7, 7, 1000]", "computing"));
}

/// A failed computation is raised at that `Read` and not kept; asking from inside its own computation is an error.
#[test]
fn a_thunk_that_fails_is_computed_again_and_a_cycle_is_an_error() {
    let fails = program("fails", async |_| Err(error("ValueError", "no")));
    let cycles = program("cycles", async |y| y.yields(read("cycle")).await);
    let entries = mapping(vec![("fails", lazy(fails)), ("cycle", lazy(cycles))]);
    let body = lists(|| vec![read("fails"), read("fails"), read("cycle"), read("cycle")]);
    let report = run(with_handler(&shelves("reader", entries, false), body));
    assert_eq!(report.shown(), "['ValueError: no', 'ValueError: no', 'CycleError', 'CycleError']");
}

/// A handler outside may end the block while a lazy value is computed: computation and reader's body are both unwound.
#[test]
fn a_computation_that_is_ended_unwinds_the_one_who_asked() {
    let log = Log::new();
    let leaves = |name: &'static str, effect: fn() -> Value| {
        let log = log.clone();
        program(name, async move |y| {
            let came = y.yields(effect()).await;
            log.say(format!("{name}:{}", came.as_ref().unwrap_err()));
            came
        })
    };
    let entries = mapping(vec![("a", lazy(leaves("computes", || ping(0))))]);
    let reader = shelves("reader", entries, false);
    let body = leaves("asks", || read("a"));
    assert_eq!(run(nest(&[&handler_that_stops(), &reader], body)).shown(), "'stopped'");
    assert_eq!(log.text(), "computes:Discontinued asks:Discontinued");
}

/// The same when the computation is kept by a handler outside, and left at the end of the run.
#[test]
fn a_computation_that_is_kept_to_the_end_unwinds_the_one_who_asked() {
    let (log, shelf) = (Log::new(), Shelf::new());
    let seen = log.clone();
    let entries = mapping(vec![("a", lazy(asks(0)))]);
    let reader = shelves("reader", entries, false);
    let body = program("body", async move |y| {
        let came = y.yields(read("a")).await;
        seen.say(came.as_ref().unwrap_err());
        came
    });
    let report = run(nest(&[&keeping(&shelf, "kept"), &reader], body));
    assert_eq!((report.shown().as_str(), log.text().as_str()), ("'kept'", "Discontinued"));
    assert!(report.unobserved.is_empty());
}

/// Dispatch hands an effect with a native and a scripted clause to the right one.
#[test]
fn native_and_scripted_clauses_stand_side_by_side() {
    let both = handler("both").native(&[PONG], || Counter(3)).answers(&[PING], |e| Ok(e.at(0))).done();
    let report = run(with_handler(&both, lists(|| vec![pong(1), ping(8), pong(1)])));
    assert_eq!(report.shown(), "([4, 8, 5], 5)");
}

/// Like the loop around a run, and lets nobody ask it for a reply.
struct Loop;

impl Native<Scripted> for Loop {
    fn answer(&mut self, store: &mut dyn Store<Scripted>, clause: ClauseId, effect: &Value) -> Answer<Scripted> {
        EventLoop.answer(store, clause, effect)
    }

    fn reply(&mut self, _: &mut dyn Store<Scripted>, _: ClauseId, _: &Value) -> Option<AtOnce<Scripted>> {
        panic!("a handler that only awaits is not asked")
    }

    fn only_awaits(&self) -> bool {
        Native::<Scripted>::only_awaits(&EventLoop)
    }

    fn visit(&self, _: &mut dyn FnMut(Held<'_, Scripted>)) {}

    fn release(self: Box<Self>, _: &mut dyn Store<Scripted>) {}
}

/// What is ready and what waits is awaited on the short way as on the long one, with as many steps, at every bound.
#[test]
fn what_is_awaited_is_the_same_on_both_ways() {
    let awaits = || {
        let body = lists(|| vec![read(1), read("waits"), read(2), pong(1), read("again"), read(3)]);
        nest(&[&counter("counter"), &handler("loop").native(&[READ], || Loop).done()], body)
    };
    let (short, long) = (run(awaits()), Run::new(awaits()).stepping().go());
    assert_eq!(short.shown(), "([1, 'waits', 2, 1, 'again', 3], 1)");
    assert_eq!((long.shown(), long.steps), (short.shown(), short.steps));
    for limit in 0..short.steps {
        let bounded = || Run::new(awaits()).bounds(|bounds| bounds.steps = Some(limit));
        let (short, long) = (bounded().go(), bounded().stepping().go());
        assert_eq!((short.shown(), short.steps), (long.shown(), long.steps), "at {limit}");
    }
}

/// What is awaited may fail, or the run may be closed meanwhile: the body hears of it at its yield.
#[test]
fn what_is_awaited_may_fail_and_may_be_closed() {
    let awaits = || with_handler(&handler("loop").native(&[READ], || Loop).done(), lists(|| vec![read("waits")]));
    for is_long in [false, true] {
        let begun = || if is_long { Run::new(awaits()).stepping().machine() } else { Run::new(awaits()).machine() };
        let mut machine = begun();
        assert!(matches!(machine.go(), Stop::Async(_)));
        machine.feed(Outcome::Raised(error("OSError", "x")));
        let stop = machine.go();
        assert_eq!(machine.finish(stop).shown(), "['OSError: x']");
        let mut machine = begun();
        assert!(matches!(machine.go(), Stop::Async(_)));
        machine.close();
    }
}
