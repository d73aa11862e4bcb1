//! Errors of the library, as data. The driver makes the exception from it, with the machine put aside.

use super::host::World;
use super::step::Place;

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
