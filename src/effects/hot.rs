//! The entry of a mapping that was read or put last: a program most often works on one for a while.

use crate::core::host::World;
use crate::core::native::{Held, Store};

/// What was read or put last. Whoever changes the mapping changes this, or cools it.
pub struct Hot<W: World>(Option<(W::Value, W::Value)>);

impl<W: World> Hot<W> {
    /// Nothing was read.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value, if that is the key of the entry.
    #[inline]
    pub fn entry(&mut self, store: &dyn Store<W>, key: &W::Value) -> Option<&mut W::Value> {
        self.0.as_mut().filter(|(known, _)| store.is_same(known, key)).map(|(_, value)| value)
    }

    /// The entry.
    pub const fn known(&self) -> Option<&(W::Value, W::Value)> {
        self.0.as_ref()
    }

    /// This was read or put under that key.
    pub fn heat(&mut self, store: &mut dyn Store<W>, key: &W::Value, value: &W::Value) {
        self.cool(store);
        self.0 = Some((store.share(key), store.share(value)));
    }

    /// Forgets it.
    pub fn cool(&mut self, store: &mut dyn Store<W>) {
        if let Some((key, value)) = self.0.take() {
            store.discard(key);
            store.discard(value);
        }
    }

    /// Shows what is held.
    pub fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        if let Some((key, value)) = &self.0 {
            see(Held::Value(key));
            see(Held::Value(value));
        }
    }
}
