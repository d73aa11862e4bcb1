//! The loop around a run, as a handler: it answers `Await` with what the awaitable comes to (semantics 8).

use crate::core::host::World;
use crate::core::ids::ClauseId;
use crate::core::native::{Answer, Held, Native, Store};

/// The handler that awaits in the loop which drives the run.
pub struct EventLoop;

impl<W: World> Native<W> for EventLoop {
    fn answer(&mut self, store: &mut dyn Store<W>, _clause: ClauseId, effect: &W::Value) -> Answer<W> {
        Answer::Await(store.field(effect, 0))
    }

    fn only_awaits(&self) -> bool {
        true
    }

    fn visit(&self, _see: &mut dyn FnMut(Held<'_, W>)) {}

    fn release(self: Box<Self>, _store: &mut dyn Store<W>) {}
}
