//! Writer: a log that belongs to the installation; `Listen` is one that also lets the entries go outward.

use crate::core::host::World;
use crate::core::ids::ClauseId;
use crate::core::native::{Answer, AtOnce, Held, Native, Store};

/// One installation of `writer`, or a `Listen`; forks share it.
pub struct Writer<W: World> {
    log: W::Value,
    tee: bool,
    /// The block is over: who tells later, in a fork, tells nobody here.
    over: bool,
}

impl<W: World> Writer<W> {
    /// A writer to this list.
    #[must_use]
    pub const fn new(log: W::Value) -> Self {
        Self { log, tee: false, over: false }
    }

    /// A tee: entries go to this list and outward, and the block's result is a pair with them.
    #[must_use]
    pub const fn tee(log: W::Value) -> Self {
        Self { log, tee: true, over: false }
    }
}

impl<W: World> Native<W> for Writer<W>
where
    W::Value: Send,
{
    fn answer(&mut self, store: &mut dyn Store<W>, _clause: ClauseId, effect: &W::Value) -> Answer<W> {
        if !self.over {
            let entry = store.field(effect, 0);
            store.append(&self.log, entry);
        }
        if self.tee { Answer::Forward } else { Answer::Value(store.unit()) }
    }

    fn reply(&mut self, store: &mut dyn Store<W>, _clause: ClauseId, effect: &W::Value) -> Option<AtOnce<W>> {
        if self.tee {
            return None;
        }
        let entry = store.field(effect, 0);
        store.append(&self.log, entry);
        Some(AtOnce::Value(store.unit()))
    }

    fn finish(&mut self, store: &mut dyn Store<W>, value: W::Value) -> W::Value {
        if self.tee {
            self.over = true;
            let log = store.share(&self.log);
            store.pair(value, log)
        } else {
            value
        }
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        see(Held::Value(&self.log));
    }

    fn release(self: Box<Self>, store: &mut dyn Store<W>) {
        store.discard(self.log);
    }
}
