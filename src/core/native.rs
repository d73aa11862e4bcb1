//! Handlers that answer inside the machine: the public interface that `effects/` is written against.
//!
//! A native handler never runs user code. Where it would have to (a key with a `__hash__` of its own), it answers with a
//! request: the driver does that work with the machine put aside, and the handler settles with what came of it.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

pub use super::body::Body;
use super::fault::{Fault, Unobserved};
pub use super::frame::{Continuation, Resumption};
use super::host::World;
use super::ids::ClauseId;
pub use super::limits::Tally;
pub use super::mailbox::{Mailbox, locked};
pub use super::standing::{Impulse, Stance, Standing};

/// What a native handler says to an effect.
pub enum Answer<W: World> {
    /// The answer, delivered at the perform.
    Value(W::Value),
    /// An exception, delivered at the perform.
    Raise(W::Error),
    /// An error of the library, delivered at the perform.
    Fault(Fault<W>),
    /// Not for this one: the walk goes on outward.
    Forward,
    /// Work that may run user code; [`Native::settle`] gets the outcome, and may forward the effect still.
    Request(W::Request),
    /// A program to run under this installation and the handlers outside it; [`Native::settle_thunk`] gets the outcome.
    Evaluate {
        /// The program.
        program: W::Value,
        /// The thunk that the outcome belongs to.
        thunk: W::Value,
    },
    /// Somebody is to await this; [`Native::settle`] gets the outcome.
    Await(W::Value),
    /// The performer waits: its body is detached, and [`Native::suspended`] has it. For those that [`Native::holds_bodies`].
    Suspend,
    /// One more body, for this program: it stands inside the handlers, interceptors and walls that the performer is in, up
    /// to this installation, each by its `fork`, and waits to be started. [`Native::branched`] has it and answers.
    Branch(W::Value),
}

/// What a native handler says to an effect at once.
pub enum AtOnce<W: World> {
    /// [`Answer::Value`].
    Value(W::Value),
    /// [`Answer::Branch`].
    Branch(W::Value),
}

/// What a native handler that holds bodies lets happen next.
pub enum Next<W: World> {
    /// A body that was not started yet starts.
    Start(Body<W>),
    /// A body goes on where it waits.
    Resume(Body<W>, Resumption<W>),
    /// An error of the library meets a body where it waits.
    Refuse(Body<W>, Fault<W>),
    /// A body that was preempted performs the effect that it was about to perform.
    Again(Body<W>),
    /// Nobody can go on before that long, or before the run's mailbox rings: [`Native::woken`] is asked again then.
    Idle(Option<Duration>),
    /// The block comes to this. Bodies that are still held are the run's to unwind.
    Finish(Result<W::Value, W::Error>),
    /// The block comes to an error of the library.
    Fail(Fault<W>),
}

/// Something that a native handler, or an object of its making, holds.
pub enum Held<'a, W: World> {
    /// A value.
    Value(&'a W::Value),
    /// An error.
    Error(&'a W::Error),
}

/// What a value is to a handler that gives out objects.
pub enum Seen<'a, W: World> {
    /// An object of a native handler's making.
    Object(&'a W::Object),
    /// One that a handler of the user's gave out.
    Foreign,
    /// Something else.
    Other,
}

/// What a native handler that holds bodies is told of its run.
pub struct Surroundings<'a> {
    /// Where the run waits, and whose bell ends the wait.
    pub run: &'a Arc<Mailbox>,
    /// What the run counts of tasks and promises.
    pub tally: &'a Arc<Tally>,
    /// Somebody else's loop drives the run: it takes errands.
    pub driven: bool,
}

/// What a native handler asks whoever drives the run to do beside it.
pub enum Errand<W: World> {
    /// Await this for a task, and complete the promise with what comes of it.
    Await {
        /// What is awaited.
        awaitable: W::Value,
        /// The completer of the promise.
        completer: W::Value,
        /// The task; the root has none.
        task: Option<W::Value>,
    },
    /// What is awaited for that completer is to be cancelled: it is completed all the same.
    Cancel {
        /// The completer.
        completer: W::Value,
        /// The task; the root has none.
        task: Option<W::Value>,
    },
    /// A task for which something was awaited is over.
    Over(W::Value),
}

/// One installation of a native handler; its state lives here.
pub trait Native<W: World>: Send {
    /// Answers an effect that was dispatched to the clause.
    fn answer(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Answer<W>;

    /// Answers at once where that takes no user code; otherwise nothing has happened, and [`Native::answer`] is asked.
    fn reply(&mut self, _store: &mut dyn Store<W>, _clause: ClauseId, _effect: &W::Value) -> Option<AtOnce<W>> {
        None
    }

    /// Whether its answer to any effect is to await the first field: [`Native::reply`] is not asked then.
    fn only_awaits(&self) -> bool {
        false
    }

    /// Answers the effect with what came of a request.
    fn settle(
        &mut self,
        _store: &mut dyn Store<W>,
        _effect: &W::Value,
        outcome: Result<W::Value, W::Error>,
    ) -> Answer<W> {
        match outcome {
            Ok(value) => Answer::Value(value),
            Err(error) => Answer::Raise(error),
        }
    }

    /// Answers with what came of a thunk's program.
    fn settle_thunk(
        &mut self,
        store: &mut dyn Store<W>,
        thunk: W::Value,
        outcome: Result<W::Value, W::Error>,
    ) -> Answer<W> {
        match outcome {
            Ok(value) => {
                let kept = store.share(&value);
                store.settle_thunk(&thunk, Some(kept));
                store.discard(thunk);
                Answer::Value(value)
            }
            Err(error) => {
                store.settle_thunk(&thunk, None);
                store.discard(thunk);
                Answer::Raise(error)
            }
        }
    }

    /// Whether it holds the bodies of its installation, and says which one runs: the block's program is the first.
    fn holds_bodies(&self) -> bool {
        false
    }

    /// Its block opens.
    fn opened(&mut self, _run: &Surroundings<'_>) {}

    /// After how many effects the running body gives way to others.
    fn slice(&self) -> Option<NonZeroU64> {
        None
    }

    /// The running body used its slice up; it goes on by [`Next::Again`].
    fn preempted(&mut self, _store: &mut dyn Store<W>, body: Continuation) -> Next<W> {
        Next::Again(body.into())
    }

    /// The running body has a handler of its own inside that idles: it has its turn, by [`Next::Resume`] with nothing, at
    /// that time, and whenever the run's mailbox rang.
    fn idles(&mut self, _store: &mut dyn Store<W>, body: Continuation, _at_most: Option<Duration>) -> Next<W> {
        Next::Refuse(body.into(), Fault::Internal("a handler that holds bodies lets them idle"))
    }

    /// The run is being closed: nobody does errands any more.
    fn closing(&mut self) {}

    /// An error from outside, for the first body: raised where it waits. Gives the one that it takes the place of.
    ///
    /// # Errors
    /// The first body runs, or there is none: here is the error.
    fn interrupt(&mut self, error: W::Error) -> Result<Option<W::Error>, W::Error> {
        Err(error)
    }

    /// The running body needs what another body computes; it performs the effect by [`Next::Again`] when its turn comes.
    fn stalled(&mut self, store: &mut dyn Store<W>, effect: W::Value, body: Continuation) -> Next<W> {
        store.discard(effect);
        Next::Again(body.into())
    }

    /// Something that bodies may have stalled for was computed.
    fn unstalled(&mut self) {}

    /// The wait of [`Next::Idle`] is over, or an error interrupted it.
    fn woken(&mut self, _store: &mut dyn Store<W>, how: Result<(), W::Error>) -> Next<W> {
        match how {
            Ok(()) => Next::Idle(None),
            Err(error) => Next::Finish(Err(error)),
        }
    }

    /// Shows the chains of the bodies that it holds: as long as its block may go on, nobody else unwinds them.
    fn holds(&self, _see: &mut dyn FnMut(&Continuation)) {}

    /// Adds those whose bodies it holds, and how each stands.
    fn standings(&mut self, _store: &mut dyn Store<W>, _all: &mut Vec<Standing<W>>) {}

    /// What programs hold of the body that runs.
    fn running(&mut self, _store: &mut dyn Store<W>) -> Option<W::Value> {
        None
    }

    /// The errors that nobody took note of; the installation is gone.
    fn unobserved(&mut self, _store: &mut dyn Store<W>) -> Vec<Unobserved<W>> {
        Vec::new()
    }

    /// The running body waits for the answer to this effect; here it is.
    fn suspended(&mut self, _store: &mut dyn Store<W>, _effect: W::Value, body: Continuation) -> Next<W> {
        Next::Refuse(body.into(), Fault::Internal("a handler that suspends holds bodies"))
    }

    /// The body that a program was to have; gives the answer for who asked, and `place` is where that was. Only those are
    /// told that answer [`Answer::Branch`]. By itself it lets the body go.
    fn branched(
        &mut self,
        store: &mut dyn Store<W>,
        _effect: &W::Value,
        body: Body<W>,
        place: Option<W::Value>,
    ) -> W::Value {
        body.into_values().chain(place).for_each(|value| store.discard(value));
        store.unit()
    }

    /// The running body came to its end.
    fn ended(&mut self, _store: &mut dyn Store<W>, outcome: Result<W::Value, W::Error>) -> Next<W> {
        Next::Finish(outcome)
    }

    /// The block's result, from the body's.
    fn finish(&mut self, _store: &mut dyn Store<W>, value: W::Value) -> W::Value {
        value
    }

    /// What a fork of this installation works on; `None` shares this one, as those do that hold bodies.
    fn fork(&mut self, _store: &mut dyn Store<W>) -> Option<Box<dyn Native<W>>> {
        None
    }

    /// The run is over, or goes no further, and what it works on is looked at: what it put off to write is written.
    fn write_back(&mut self, _store: &mut dyn Store<W>) {}

    /// Shows everything that it holds.
    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>));

    /// Hands every value that it holds to the host.
    fn release(self: Box<Self>, store: &mut dyn Store<W>);
}

/// What a key leads to.
pub enum Load<W: World> {
    /// A new owner of the value under that key.
    Found(W::Value),
    /// No such key.
    Missing,
    /// Only user code can tell.
    Request(W::Request),
}

/// A value that is computed when it is first asked for.
pub enum Thunk<W: World> {
    /// The value is no thunk.
    Plain,
    /// Not computed yet; here is the program.
    Fresh(W::Value),
    /// Its program is running.
    Running,
    /// Computed.
    Done(W::Value),
}

/// The operations on values that native handlers are made of. None runs user code.
pub trait Store<W: World> {
    /// Takes a dead value: dropping it may run user code.
    fn discard(&mut self, value: W::Value);
    /// Takes what was to be awaited and never will be.
    fn discard_awaitable(&mut self, awaitable: W::Value) {
        self.discard(awaitable);
    }
    /// Takes a dead error.
    fn discard_error(&mut self, error: W::Error);
    /// A second owner of a value.
    fn share(&self, value: &W::Value) -> W::Value;
    /// A value that leads to that one as long as somebody owns it.
    fn weak(&mut self, value: &W::Value) -> W::Value;
    /// Where it leads to.
    fn strong(&self, weak: &W::Value) -> Option<W::Value>;
    /// A second owner of an error.
    fn clone_error(&self, error: &W::Error) -> W::Error;
    /// Whether the error is one that programs are meant to catch.
    fn is_exception(&self, error: &W::Error) -> bool;
    /// What was cancelled, when the error is what a cancellation is raised as: nothing, when nobody said.
    fn cancelled_scope(&self, error: &W::Error) -> Option<W::Value>;
    /// How far the error has come, so that it can be raised again from there.
    fn trace_of(&self, error: &W::Error) -> W::Value;
    /// A value that is an error.
    fn as_error(&self, value: &W::Value) -> Option<W::Error>;
    /// A list of values.
    fn sequence(&mut self, values: Vec<W::Value>) -> W::Value;
    /// The values of a fixed sequence.
    fn items<'v>(&self, sequence: &'v W::Value) -> &'v [W::Value];
    /// Whether the value is a number or the like: it holds nothing, its end runs no code, and that it lives a little longer is
    /// nobody's business.
    fn is_atom(&self, value: &W::Value) -> bool;
    /// A whole number.
    fn integer(&self, value: &W::Value) -> Option<i64>;
    /// A number.
    fn float(&self, value: &W::Value) -> Option<f64>;
    /// A number as a value.
    fn make_float(&mut self, number: f64) -> W::Value;
    /// Whether a flag is set; `None` for what is no flag.
    fn flag(&self, value: &W::Value) -> Option<bool>;
    /// Whether the value is a text.
    fn is_text(&self, value: &W::Value) -> bool;
    /// A flag as a value.
    fn make_flag(&mut self, flag: bool) -> W::Value;
    /// A value around an object of a handler's making.
    fn make_object(&mut self, object: W::Object) -> W::Value;
    /// The object in such a value.
    fn object<'v>(&self, value: &'v W::Value) -> Seen<'v, W>;
    /// Hands an errand to whoever drives the run.
    fn send(&mut self, errand: Errand<W>);
    /// Whether the root may not run now: whoever drives the run is not where the root runs.
    fn keeps_root(&self) -> bool;
    /// Whether the value can be evaluated as a program.
    fn is_program(&self, value: &W::Value) -> bool;
    /// The value that stands for nothing.
    fn unit(&self) -> W::Value;
    /// Whether this is that value.
    fn is_unit(&self, value: &W::Value) -> bool;
    /// The fields of an effect, where they stand.
    fn fields<'v>(&self, effect: &'v W::Value) -> &'v [W::Value];
    /// A field of an effect, by its place.
    fn field(&self, effect: &W::Value, index: usize) -> W::Value;
    /// Whether the two are one and the same.
    fn is_same(&self, one: &W::Value, other: &W::Value) -> bool;
    /// The value under `key` in a mapping.
    fn load(&mut self, mapping: &W::Value, key: &W::Value) -> Load<W>;
    /// The value under the key, when it takes no user code to tell and there is one.
    fn peek(&mut self, mapping: &W::Value, key: &W::Value) -> Option<W::Value>;
    /// Puts the value under the key, when that takes no user code. Whether it did.
    fn poke(&mut self, mapping: &W::Value, key: &W::Value, value: &W::Value) -> bool;
    /// The same where that key leads to an atom, or to a value that somebody else holds too.
    fn replace(&mut self, mapping: &W::Value, key: &W::Value, value: &W::Value) -> bool;
    /// Puts a value under `key`; a request when only user code can.
    fn store(&mut self, mapping: &W::Value, key: W::Value, value: W::Value) -> Option<W::Request>;
    /// A request to replace the value under `key` by `function` of it, and to give the old one.
    fn modify(&mut self, mapping: &W::Value, key: W::Value, function: W::Value) -> W::Request;
    /// Whether the outcome of a request says that there is no such key.
    fn is_missing(&self, value: &W::Value) -> bool;
    /// A copy of a mapping.
    fn copy(&mut self, mapping: &W::Value) -> W::Value;
    /// Appends to a list.
    fn append(&mut self, list: &W::Value, value: W::Value);
    /// A pair.
    fn pair(&mut self, first: W::Value, second: W::Value) -> W::Value;
    /// What is known about a thunk.
    fn thunk(&mut self, value: &W::Value) -> Thunk<W>;
    /// Its program starts to run.
    fn start_thunk(&mut self, thunk: &W::Value);
    /// Its program ended with a value, or (`None`) failed and may be asked again.
    fn settle_thunk(&mut self, thunk: &W::Value, value: Option<W::Value>);
}
