//! What a segment remembers of who answers which effect.

use thin_vec::ThinVec;

use super::host::World;
use super::ids::{ClauseId, NativeId, SegmentId};

/// One remembered look-up.
pub struct Remembered<W: World> {
    /// The class.
    pub class: W::ClassId,
    /// What keeps its identity from being given away.
    pub held: W::Class,
    /// The prompt that handles it.
    pub prompt: SegmentId,
    /// The clause.
    pub clause: ClauseId,
    /// How it answers.
    pub way: Way,
}

/// How the clause of a remembered look-up answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// A native handler does.
    Native(NativeId),
    /// A native handler does that holds bodies: who performs may have to wait, and somebody else goes on.
    Bodies(NativeId),
    /// What the effect has in its first field is awaited.
    Await,
    /// A function gives the value.
    Value,
    /// A program gives the value.
    Program,
    /// It gets a continuation.
    Control,
}

/// How many look-ups are remembered.
const MOST: usize = 8;

/// The routes of effects from a segment outward, as far as they were looked up.
pub struct Routes<W: World> {
    /// The state of the chain in which they hold.
    epoch: u64,
    /// Most segments perform one class again and again, and remember it in place.
    first: Option<Remembered<W>>,
    more: ThinVec<Remembered<W>>,
}

impl<W: World> Default for Routes<W> {
    fn default() -> Self {
        Self { epoch: 0, first: None, more: ThinVec::new() }
    }
}

impl<W: World> Routes<W> {
    /// What is remembered of a class, if it holds in that state of the chain.
    #[inline]
    pub fn find(&self, epoch: u64, class: W::ClassId) -> Option<&Remembered<W>> {
        if self.epoch != epoch {
            return None;
        }
        match &self.first {
            Some(first) if first.class == class => Some(first),
            _ => self.more.iter().find(|known| known.class == class),
        }
    }

    /// Remembers one that holds in that state; `forget` gets those that do not, or for which there is no place.
    pub fn remember(&mut self, epoch: u64, known: Remembered<W>, forget: impl FnMut(Remembered<W>)) {
        if self.epoch != epoch || self.more.len() + 1 == MOST {
            self.forget(forget);
            self.epoch = epoch;
        }
        match &mut self.first {
            first @ None => *first = Some(known),
            Some(_) => self.more.push(known),
        }
    }

    /// Hands over all that is remembered.
    pub fn forget(&mut self, forget: impl FnMut(Remembered<W>)) {
        self.first.take().into_iter().chain(self.more.drain(..)).for_each(forget);
    }

    /// What holds in that state of the chain.
    pub fn holding(&self, epoch: u64) -> impl Iterator<Item = &Remembered<W>> {
        self.iter().filter(move |_| self.epoch == epoch)
    }

    /// All that is remembered.
    pub fn iter(&self) -> impl Iterator<Item = &Remembered<W>> {
        self.first.iter().chain(&self.more)
    }
}
