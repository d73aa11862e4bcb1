//! Errors of the library, as data. The driver makes the exception from it, with the machine put aside.

use super::host::World;
use super::standing::Standing;
pub use super::step::Place;

/// How a continuation came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// By `Resume`.
    Resumed,
    /// By `ResumeThrow` or `TransferThrow`.
    ThrownInto,
    /// By `Transfer`.
    Transferred,
    /// By `Discontinue`.
    Discontinued,
    /// By `Pass`.
    Passed,
    /// Its clause ended without `keep()`, and the body was unwound.
    Ended,
    /// Its clause ended by an exception, which was delivered at the perform.
    Raised,
    /// It was kept, nobody let it go, and the run unwound it.
    Unwound,
}

impl Fate {
    /// All of them, each at its number.
    pub(super) const ALL: [Self; 8] = [
        Self::Resumed,
        Self::ThrownInto,
        Self::Transferred,
        Self::Discontinued,
        Self::Passed,
        Self::Ended,
        Self::Raised,
        Self::Unwound,
    ];
}

const _: () = {
    let mut number = 0;
    while number < Fate::ALL.len() {
        assert!(Fate::ALL[number] as usize == number, "a fate stands at its number");
        number += 1;
    }
};

/// Why a continuation cannot be used.
pub enum Refusal<W: World> {
    /// It was used before: how, and by which clause.
    Used(Fate, Option<W::Label>),
    /// Its run is over.
    Finished,
    /// It belongs to another run, which is still going on.
    Foreign,
}

/// Which of the bounds of a run was passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// Steps.
    Steps,
    /// Depth of nested calls.
    Depth,
    /// Live segments.
    Segments,
    /// Wall time.
    Seconds,
    /// Tasks that live.
    Tasks,
    /// Promises made.
    Promises,
}

/// What a task failed with, for somebody who waits.
pub struct Again<W: World> {
    /// The error.
    pub error: W::Error,
    /// How far it had come when it left the task.
    pub trace: W::Value,
    /// Tasks that failed later.
    pub later: Vec<W::Value>,
}

/// What nobody took note of.
pub enum Cause<W: World> {
    /// An error.
    Error(W::Error),
    /// An error of the library.
    Fault(Fault<W>),
}

/// An error that nobody waits for.
pub struct Unobserved<W: World> {
    /// What it is.
    pub cause: Cause<W>,
    /// Where what failed was captured or made.
    pub origin: Option<W::Value>,
}

/// An error of the library.
pub enum Fault<W: World> {
    /// Nobody handles the effect.
    Unhandled {
        /// The effect.
        effect: W::Value,
        /// The handlers in scope, innermost first.
        handlers: Vec<W::Label>,
        /// A wall stopped it.
        walled: bool,
    },
    /// A value stands where a program is asked for.
    NotProgram(W::Value, Place),
    /// A continuation cannot be used.
    Refused(Refusal<W>),
    /// `Transfer`, `Pass`, `Delegate` or `GetContinuation` outside a clause; the word is the node's name.
    OutsideClause(&'static str),
    /// `GetContinuation` in a value clause, which has none.
    NoContinuation,
    /// `Pass` by a clause whose `k` was used or kept.
    PassAfterUse,
    /// An unstarted continuation was resumed with something else than `None`.
    FirstValue(W::Value),
    /// An effect for a handler that holds its bodies came from none of them: from a fork of it that somebody else made.
    NotRunning,
    /// An effect would wait in a run that is being closed.
    Closed,
    /// A task, or the scope of it that this is, is cancelled.
    Cancelled(W::Value),
    /// A task that was waited for was cancelled.
    TaskCancelled(W::Value),
    /// What a task failed with, raised again from where it left the task; these failed later, and are told with it.
    Again(Box<Again<W>>),
    /// Nobody can go on.
    Deadlock(Vec<Standing<W>>),
    /// A task was still running when the program ended.
    Unfinished(W::Value),
    /// A promise was completed a second time.
    Completed(W::Value),
    /// The completer of an external promise is gone.
    Broken(W::Value),
    /// A task takes a lock that it holds.
    HeldAlready(W::Value),
    /// A lock or semaphore was released by who does not hold it.
    NotHeld(W::Value),
    /// A channel is closed.
    ChannelClosed(W::Value),
    /// An effect of a handler holds what is of no use to it.
    Unfit(W::Value),
    /// A clause ended its block inside a fork.
    TaskEnded(W::Value),
    /// A key that a store does not have.
    MissingKey {
        /// The key.
        key: W::Value,
        /// The mapping.
        mapping: W::Value,
    },
    /// A thunk asked for itself.
    Cycle(W::Value),
    /// A bound of the run was passed.
    Exceeded(Bound),
    /// There is no memory for what comes next.
    Memory,
    /// The machine contradicts itself.
    Internal(&'static str),
}
