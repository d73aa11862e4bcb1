//! The world that the machine runs in: which types it moves, and what it may ask about them.
//!
//! No query may run user code, and the machine clones nothing by itself: a reference that is taken is visible as a call
//! of `clone_*`. What the machine no longer needs goes to `discard*`; dropping may run user code, so the host keeps it
//! until the driver, with the machine put aside, empties it.

use super::continuation::ContinuationCell;
use super::ctrl::Ctrl;
use super::ids::ClauseId;
use super::native::Store;

/// The types of a world. None has a `Clone` bound.
pub trait World: Sized + 'static {
    /// Anything a program handles: values, effects, programs, functions, the user's `K` objects.
    type Value;
    /// A raised exception.
    type Error;
    /// A suspended generator.
    type Code;
    /// The identity of an effect's class, as long as a [`World::Class`] keeps it alive.
    type ClassId: Copy + Eq;
    /// What keeps a class alive, so that its identity is not given to another.
    type Class;
    /// An installed handler: the object whose clauses are called.
    type Handler;
    /// A function with its arguments.
    type Call;
    /// A name to show to people.
    type Label;
    /// A piece of a native handler's work that may run user code.
    type Request;
    /// What native handlers make for programs to hold and to hand back in effects: tasks, promises, locks.
    type Object;
}

/// How a clause is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Answered inside the machine by the installation's native handler.
    Native,
    /// A plain function of the effect: called in place, its result is the answer.
    Value,
    /// A generator function of the effect: runs as a program outside the prompt, its result is the answer.
    ValueProgram,
    /// A function of the effect and `k`.
    Control,
}

/// What goes the short way.
pub enum Plain<W: World> {
    /// An effect.
    Effect,
    /// The call of a `@do` function.
    Do,
    /// `Delegate()`.
    Delegate,
    /// `Pass()`.
    Pass,
    /// `Resume(k, value)`.
    Resume(W::Value, W::Value),
    /// Another one.
    Other,
}

/// The leaf queries of the machine.
pub trait Host<W: World>: Store<W> {
    /// What a yielded value, or one that stands where a program is asked for, means.
    fn classify(&mut self, value: W::Value) -> Ctrl<W>;

    /// The identity of an effect's real class; of another value, one that no effect's class has.
    fn class_of(&self, effect: &W::Value) -> W::ClassId;
    /// What keeps that class alive.
    fn hold_class(&self, effect: &W::Value) -> W::Class;
    /// The clause of `handler` for the effect: the nearest class in the effect's MRO first.
    fn select(&self, handler: &W::Handler, effect: &W::Value) -> Option<ClauseId>;
    /// How that clause runs.
    fn form(&self, handler: &W::Handler, clause: ClauseId) -> Form;
    /// Whether `allow`, the list of a wall, has exactly the effect's class.
    fn allows(&self, allow: &W::Value, effect: &W::Value) -> bool;
    /// Whether what a clause returned is a node for its own `k`, a `Pass` or a `Delegate`.
    fn ends_clause(&self, value: &W::Value, k: Option<&W::Value>) -> bool;

    /// A second owner of a value.
    fn clone_value(&self, value: &W::Value) -> W::Value;
    /// A second owner of a handler.
    fn clone_handler(&self, handler: &W::Handler) -> W::Handler;
    /// The name of a clause.
    fn label(&self, handler: &W::Handler, clause: ClauseId) -> W::Label;

    /// Whether the two are the same exception object.
    fn same_error(&self, one: &W::Error, other: &W::Error) -> bool;
    /// A new `Discontinued`.
    fn discontinued(&mut self) -> W::Error;
    /// Whether the error is the [`Discontinued`](Host::discontinued) of an unwinding, and the suspended program has no block
    /// there that would see it: then it is let go, and not thrown into. A host may always say no.
    fn lets_pass(&mut self, code: &W::Code, error: &W::Error) -> bool;
    /// Whether so much is dead that it is to go before more dies.
    fn is_full(&self) -> bool;
    /// Makes `earlier` the context of `error`, unless it has one.
    fn chain_context(&mut self, error: &W::Error, earlier: W::Error);

    /// A second owner of a label.
    fn clone_label(&self, label: &W::Label) -> W::Label;
    /// Whether the two are the same object.
    fn same_value(&self, one: &W::Value, other: &W::Value) -> bool;

    /// A `K` object around a cell.
    fn make_k(&mut self, cell: ContinuationCell<W>) -> W::Value;
    /// The cell of a `K` object.
    fn cell<'a>(&'a self, k: &'a W::Value) -> &'a ContinuationCell<W>;

    /// Which of the things that is that go the short way, if it is one.
    fn plain(&self, yielded: &W::Value) -> Plain<W>;
    /// Whether nobody but the machine holds a `K`, not even weakly.
    fn is_ours(&self, k: &W::Value) -> bool;
    /// Whether that is a `Delegate()`.
    fn delegates(&self, node: &W::Value) -> bool;
    /// The value with which a node resumes this `k`, if it does.
    fn resumed_with(&self, node: &W::Value, k: &W::Value) -> Option<W::Value>;
    /// Takes apart the node with which a clause resumes its own `k`: the value, if nobody but the machine holds the node or
    /// the `k`, not even weakly.
    ///
    /// # Errors
    /// It is another node, or somebody holds one of them: it, as it was.
    fn resumes(&mut self, node: W::Value, k: &W::Value) -> Result<W::Value, W::Value>;

    /// `Ok(value)`.
    fn ok(&mut self, value: W::Value) -> W::Value;
    /// `Err(error)`.
    fn err(&mut self, error: W::Error) -> W::Value;
    /// The user's own object behind a handler, when there is one.
    fn handler_object(&self, handler: &W::Handler) -> Option<W::Value>;
    /// One line of an execution context: the name, file and line of suspended code.
    fn describe_code(&mut self, code: &W::Code) -> W::Value;
    /// The place where code is suspended, for later: as little as leads to a line.
    fn mark_place(&mut self, code: &W::Code) -> W::Value;
    /// The errands that are sent next are for code that runs in this context; `None` is the run's own.
    fn performs_in(&mut self, context: Option<&W::Value>);
    /// A context for a new body, from that of the one who asks; `None` is the run's own.
    fn fork_context(&mut self, of: Option<&W::Value>) -> W::Value;
    /// One line of an execution context: a clause at work.
    fn describe_clause(&mut self, label: Option<W::Label>, effect: &W::Value) -> W::Value;
    /// One line of an execution context: a handler in scope.
    fn describe_handler(&mut self, handler: &W::Handler) -> W::Value;
    /// The name of a handler, for a message.
    fn handler_label(&self, handler: &W::Handler) -> W::Label;

    /// What a call is shown as in a trace.
    fn show_call(&self, call: &W::Call) -> W::Value;

    /// Takes a call that will not be made.
    fn discard_call(&mut self, call: W::Call);
    /// Takes a dead generator, which has ended or [lets everything pass](Host::lets_pass).
    fn discard_code(&mut self, code: W::Code);
    /// Takes a handler that is no longer installed.
    fn discard_handler(&mut self, handler: W::Handler);
    /// Takes a class whose identity is no longer needed.
    fn discard_class(&mut self, class: W::Class);
    /// Takes a dead label.
    fn discard_label(&mut self, label: W::Label);
}
