//! What the machine says and hears: modes, events, outcomes. Data only.

use std::time::Duration;

use super::fault::Fault;
use super::host::World;
use super::ids::ClauseId;
use super::native::Native;
use super::prompt::Hooks;

/// Where a value stands that is to be evaluated as a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A generator yielded it.
    Yield,
    /// A node holds it.
    Node,
    /// The function of `FlatMap`, `Call`, an interceptor or a bracket returned it.
    Returned,
}

/// What happens next on a segment.
pub enum Mode<W: World> {
    /// A value goes to the top frame.
    Deliver(W::Value),
    /// An error goes to the top frame.
    Throw(W::Error),
    /// A value is to be evaluated as a program.
    HandleYield(W::Value, Place),
    /// The frames are done, and the segment returns to its caller.
    Return(W::Value),
    /// Nothing: the segment is not current, or user code runs for it.
    Suspended,
}

impl<W: World> Mode<W> {
    /// Leaves the segment suspended.
    #[must_use]
    pub const fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Suspended)
    }
}

/// What a segment waits for while user code runs for it.
pub enum Pending<W: World> {
    /// A generator's step, or a function's plain result.
    Program,
    /// A function's result, which must be a program.
    Function,
    /// The installation of a handler around this program.
    Install(W::Value),
    /// The installation of what a `fork` gave.
    Adopt,
    /// What comes of an action.
    Action,
}

/// The user code to run.
pub enum PythonCall<W: World> {
    /// Send a value into a generator.
    Send(W::Code, W::Value),
    /// Throw an error into a generator.
    Throw(W::Code, W::Error),
    /// Call a `@do` function; when it makes a generator, start it.
    Start(W::Call),
    /// Call a function with its arguments.
    Call(W::Call),
    /// Call a function with one argument.
    Apply(W::Value, W::Value),
    /// Call a clause; when it makes a generator, start it.
    Clause {
        /// The handler.
        handler: W::Handler,
        /// The clause.
        clause: ClauseId,
        /// The effect.
        effect: W::Value,
        /// The continuation, for a control clause.
        k: Option<W::Value>,
    },
    /// Install what the node says.
    Install(W::Value),
    /// Run a life-cycle method, with its argument.
    Hook(W::Handler, Hook, Option<W::Value>),
    /// Run `error` of a handler.
    ErrorHook(W::Handler, W::Error),
    /// Make what `fork` of the handler gave a handler.
    Adopt(W::Handler, W::Value),
    /// Run a native handler's request.
    Request(W::Request),
}

/// A life-cycle method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// Before the body.
    Enter,
    /// Maps the body's result.
    Result,
    /// Last, once.
    Exit,
    /// Gives what a fork works on.
    Fork,
}

/// Why `advance` returned.
pub enum Event<W: World> {
    /// Run this, and feed the outcome.
    Python(PythonCall<W>),
    /// Make this exception, and feed it as raised.
    Fault(Fault<W>),
    /// Give the action to whoever drives, and feed what comes of it.
    Async(W::Value),
    /// The same, for this itself and not for what an action makes.
    Await(W::Value),
    /// No program of the run can go on before that long, or before its mailbox rings: wait, then feed nothing, or what
    /// interrupted the wait. `None` is as long as it takes.
    Idle(Option<Duration>),
    /// Somebody asked for attention: look at the signals, then feed an error or go on.
    Attention,
    /// The host [is full](crate::core::host::Host::is_full): let go what is dead, then go on.
    Sweep,
    /// A step was made; what it was, when notes are asked for.
    Stepped(Option<StepNote<W>>),
    /// The run ended with a value.
    Done(W::Value),
    /// The run ended with an error.
    Failed(W::Error),
    /// A bound was passed and the grace is used up: the rest is to be closed without effects.
    Exhausted,
}

/// What came of user code.
pub enum Outcome<W: World> {
    /// A generator yielded a value and is suspended.
    Yielded(W::Code, W::Value),
    /// A function, or a generator that ended, gave a value.
    Returned(W::Value),
    /// It raised.
    Raised(W::Error),
    /// A handler is ready.
    Installed(Installation<W>),
    /// A plain value clause returned `Pass()` or `Delegate()`: here are the node, and the effect back.
    Forwarded(W::Value, W::Value),
}

/// A handler that the driver made ready.
pub struct Installation<W: World> {
    /// The handler.
    pub handler: W::Handler,
    /// Its native side.
    pub native: Option<Box<dyn Native<W>>>,
    /// The life-cycle methods that it has.
    pub hooks: Hooks,
}

/// What a machine tells of its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watch {
    /// Nothing.
    Nothing,
    /// That one was made.
    Steps,
    /// What each one was, read off the chain when it is made.
    Notes,
}

/// What is left of a run that goes no further, to be closed without effects.
pub enum Remains<W: World> {
    /// A suspended generator.
    Code(W::Code),
    /// An installation whose `exit` has not run.
    Exit(W::Handler),
}

/// What kind of step was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepKind {
    /// A program was entered, or an effect performed.
    Enter,
    /// A clause answered.
    Exit,
}

/// A step, as it is traced.
pub struct StepNote<W: World> {
    /// Its number, from 1.
    pub step: u64,
    /// Its kind.
    pub kind: StepKind,
    /// The mode that made it.
    pub mode: &'static str,
    /// How many clauses are at work around it.
    pub dispatch_depth: usize,
    /// The effect or program entered, or the value answered.
    pub subject: W::Value,
}
