//! A machine that stops in the middle of something. Law: architecture, INV-1; semantics 5, "Limits".

use crate::invariants::held;
use crate::natives::counter;
use crate::scripted::class::PING;
use crate::scripted::ledger::owners;
use crate::scripted::script::Yielder;
use crate::scripted::{
    Run, Shelf, Stop, Value, asks, error, escape, function, handler, inherit, keeping, nest, ping, program, pure, seal,
    transfer, with_handler, with_intercept,
};

/// What makes a program that waits for an action, something that is held then, and what is closed there.
type Stopped = (fn() -> Value, &'static str, &'static [&'static str]);

/// A program whose clean-up waits.
fn waits_in_its_clean_up(name: &'static str) -> Value {
    program(name, async move |y| {
        let came = y.yields(ping(0)).await;
        y.yields(escape("wait")).await?;
        came
    })
}

/// A handler whose clause hands over to what the shelf holds, its own `k` else, and waits in its clean-up.
fn hands_over(shelf: &Shelf) -> Value {
    let shelf = shelf.clone();
    let clause = async move |y: Yielder, _, k: Value| {
        let came = y.yields(transfer(&shelf.try_take().unwrap_or(k), "moved")).await;
        y.yields(escape("wait")).await?;
        came
    };
    handler("hands over").control(&[PING], clause).done()
}

/// Keeps a continuation of `asks`, and goes on with the program.
fn with_kept(shelf: &Shelf, then: Value) -> Value {
    let keeps = keeping(shelf, "kept");
    program("with_kept", async move |y| {
        y.yields(with_handler(&keeps, asks(0))).await?;
        y.yields(&then).await
    })
}

fn in_an_exit() -> Value {
    let leaves = handler("leaves").exit(async |y, _| y.yields(escape("wait")).await).done();
    with_handler(&leaves, program("fails", async |_| Err(error("ValueError", "on its way"))))
}

fn in_a_result() -> Value {
    let wait = async |y: Yielder, _| y.yields(escape("wait")).await;
    with_handler(&handler("leaves").result(wait).exit(wait).done(), pure("body"))
}

fn in_an_enter() -> Value {
    let enters = handler("enters").enter(async |y, _| y.yields(escape("wait")).await).done();
    with_handler(&enters, program("not begun", async |_| Ok(().into())))
}

/// The layers inside the one that forks were not opened: a wall, an interceptor, a native handler.
fn in_a_fork() -> Value {
    let spawns = handler("spawns").control(&[PING], async |y, _, k| y.yields(inherit(&k, asks(7))).await).done();
    let forks = handler("forks").fork(async |y, _| y.yields(escape("wait")).await).done();
    let same = function("same", async |_, mut arguments| Ok(arguments.remove(0)));
    let inside = with_intercept(&same, seal(&[PING], with_handler(&counter("counter"), asks(0))));
    nest(&[&spawns, &forks], inside)
}

fn in_a_transfer() -> Value {
    with_handler(&hands_over(&Shelf::new()), asks(0))
}

fn in_a_transfer_to_another() -> Value {
    let shelf = Shelf::new();
    with_kept(&shelf, with_handler(&hands_over(&shelf), asks(0)))
}

/// The clause has no `k`: its frame alone stands for the body that waits.
fn in_a_transfer_out_of_a_value_clause() -> Value {
    let shelf = Shelf::new();
    let to = shelf.clone();
    let moves = handler("moves").answers_by(&[PING], async move |y, _| {
        let came = y.yields(transfer(&to.take(), "moved")).await;
        y.yields(escape("wait")).await?;
        came
    });
    with_kept(&shelf, with_handler(&moves.done(), asks(0)))
}

fn in_the_unwinding_before_a_transfer_to_another() -> Value {
    let shelf = Shelf::new();
    let to = shelf.clone();
    let moves = handler("moves").control(&[PING], async move |y, _, _| y.yields(transfer(&to.take(), "moved")).await);
    with_kept(&shelf, with_handler(&moves.done(), waits_in_its_clean_up("unwound")))
}

/// Wherever it stops, it agrees with itself and shows what it holds; given up there, it lets go of everything: the
/// generators are closed innermost first, and every value is dropped.
#[test]
fn a_machine_that_stops_anywhere_shows_what_it_holds_and_lets_it_go() {
    let stops: [Stopped; 8] = [
        (in_an_exit, "ValueError: on its way", &["leaves.exit"]),
        (in_a_result, "leaves.result", &["leaves.result", "exit of leaves"]),
        (in_an_enter, "<not begun>()", &["enters.enter"]),
        (in_a_fork, "<same>", &["forks.fork", "spawns.ping", "asks"]),
        (in_a_transfer, "'moved'", &["hands over.ping", "asks"]),
        (in_a_transfer_to_another, "'moved'", &["hands over.ping", "with_kept", "asks", "asks"]),
        (in_a_transfer_out_of_a_value_clause, "'moved'", &["moves.ping", "with_kept", "asks", "asks"]),
        (in_the_unwinding_before_a_transfer_to_another, "'moved'", &["unwound", "with_kept", "asks"]),
    ];
    for (start, shown, closed) in stops {
        let before = owners();
        let mut machine = Run::new(start()).machine();
        assert!(matches!(machine.go(), Stop::Async(_)), "{shown}");
        assert_eq!(machine.vm.audit(), Ok(()));
        assert!(held(&machine).iter().any(|what| what == shown), "{shown}");
        assert_eq!(machine.finish(Stop::Exhausted).closed, closed);
        assert_eq!(owners(), before, "{shown}");
    }
}
