//! The contexts that user code runs in: each body of a handler that holds its bodies has one of its own (semantics 7).
//!
//! A segment says which one its code runs in, and gives it to the segments that are opened inside: a body takes its
//! context wherever it is attached, and what stands outside of it never sees it.

use std::num::NonZeroU32;

use super::host::World;
use super::ids::ContextId;

struct Counted<W: World> {
    context: W::Value,
    segments: usize,
}

/// The contexts of a run that segments name.
pub struct Contexts<W: World> {
    slots: Vec<Option<Counted<W>>>,
    free: Vec<ContextId>,
}

impl<W: World> Default for Contexts<W> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

const fn index(id: ContextId) -> usize {
    id.0.get() as usize - 1
}

impl<W: World> Contexts<W> {
    /// A context that no segment names yet.
    ///
    /// # Panics
    /// When there are more than `u32::MAX - 1`.
    pub fn add(&mut self, context: W::Value) -> ContextId {
        let counted = Some(Counted { context, segments: 0 });
        if let Some(id) = self.free.pop() {
            self.slots[index(id)] = counted;
            return id;
        }
        self.slots.push(counted);
        let number = u32::try_from(self.slots.len()).ok().and_then(NonZeroU32::new);
        ContextId(number.expect("a run has fewer than 2^32 contexts"))
    }

    /// One more segment names it.
    pub fn name(&mut self, id: ContextId) {
        if let Some(counted) = &mut self.slots[index(id)] {
            counted.segments += 1;
        }
    }

    /// A segment names it no more; gives it back when that was the last one.
    pub fn forget(&mut self, id: ContextId) -> Option<W::Value> {
        let slot = &mut self.slots[index(id)];
        let counted = slot.as_mut()?;
        counted.segments -= 1;
        if counted.segments > 0 {
            return None;
        }
        self.free.push(id);
        slot.take().map(|counted| counted.context)
    }

    /// The context.
    #[must_use]
    pub fn get(&self, id: ContextId) -> Option<&W::Value> {
        self.slots[index(id)].as_ref().map(|counted| &counted.context)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &W::Value> {
        self.slots.iter().flatten().map(|counted| &counted.context)
    }
}
