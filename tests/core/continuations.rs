//! Lists of what can be done with continuations, against a model of who owns what. Law: semantics 3.
//!
//! A block's body performs a number of times. Each perform is a capture: its clause puts `k` on the table, does what its
//! script says with any `k` on the table, and ends. The program outside opens blocks and uses, keeps and drops what is on
//! the table. `ownership` says what is logged, and what became of every `k`.

mod ownership;

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use crate::scripted::class::PING;
use crate::scripted::script::Yielder;
use crate::scripted::value::locked;
use crate::scripted::{
    Answered, Log, Value, discontinue, error, handler, ledger, pass, ping, program, resume, resume_throw, run,
    transfer, with_handler,
};

/// What is done with a continuation; the number says which.
#[derive(Clone, Copy, Debug)]
enum Use {
    Resume(u8),
    Throw(u8),
    Transfer(u8),
    Discontinue(u8),
    Keep(u8),
    Drop(u8),
}

/// How a clause ends after its uses.
#[derive(Clone, Copy, Debug)]
enum End {
    Return,
    Raise,
    Keep,
    /// The next three return a node; outside of the block nobody takes what is passed on.
    Resume,
    Discontinue,
    Pass,
}

/// What the clause of a block does at each capture, and how often the body performs.
#[derive(Clone, Debug)]
struct Script {
    performs: u8,
    uses: Vec<Use>,
    end: End,
}

/// What the program outside does.
#[derive(Clone, Debug)]
enum Act {
    Open(Script),
    Use(Use),
}

fn uses() -> impl Strategy<Value = Use> {
    prop_oneof![
        3 => any::<u8>().prop_map(Use::Resume),
        1 => any::<u8>().prop_map(Use::Throw),
        2 => any::<u8>().prop_map(Use::Transfer),
        1 => any::<u8>().prop_map(Use::Discontinue),
        2 => any::<u8>().prop_map(Use::Keep),
        2 => any::<u8>().prop_map(Use::Drop),
    ]
}

fn scripts() -> impl Strategy<Value = Script> {
    let ends = prop::sample::select(vec![
        End::Return,
        End::Raise,
        End::Keep,
        End::Keep,
        End::Resume,
        End::Discontinue,
        End::Pass,
    ]);
    (1..4_u8, prop::collection::vec(uses(), 0..4), ends).prop_map(|(performs, uses, end)| Script {
        performs,
        uses,
        end,
    })
}

fn lists() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![2 => scripts().prop_map(Act::Open), 3 => uses().prop_map(Act::Use)];
    prop::collection::vec(act, 1..16)
}

/// What all user code shares: the log, and the continuations in the order of their capture.
#[derive(Clone, Default)]
struct Stage {
    log: Log,
    table: Arc<Mutex<Vec<Option<Value>>>>,
}

impl Stage {
    fn put(&self, k: Value) -> usize {
        let mut table = locked(&self.table);
        table.push(Some(k));
        table.len() - 1
    }

    fn share(&self, at: usize) -> Option<Value> {
        locked(&self.table)[at].as_ref().map(Value::share)
    }

    fn chosen(&self, number: u8) -> Option<usize> {
        let count = locked(&self.table).len();
        (count > 0).then(|| usize::from(number) % count)
    }

    fn say(&self, what: &str, came: &Answered) {
        self.log.say(match came {
            Ok(value) => format!("{what}={}", value.to_string().trim_matches('\'')),
            Err(met) if met.is("ContinuationError") => format!("{what}!{}", fate(met.text())),
            Err(met) => format!("{what}!{}", met.class()),
        });
    }
}

/// The first word of what a refusal says: what became of `k`.
fn fate(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Does it, and writes what came of it; an unwinding passes.
async fn does(y: &Yielder, stage: &Stage, what: Use) -> Answered {
    let (Use::Resume(number)
    | Use::Throw(number)
    | Use::Transfer(number)
    | Use::Discontinue(number)
    | Use::Keep(number)
    | Use::Drop(number)) = what;
    let Some(at) = stage.chosen(number) else { return Ok(().into()) };
    let Some(k) = stage.share(at) else { return Ok(().into()) };
    let node = match what {
        Use::Resume(_) => resume(&k, format!("r{at}")),
        Use::Throw(_) => resume_throw(&k, error("KeyError", "")),
        Use::Transfer(_) => transfer(&k, format!("t{at}")),
        Use::Discontinue(_) => discontinue(&k),
        Use::Keep(_) => {
            stage.say(&format!("keep{at}"), &k.keep().map(|_| "kept".into()));
            return Ok(().into());
        }
        Use::Drop(_) => {
            drop(k);
            let dropped = locked(&stage.table)[at].take();
            drop(dropped);
            return Ok(().into());
        }
    };
    drop(k);
    let came = y.yields(node).await;
    match came {
        Err(met) if met.is("Discontinued") => Err(met),
        came => {
            stage.say(&format!("use{at}"), &came);
            Ok(().into())
        }
    }
}

/// The block of that number, as a program.
fn block(number: usize, script: &Script, stage: &Stage) -> Value {
    let (known, performs) = (stage.clone(), script.performs);
    let body = program(&format!("b{number}"), async move |y| {
        for _ in 0..performs {
            let came = y.yields(ping(0)).await;
            known.say(&format!("b{number}"), &came);
            came?;
        }
        Ok(format!("b{number}").into())
    });
    let (known, script) = (stage.clone(), script.clone());
    let clause = handler("h").control(&[PING], async move |y, _, k: Value| {
        let own = known.put(k);
        for what in &script.uses {
            does(&y, &known, *what).await?;
        }
        let Some(k) = known.share(own) else { return Ok("dropped".into()) };
        match script.end {
            End::Return => Ok("returned".into()),
            End::Raise => Err(error("ValueError", "")),
            End::Keep => k.keep().map(|_| "kept".into()),
            End::Resume => Ok(resume(&k, "tail")),
            End::Discontinue => Ok(discontinue(&k)),
            End::Pass => Ok(pass()),
        }
    });
    with_handler(&clause.done(), body)
}

/// The program outside.
fn main(acts: &[Act], stage: &Stage) -> Value {
    let (acts, stage) = (acts.to_vec(), stage.clone());
    program("main", async move |y| {
        for (number, act) in acts.iter().enumerate() {
            match act {
                Act::Open(script) => {
                    let came = y.yields(block(number, script, &stage)).await;
                    stage.say(&format!("open{number}"), &came);
                }
                Act::Use(what) => {
                    does(&y, &stage, *what).await?;
                }
            }
        }
        Ok("done".into())
    })
}

/// What another run is told about a continuation of the first one.
fn told(k: Value) -> String {
    let asks = program("asks", async move |y| Ok(y.yields(resume(&k, 0)).await.expect_err("it is used").text().into()));
    fate(run(asks).shown().trim_matches('\'')).to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Semantics 3: one owner, one place, one use, whatever is done in whatever order.
    #[test]
    fn whatever_is_done_with_continuations_the_model_says_who_owns_them(acts in lists()) {
        let owners = ledger::owners();
        let stage = Stage::default();
        let report = run(main(&acts, &stage));
        let model = ownership::play(&acts);
        prop_assert_eq!(stage.log.text(), model.log());
        prop_assert_eq!(report.shown(), "'done'");
        prop_assert!(report.unobserved.is_empty());
        drop(report);
        let table = std::mem::take(&mut *locked(&stage.table));
        prop_assert_eq!(table.len(), model.captures());
        for (at, k) in table.into_iter().enumerate() {
            if let Some(k) = k {
                prop_assert!(k.cell().is_used(), "k{} of a run that is over", at);
                prop_assert_eq!(k.cell().is_kept(), model.is_kept(at), "k{}", at);
                prop_assert_eq!(told(k), model.fate(at), "k{}", at);
            }
        }
        prop_assert_eq!(ledger::owners(), owners);
    }
}
