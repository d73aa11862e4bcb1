//! What waits on a segment for a value or an error, innermost last.

use super::host::World;
use super::ids::{Birth, Capture, ClauseId, InterceptorId, NativeId, SegmentId};
use super::prompt::{Hooks, Prompt};

/// The right to continue a detached chain: from the performer to the prompt inclusive.
///
/// There is one per capture, it cannot be cloned, and using it consumes it (semantics 3).
#[derive(Debug, PartialEq, Eq)]
pub struct Continuation {
    /// The last segment of the chain: the prompt of the handler that captured.
    pub(super) prompt: SegmentId,
    /// The capture that detached it.
    pub(super) capture: Capture,
}

/// How a continuation goes on.
pub enum Resumption<W: World> {
    /// With a value at the perform.
    Value(W::Value),
    /// With an exception at the perform.
    Error(W::Error),
}

/// What kind of clause works there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A value clause: its result is the answer, and its detached body waits for it.
    Value,
    /// A control clause: its result may end the block.
    Control,
}

/// A clause at work: under it stands what waits for the result of the block, above it the clause's own program.
pub struct ClauseFrame<W: World> {
    /// The effect that it answers.
    pub effect: W::Value,
    /// Its `K` object; a value clause has none.
    pub k: Option<W::Value>,
    /// The prompt that was captured with the body.
    pub prompt: SegmentId,
    /// Which segment of that slot.
    pub birth: Birth,
    /// Which clause of the prompt's handler.
    pub clause: ClauseId,
    /// Its kind.
    pub role: Role,
    /// It returned a node, which was evaluated in its place: what comes now is its result.
    pub settled: bool,
}

/// What happens after an unwinding.
pub enum Then<W: World> {
    /// The value is delivered.
    Deliver(W::Value),
    /// Nothing is delivered: `None`.
    Unit,
    /// The value with which a clause ended its block in a fork: an error there.
    Ended(W::Value),
    /// The clause is finished, and hands over.
    Leave(ClauseFrame<W>, Departure<W>),
    /// Another continuation goes on here.
    Attach(Continuation, Resumption<W>),
}

/// How a clause hands over when its open blocks are done. What it hands over is taken already.
pub enum Departure<W: World> {
    /// To its own continuation.
    Own(Continuation, Resumption<W>),
    /// To another continuation.
    Other(Continuation, Resumption<W>),
    /// To a handler outside, with its own continuation.
    Pass(Continuation),
}

/// An unwinding: it swallows a value, or exactly the error that was thrown.
pub struct Unwinding<W: World> {
    /// The error that was thrown.
    pub thrown: W::Error,
    /// What follows.
    pub then: Then<W>,
}

/// An installation whose `enter` is running.
pub struct Entering<W: World> {
    /// The handler.
    pub handler: W::Handler,
    /// Its native state.
    pub native: Option<NativeId>,
    /// Its life cycle.
    pub hooks: Hooks,
    /// The body.
    pub program: W::Value,
    /// `enter` has run.
    pub entered: bool,
}

/// A chain of forks under construction.
pub struct Inheriting<W: World> {
    /// What is still to open, outermost last.
    pub layers: Vec<Layer<W>>,
    /// The handler whose `fork` is running.
    pub forking: Option<W::Handler>,
    /// The program to run inside.
    pub program: W::Value,
    /// What becomes of it.
    pub goal: Goal<W>,
}

/// What becomes of a program for which a chain of forks was made.
pub enum Goal<W: World> {
    /// It is evaluated there.
    Evaluate,
    /// It waits there, detached: a native handler's new body, whose code runs in this context.
    Detach(W::Value),
}

/// One thing that `Inherit` forks.
pub enum Layer<W: World> {
    /// A handler, and the native state of its installation.
    Handler(W::Handler, Option<NativeId>, Hooks),
    /// An interceptor's function, under the same identity.
    Interceptor(InterceptorId, W::Value),
    /// A wall.
    Wall(W::Value),
}

/// What waits on a segment.
pub enum Frame<W: World> {
    /// A suspended generator; a value is sent, an error is thrown in.
    Program(W::Code),
    /// A clause at work; see [`ClauseFrame`].
    Clause(ClauseFrame<W>),
    /// Maps the value.
    Map(W::Value),
    /// Evaluates the program that the function gives for the value.
    FlatMap(W::Value),
    /// Makes the outcome a value.
    Try,
    /// An unstarted continuation's program. Must be the only frame of a detached body.
    Start(W::Value),
    /// Runs `enter` when there is one and waits for it, then opens the prompt.
    Enter(Box<Entering<W>>),
    /// Waits for `result` or `error`, then runs `exit`.
    Exit(W::Handler),
    /// Waits for the end of a clean-up, then delivers.
    AfterValue(W::Value),
    /// Waits for the end of a clean-up, then throws.
    AfterError(W::Error),
    /// Waits for the end of an unwinding.
    Unwinding(Box<Unwinding<W>>),
    /// Ends the guard of the interceptor whose program ran above.
    Intercepted,
    /// Waits for the answer of a plain value clause of the prompt, which runs in place.
    Answer(SegmentId, ClauseId),
    /// Waits for the outcome of a native handler's request about an effect, at the prompt.
    Settle(SegmentId, W::Value),
    /// Waits for a thunk's program; the chain of the one who asked is detached, and ends in this prompt.
    Evaluated(SegmentId, W::Value),
    /// Waits for what an interceptor beyond a wall makes of an effect that this prompt handed outward; the performer's
    /// chain is detached, and ends in this prompt.
    Forwarded(SegmentId),
    /// Waits for what the block of a native handler that holds its bodies comes to.
    Block(Box<Prompt<W>>),
    /// Waits for what the running body of that installation comes to; stands above its [`Frame::Block`].
    Running(NativeId),
    /// No body of that installation can run: waits until something happens. Stands above its [`Frame::Block`].
    Idle(NativeId),
    /// Waits for a new body of this prompt's installation; the chain of the one who asked is detached, and ends in this
    /// prompt.
    Branching(SegmentId, W::Value),
    /// Waits for the resource.
    Acquired(W::Value, W::Value),
    /// Waits for the end of the use, then releases the resource.
    Release(W::Value, W::Value),
    /// Waits for a `fork`.
    Inheriting(Box<Inheriting<W>>),
}
