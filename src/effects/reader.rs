//! Reader: an environment whose lazy values are computed when they are first asked for, once an installation and key.

use super::hot::Hot;
use crate::core::fault::Fault;
use crate::core::host::World;
use crate::core::ids::ClauseId;

use crate::core::native::{Answer, AtOnce, Held, Load, Native, Store, Thunk};

/// One installation of `reader`, or the overrides of a `Local`; forks share it.
pub struct Reader<W: World> {
    mapping: W::Value,
    hot: Hot<W>,
    local: bool,
}

impl<W: World> Reader<W> {
    /// A reader of this mapping.
    #[must_use]
    pub const fn new(mapping: W::Value) -> Self {
        Self { mapping, hot: Hot::new(), local: false }
    }

    /// Overrides: a key that they do not have is asked outside.
    #[must_use]
    pub const fn overrides(mapping: W::Value) -> Self {
        Self { mapping, hot: Hot::new(), local: true }
    }

    fn missing(&self, store: &mut dyn Store<W>, effect: &W::Value) -> Answer<W> {
        if self.local {
            return Answer::Forward;
        }
        let key = store.field(effect, 0);
        let mapping = store.share(&self.mapping);
        Answer::Fault(Fault::MissingKey { key, mapping })
    }

    fn give(store: &mut dyn Store<W>, value: W::Value) -> Answer<W> {
        match store.thunk(&value) {
            Thunk::Plain => Answer::Value(value),
            Thunk::Done(result) => {
                store.discard(value);
                Answer::Value(result)
            }
            Thunk::Running => Answer::Fault(Fault::Cycle(value)),
            Thunk::Fresh(program) => {
                store.start_thunk(&value);
                Answer::Evaluate { program, thunk: value }
            }
        }
    }
}

impl<W: World> Native<W> for Reader<W>
where
    W::Value: Send,
{
    fn answer(&mut self, store: &mut dyn Store<W>, _clause: ClauseId, effect: &W::Value) -> Answer<W> {
        let key = store.field(effect, 0);
        match store.load(&self.mapping, &key) {
            Load::Found(value) => {
                store.discard(key);
                Self::give(store, value)
            }
            Load::Missing => {
                store.discard(key);
                self.missing(store, effect)
            }
            Load::Request(request) => {
                store.discard(key);
                Answer::Request(request)
            }
        }
    }

    fn reply(&mut self, store: &mut dyn Store<W>, _clause: ClauseId, effect: &W::Value) -> Option<AtOnce<W>> {
        let key = store.fields(effect).first()?;
        if let Some(value) = self.hot.entry(store, key) {
            return Some(AtOnce::Value(store.share(value)));
        }
        let value = store.peek(&self.mapping, key)?;
        match store.thunk(&value) {
            Thunk::Plain => {
                self.hot.heat(store, key, &value);
                Some(AtOnce::Value(value))
            }
            thunk => {
                if let Thunk::Fresh(other) | Thunk::Done(other) = thunk {
                    store.discard(other);
                }
                store.discard(value);
                None
            }
        }
    }

    fn settle(
        &mut self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        outcome: Result<W::Value, W::Error>,
    ) -> Answer<W> {
        match outcome {
            Ok(value) if store.is_missing(&value) => {
                store.discard(value);
                self.missing(store, effect)
            }
            Ok(value) => Self::give(store, value),
            Err(error) => Answer::Raise(error),
        }
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        see(Held::Value(&self.mapping));
        self.hot.visit(see);
    }

    fn release(mut self: Box<Self>, store: &mut dyn Store<W>) {
        self.hot.cool(store);
        store.discard(self.mapping);
    }
}
