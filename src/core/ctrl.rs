//! The closed set of control nodes. One sentence each: its reduction rule.

use super::frame::Resumption;
use super::host::World;

/// What a program asks the machine to do.
pub enum Ctrl<W: World> {
    /// Delivers the value.
    Pure(W::Value),
    /// Evaluates the program, then delivers the function's value of its result.
    Map(W::Value, W::Value),
    /// Evaluates the program, then the program that the function gives for its result.
    FlatMap(W::Value, W::Value),
    /// Calls a function and evaluates the program that it gives.
    Call(W::Call),
    /// Calls a `@do` function: its generator runs as a program, its result is delivered.
    Do(W::Call),
    /// Hands the effect to the nearest handler that accepts it.
    Perform(W::Value),
    /// Installs what the node says, and evaluates the program inside it.
    WithHandler {
        /// The node, for the driver to install.
        node: W::Value,
        /// The body.
        program: W::Value,
    },
    /// Evaluates the program; the function sees every effect that is performed in it.
    WithIntercept(W::Value, W::Value),
    /// Evaluates the program inside a wall that only the listed classes pass.
    Seal(W::Value, W::Value),
    /// Evaluates the program and delivers its outcome as a value.
    Try(W::Value),
    /// Acquires, uses, and releases whatever happens.
    Bracket {
        /// The program that gives the resource.
        acquire: W::Value,
        /// A function from the resource to the program that uses it.
        usage: W::Value,
        /// A function from the resource to the program that releases it.
        release: W::Value,
    },
    /// Continues `k` here; delivers what the resumed body comes to.
    Resume(W::Value, Resumption<W>),
    /// Finishes the clause and continues `k` in its place.
    Transfer(W::Value, Resumption<W>),
    /// Unwinds `k` here; delivers nothing.
    Discontinue(W::Value),
    /// Performs the clause's own effect again, outside.
    Delegate,
    /// Finishes the clause and hands effect and `k` outward.
    Pass,
    /// Delivers the clause's own `k`.
    GetContinuation,
    /// Delivers the handlers in scope, or those inside a `k`.
    GetHandlers(Option<W::Value>),
    /// Delivers the programs, clauses and handlers from here outward.
    GetExecutionContext,
    /// Delivers an unstarted, kept continuation of the program.
    CreateContinuation(W::Value),
    /// Evaluates the program inside forks of what `k` contains.
    Inherit(W::Value, W::Value),
    /// Gives the action to the driver, and delivers what it feeds back.
    Escape(W::Value),
    /// Nothing that a program may say.
    NotProgram(W::Value),
}
