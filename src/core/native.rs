//! Handlers that answer inside the machine: the public interface that `effects/` is written against.
//!
//! A native handler never runs user code. Where it would have to (a key with a `__hash__` of its own), it answers with a
//! request: the driver does that work with the machine put aside, and the handler settles with what came of it.

use super::fault::Fault;
use super::host::World;
use super::ids::ClauseId;

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
}

/// One installation of a native handler; its state lives here.
pub trait Native<W: World>: Send {
    /// Answers an effect that was dispatched to the clause.
    fn answer(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Answer<W>;

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

    /// The block's result, from the body's.
    fn finish(&mut self, _store: &mut dyn Store<W>, value: W::Value) -> W::Value {
        value
    }

    /// What a fork of this installation works on; `None` shares this one.
    fn fork(&self, _store: &mut dyn Store<W>) -> Option<Box<dyn Native<W>>> {
        None
    }

    /// Shows every value that it holds.
    fn visit(&self, see: &mut dyn FnMut(&W::Value));

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
    /// A second owner of a value.
    fn share(&self, value: &W::Value) -> W::Value;
    /// The value that stands for nothing.
    fn unit(&self) -> W::Value;
    /// Whether this is that value.
    fn is_unit(&self, value: &W::Value) -> bool;
    /// A field of an effect, by its place.
    fn field(&self, effect: &W::Value, index: usize) -> W::Value;
    /// The value under `key` in a mapping.
    fn load(&mut self, mapping: &W::Value, key: &W::Value) -> Load<W>;
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
