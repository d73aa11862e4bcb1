//! The entry of a mapping that was read last: a program most often works on one for a while.

use crate::core::host::World;
use crate::core::native::{Held, Store};

/// What was read last, as the mapping has it too. Whoever changes the mapping changes this, or cools it.
pub struct Hot<W: World>(Option<(W::Value, W::Value)>);

impl<W: World> Hot<W> {
    /// Nothing was read.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value, if the entry is the one whose key is the first field of the effect.
    #[inline]
    pub fn entry(&mut self, store: &dyn Store<W>, effect: &W::Value) -> Option<&mut W::Value> {
        self.0.as_mut().filter(|(key, _)| store.is_field(effect, 0, key)).map(|(_, value)| value)
    }

    /// This was read under the key that is the first field of the effect.
    pub fn heat(&mut self, store: &mut dyn Store<W>, effect: &W::Value, value: &W::Value) {
        self.cool(store);
        self.0 = Some((store.field(effect, 0), store.share(value)));
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
