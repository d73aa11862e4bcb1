//! Random programs on the machine and on a reference model: same result, same log, same unobserved errors.
//!
//! The model has no segments: one flat stack of frames and markers, of which a capture splits off the end and a resume
//! puts it back. It knows the same laws (semantics 2 and 3), said a second time and as plainly as possible.
//!
//! A failure prints its seed; `SEGUE_MODEL_SEED=<seed>` runs it again. `PROPTEST_CASES` says how many are tried.

mod play;
mod reference;

use proptest::prop_assert_eq;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::scripted::{Log, Shelf, ledger, run};
use play::{Act, End, Handling, Stage, bodies};

/// What is compared of a run.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    result: String,
    unobserved: Vec<String>,
    log: String,
}

fn on_the_machine(acts: &[Act]) -> Seen {
    let stage = Stage { log: Log::new(), shelf: Shelf::new() };
    let report = run(play::main(acts, &stage));
    let unobserved = report.unobserved.iter().map(|one| one.error.class().to_owned()).collect();
    let result = match &report.result {
        Ok(value) => play::shown(value),
        Err(error) => error.class().to_owned(),
    };
    stage.shelf.clear();
    Seen { result, unobserved, log: stage.log.text() }
}

fn on_the_model(acts: &[Act]) -> Seen {
    let stage = Stage { log: Log::new(), shelf: Shelf::new() };
    let (result, unobserved) = reference::run(play::main(acts, &stage));
    let result = match &result {
        Ok(value) => play::shown(value),
        Err(error) => error.class().to_owned(),
    };
    stage.shelf.clear();
    Seen { result, unobserved, log: stage.log.text() }
}

fn seed() -> u64 {
    match std::env::var("SEGUE_MODEL_SEED") {
        Ok(seed) => seed.parse().expect("the seed is a number"),
        Err(_) if cfg!(miri) => 1,
        Err(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| u64::from(now.subsec_nanos()) ^ now.as_secs()),
    }
}

/// Rule 5 of the architecture: user code does not run in the machine, and what is dropped is user code.
#[test]
fn a_delegated_effect_that_is_passed_on_is_dropped_outside_of_the_machine() {
    let passes = Handling { class: 0, form: 0, acts: vec![], end: End::ReturnPass };
    let delegates = Handling { class: 0, form: 1, acts: vec![Act::Delegate], end: End::Return };
    let acts = [Act::Under(Box::new(passes), vec![Act::Under(Box::new(delegates), vec![Act::Perform(0)])])];
    assert_eq!(on_the_machine(&acts), on_the_model(&acts));
}

/// Semantics 2 and 3: whatever the program, the machine comes to what the model says.
#[test]
fn random_programs_come_to_what_the_model_says() {
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let default = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 2_000 };
    let mut runner =
        TestRunner::new_with_rng(Config { cases, ..default }, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&bodies(), |acts| {
        let owners = ledger::owners();
        let machine = on_the_machine(&acts);
        let left = ledger::owners() - owners;
        prop_assert_eq!(left, 0, "every owner that came to be is dropped when the run is over");
        let model = on_the_model(&acts);
        if machine == model {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!("\nmachine {machine:#?}\nmodel   {model:#?}")))
        }
    });
    if let Err(failure) = outcome {
        panic!("SEGUE_MODEL_SEED={seed}\n{failure}");
    }
}
