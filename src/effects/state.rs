//! State: a mapping that belongs to the installation. A fork works on a copy.

use super::hot::Hot;
use crate::core::fault::Fault;
use crate::core::host::World;
use crate::core::ids::ClauseId;
use crate::core::native::{Answer, AtOnce, Held, Load, Native, Store};

/// One installation of `state`.
///
/// A number that takes the place of a number is written when somebody else looks: until then the mapping has an older one.
pub struct State<W: World> {
    mapping: W::Value,
    hot: Hot<W>,
    unwritten: bool,
}

impl<W: World> State<W> {
    /// State that works on this mapping.
    #[must_use]
    pub const fn new(mapping: W::Value) -> Self {
        Self { mapping, hot: Hot::new(), unwritten: false }
    }

    #[inline]
    fn get(&mut self, store: &mut dyn Store<W>, key: &W::Value) -> Option<W::Value> {
        if let Some(value) = self.hot.entry(store, key) {
            return Some(store.share(value));
        }
        self.write(store);
        let value = store.peek(&self.mapping, key)?;
        self.hot.heat(store, key, &value);
        Some(value)
    }

    #[inline]
    fn put(&mut self, store: &mut dyn Store<W>, key: &W::Value, value: &W::Value) -> bool {
        let Some(hot) = self.hot.entry(store, key) else {
            // Another key may be equal to the one at hand.
            self.cool(store);
            let is_put = store.poke(&self.mapping, key, value);
            if is_put {
                self.hot.heat(store, key, value);
            }
            return is_put;
        };
        let puts_off = store.is_atom(value) && store.is_atom(hot);
        let old = std::mem::replace(hot, store.share(value));
        self.unwritten = true;
        if !puts_off {
            // The old one lives on here: nothing dies in there.
            self.write(store);
        }
        store.discard(old);
        true
    }

    /// Writes what was put off. There is an entry, so that this takes no memory.
    fn write(&mut self, store: &mut dyn Store<W>) {
        if std::mem::take(&mut self.unwritten)
            && let Some((key, value)) = self.hot.known()
        {
            store.replace(&self.mapping, key, value);
        }
    }

    fn cool(&mut self, store: &mut dyn Store<W>) {
        self.write(store);
        self.hot.cool(store);
    }
}

impl<W: World> Native<W> for State<W>
where
    W::Value: Send,
{
    fn answer(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Answer<W> {
        self.cool(store);
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
    fn reply(&mut self, store: &mut dyn Store<W>, clause: ClauseId, effect: &W::Value) -> Option<AtOnce<W>> {
        match (clause, store.fields(effect)) {
            (ClauseId(0), [key, ..]) => self.get(store, key).map(AtOnce::Value),
            (ClauseId(1), [key, value, ..]) => self.put(store, key, value).then(|| AtOnce::Value(store.unit())),
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

    fn fork(&mut self, store: &mut dyn Store<W>) -> Option<Box<dyn Native<W>>> {
        self.write(store);
        Some(Box::new(Self::new(store.copy(&self.mapping))))
    }

    fn write_back(&mut self, store: &mut dyn Store<W>) {
        self.write(store);
    }

    fn visit(&self, see: &mut dyn FnMut(Held<'_, W>)) {
        see(Held::Value(&self.mapping));
        self.hot.visit(see);
    }

    fn release(mut self: Box<Self>, store: &mut dyn Store<W>) {
        self.cool(store);
        store.discard(self.mapping);
    }
}
