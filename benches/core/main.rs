//! The core's transitions on the scripted host: no interpreter, so what is seen is the machine. `make bench-core`.
//!
//! Criterion measures each round of `ROUND` operations. `floor` is the same generator without a machine: what a transition
//! costs is the difference. Every round looks at what it comes to.

#[path = "../../tests/core/scripted/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the benchmarks use part of what the tests are written with")]
mod scripted;

mod drive;

use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use segue::core::ids::ClauseId;
use segue::core::native::{Answer, Held, Native, Store};
use segue::effects::{Scheduler, Settings};

use scripted::host::Scripted;
use scripted::value::class::{PING, PONG, SCHEDULED};
use scripted::{
    Class, Value, answering, call, delegate, function, handler, nest, pass, perform, ping, pong, program, resume,
};

const ROUND: i64 = 1_000;

/// Answers `Pong` with one, inside the machine.
struct One;

impl Native<Scripted> for One {
    fn answer(&mut self, _: &mut dyn Store<Scripted>, _: ClauseId, _: &Value) -> Answer<Scripted> {
        Answer::Value(1.into())
    }

    fn fork(&mut self, _: &mut dyn Store<Scripted>) -> Option<Box<dyn Native<Scripted>>> {
        Some(Box::new(Self))
    }

    fn visit(&self, _: &mut dyn FnMut(Held<'_, Scripted>)) {}

    fn release(self: Box<Self>, _: &mut dyn Store<Scripted>) {}
}

/// A program that yields the same again and again, and adds up the answers.
fn adds(yielded: Value) -> Value {
    program("adds", async move |y| {
        let mut total = 0;
        for _ in 0..ROUND {
            total += y.yields(yielded.share()).await?.int();
        }
        Ok(total.into())
    })
}

/// Measures runs of that program; each must come to `answer`.
fn runs(bencher: &mut Bencher, program: &Value, answer: i64) {
    bencher.iter(|| {
        let value = drive::drive(program.share()).expect("a benchmark's program has a value");
        assert_eq!(value.int(), answer);
    });
}

fn performs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("perform");
    group.throughput(Throughput::Elements(ROUND.unsigned_abs()));
    let (pings, value) = (adds(ping(1)), answering("value", 1));
    group.bench_function("floor", |bencher| {
        bencher.iter(|| {
            let value = drive::floor(&pings, 1).expect("a benchmark's program has a value");
            assert_eq!(value.int(), ROUND);
        });
    });
    let native = nest(&[&handler("native").native(&[PONG], || One).done()], adds(pong(1)));
    group.bench_function("native clause", |bencher| runs(bencher, &native, ROUND));
    let answered = nest(&[&value], pings.share());
    group.bench_function("value clause", |bencher| runs(bencher, &answered, ROUND));
    let tail = handler("tail").control(&[PING], async |y, _, k| y.yields(resume(&k, 1)).await);
    let tail = nest(&[&tail.done()], pings.share());
    group.bench_function("control clause, resume is the last", |bencher| runs(bencher, &tail, ROUND));
    let nontail = handler("nontail").control(&[PING], async |y, _, k| {
        let rest = y.yields(resume(&k, 1)).await?;
        Ok((rest.int() + 1).into())
    });
    let nontail = nest(&[&nontail.done()], pings.share());
    group.bench_function("control clause, resume is not the last", |bencher| runs(bencher, &nontail, 2 * ROUND));
    let hop = handler("passes").answers(&[PING], |_| Ok(pass())).done();
    let hop = nest(&[&value, &hop], pings.share());
    group.bench_function("pass", |bencher| runs(bencher, &hop, ROUND));
    let asks = handler("delegates").answers_by(&[PING], async |y, _| y.yields(delegate()).await).done();
    let asks = nest(&[&value, &asks], pings.share());
    group.bench_function("delegate", |bencher| runs(bencher, &asks, ROUND));
    group.finish();
}

fn looks_up(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handlers between that do not match");
    group.throughput(Throughput::Elements(ROUND.unsigned_abs()));
    for between in [2, 20, 200] {
        let (value, other) = (answering("value", 1), handler("other").native(&[PONG], || One).done());
        let handlers: Vec<_> = std::iter::once(&value).chain(std::iter::repeat_n(&other, between)).collect();
        let below = nest(&handlers, adds(ping(1)));
        group.bench_with_input(BenchmarkId::from_parameter(between), &below, |bencher, below| {
            runs(bencher, below, ROUND);
        });
    }
    group.finish();
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    group.throughput(Throughput::Elements(ROUND.unsigned_abs()));
    let one = program("one", async |_| Ok(1.into()));
    let side_by_side = adds(one);
    group.bench_function("side by side", |bencher| runs(bencher, &side_by_side, ROUND));
    let nested = descends(ROUND);
    group.bench_function("nested", |bencher| runs(bencher, &nested, ROUND));
    group.finish();
}

/// A program that calls itself so many levels deep.
fn descends(depth: i64) -> Value {
    let deeper = function("descends", async move |y, arguments| {
        let [left, ref itself] = [arguments[0].share(), arguments[1].share()];
        if left.int() == 0 {
            return Ok(0.into());
        }
        let below = call(itself, vec![(left.int() - 1).into(), itself.share()]);
        Ok((y.yields(below).await?.int() + 1).into())
    });
    call(&deeper, vec![depth.into(), deeper.share()])
}

/// An effect of the scheduler, by its name.
fn asks(name: &str, fields: Vec<Value>) -> Value {
    let class = SCHEDULED.map(Class).find(|class| class.name() == name);
    perform(class.expect("a class of that name"), fields)
}

fn tasks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("task");
    group.throughput(Throughput::Elements(ROUND.unsigned_abs()));
    let classes: Vec<_> = SCHEDULED.map(Class).collect();
    let scheduler = handler("scheduler").native(&classes, || Scheduler::new(&Settings::default())).done();
    let root = program("root", async move |y| {
        let mut tasks = Vec::new();
        for _ in 0..ROUND {
            let child = program("child", async |_| Ok(1.into()));
            tasks.push(y.yields(asks("Spawn", vec![child, Value::unit(), 0.into(), 0.into()])).await?);
        }
        y.yields(asks("Gather", vec![Value::fixed(tasks), 1.into()])).await?;
        Ok(ROUND.into())
    });
    let spawned = nest(&[&scheduler], root);
    group.bench_function("spawn and gather", |bencher| runs(bencher, &spawned, ROUND));
    group.finish();
}

criterion_group!(core, performs, looks_up, calls, tasks);
criterion_main!(core);
