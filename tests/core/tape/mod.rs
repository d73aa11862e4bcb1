//! Programs that are read off a tape of bytes, and what must hold of each of them.
//!
//! The tape is a list of operations. Whatever user code runs next (a program, a clause, a hook, a function) takes its
//! next operation from the one tape, and returns when the tape is at its end: so every tape is a program that ends. The
//! fuzzer in `fuzz/` and the tests in `operations` share this.

mod books;
mod handlers;
mod play;
mod stage;
mod tasks;

use segue::core::step::Outcome;

use crate::scripted::{Machine, Report, Stop, Value, error, ledger};
use stage::Stage;

/// Runs the program on the tape, and checks the machine between any two events (INV-1 to INV-6), and the books at the
/// end: nothing is left of the run, and all that was opened was closed exactly once. Gives what the program came to.
///
/// # Panics
/// When a law is broken.
pub fn check(tape: &[u8]) -> String {
    let owners = ledger::owners();
    let stage = Stage::new(tape);
    let shown = drive(&stage).shown();
    stage.settle();
    assert_eq!(ledger::owners(), owners, "every owner that came to be is dropped when the run is over");
    shown
}

/// A run of what comes next on the tape. What reaches it from outside is on the tape too.
fn drive(stage: &Stage) -> Report {
    let (bounds, stepping) = stage.bounds();
    let mut machine = Machine::new(play::program_of(stage), bounds, stepping);
    stage.enter(machine.vm.mailbox());
    let mut waits = 0;
    let stop = loop {
        let stop = machine.turn();
        if let Err(broken) = machine.vm.audit() {
            panic!("{broken}\n{}", machine.listing.join("\n"));
        }
        match stop {
            None => {}
            Some(Stop::Attention) if stage.next().is_multiple_of(2) => {}
            Some(Stop::Attention) => machine.feed(Outcome::Raised(error("KeyboardInterrupt", ""))),
            Some(Stop::Async(action)) if stage.next().is_multiple_of(2) => machine.feed(Outcome::Returned(action)),
            Some(Stop::Idle(_)) => {
                let came = machine.vm.mailbox().take_rung() || stage.complete_one();
                waits += 1;
                assert!(waits < 10_000, "nobody goes on, whatever happens:\n{}", machine.listing.join("\n"));
                let outcome = if came {
                    Outcome::Returned(Value::unit())
                } else {
                    Outcome::Raised(error("KeyboardInterrupt", ""))
                };
                machine.feed(outcome);
            }
            Some(Stop::Async(_)) => machine.feed(Outcome::Raised(error("ValueError", "the action failed"))),
            Some(stop) => break stop,
        }
    };
    let report = machine.finish(stop);
    let internal = report.listing.iter().any(|line| line.starts_with("fault InternalError"));
    assert!(!internal, "the machine contradicts itself:\n{}", report.listing.join("\n"));
    stage.leave(&report);
    report
}
