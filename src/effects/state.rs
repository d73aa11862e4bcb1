//! State: a mapping that belongs to the installation. A fork works on a copy.

use crate::core::fault::Fault;
use crate::core::host::World;
use crate::core::ids::ClauseId;
use crate::core::native::{Answer, Held, Load, Native, Store};

/// One installation of `state`.
pub struct State<W: World> {
    mapping: W::Value,
}

impl<W: World> State<W> {
    /// State that works on this mapping.
    #[must_use]
    pub const fn new(mapping: W::Value) -> Self {
        Self { mapping }
    }
}

impl<W: World> Native<W> for State<W>
where
    W::Value: Send,
{
    fn answer(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Answer<W> {
        let key = store.field(effect, 0);
        match clause {
            ClauseId(0) => {
                let loaded = store.load(&self.mapping, &key);
                match loaded {
                    Load::Found(value) => {
                        store.discard(key);
                        Answer::Value(value)
                    }
                    Load::Missing => {
                        let mapping = store.share(&self.mapping);
                        Answer::Fault(Fault::MissingKey { key, mapping })
                    }
                    Load::Request(request) => {
                        store.discard(key);
                        Answer::Request(request)
                    }
                }
            }
            ClauseId(1) => {
                let value = store.field(effect, 1);
                match store.store(&self.mapping, key, value) {
                    None => Answer::Value(store.unit()),
                    Some(request) => Answer::Request(request),
                }
            }
            _ => {
                let function = store.field(effect, 1);
                Answer::Request(store.modify(&self.mapping, key, function))
            }
        }
    }

    #[inline]
    fn reply(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Option<W::Value> {
        match clause {
            ClauseId(0) => store.peek(&self.mapping, effect, 0),
            ClauseId(1) => store.poke(&self.mapping, effect).then(|| store.unit()),
            _ => None,
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
                let key = store.field(effect, 0);
                let mapping = store.share(&self.mapping);
                Answer::Fault(Fault::MissingKey { key, mapping })
            }
            Ok(value) => Answer::Value(value),
            Err(error) => Answer::Raise(error),
        }
    }

    fn fork(&self, store: &mut dyn Store<W>) -> Option<Box<dyn Native<W>>> {
        Some(Box::new(Self::new(store.copy(&self.mapping))))
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        see(Held::Value(&self.mapping));
    }

    fn release(self: Box<Self>, store: &mut dyn Store<W>) {
        store.discard(self.mapping);
    }
}
