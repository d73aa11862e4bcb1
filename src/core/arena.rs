//! A vector with a free list. A freed slot keeps its allocations for the next segment that lives there.

use std::collections::TryReserveError;
use std::ops::{Index, IndexMut};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ids::{Birth, SegmentId};

/// What lives in an arena.
pub trait Slot: Default {
    /// Back to the state of a slot that nobody lives in, its allocations kept.
    fn vacate(&mut self);
}

struct Cell<T> {
    birth: Birth,
    live: bool,
    slot: T,
}

/// Slots addressed by [`SegmentId`].
pub struct Arena<T> {
    cells: Vec<Cell<T>>,
    free: Vec<SegmentId>,
    births: u32,
    published: usize,
}

/// Slots for which room is made at a time, at least.
const ROOM: usize = 8;

/// How many segments live in this process, over all runs, as they last [published](Arena::publish) it.
pub static LIVE_SEGMENTS: AtomicUsize = AtomicUsize::new(0);

impl<T> Arena<T> {
    /// How many segments live.
    #[must_use]
    pub const fn live(&self) -> usize {
        self.cells.len() - self.free.len()
    }
}

impl<T: Slot> Arena<T> {
    /// An arena without slots.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: Vec::new(), free: Vec::new(), births: 0, published: 0 }
    }

    /// Takes a free slot, or makes one. The slot is vacant: who opens it sets its fields.
    pub fn open(&mut self) -> SegmentId {
        self.births = self.births.wrapping_add(1);
        let birth = Birth(self.births);
        if let Some(id) = self.free.pop() {
            let cell = &mut self.cells[id.index()];
            cell.birth = birth;
            cell.live = true;
            return id;
        }
        let id = SegmentId::from_index(self.cells.len());
        self.cells.push(Cell { birth, live: true, slot: T::default() });
        id
    }

    /// Whether a slot can be opened, and closed again, without memory.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        !self.free.is_empty() || self.cells.len() < self.cells.capacity()
    }

    /// Makes room for some slots.
    ///
    /// # Errors
    /// There is no memory.
    pub fn make_room(&mut self) -> Result<(), TryReserveError> {
        self.cells.try_reserve(ROOM)?;
        self.free.try_reserve(self.cells.capacity() - self.free.len())
    }

    /// Gives a slot back.
    pub fn close(&mut self, id: SegmentId) {
        let cell = &mut self.cells[id.index()];
        debug_assert!(cell.live, "a segment is closed once");
        cell.live = false;
        cell.slot.vacate();
        self.free.push(id);
    }

    /// Which segment lives in that slot.
    #[must_use]
    pub fn birth(&self, id: SegmentId) -> Birth {
        self.cells[id.index()].birth
    }

    /// Whether the segment `birth` still lives in slot `id`.
    #[must_use]
    pub fn holds(&self, id: SegmentId, birth: Birth) -> bool {
        self.cells.get(id.index()).is_some_and(|cell| cell.live && cell.birth == birth)
    }

    /// Says in [`LIVE_SEGMENTS`] how many live here.
    pub fn publish(&mut self) {
        let live = self.live();
        publish(&LIVE_SEGMENTS, &mut self.published, live);
    }

    /// The live segments, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (SegmentId, &T)> {
        self.cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| cell.live)
            .map(|(index, cell)| (SegmentId::from_index(index), &cell.slot))
    }
}

/// Counts what became more or less since the last time: a counter of the process is too dear for each of them.
pub fn publish(counter: &AtomicUsize, published: &mut usize, live: usize) {
    if *published != live {
        // Around zero, as the sum is.
        counter.fetch_add(live.wrapping_sub(*published), Ordering::Relaxed);
        *published = live;
    }
}

impl<T> Drop for Arena<T> {
    fn drop(&mut self) {
        publish(&LIVE_SEGMENTS, &mut self.published, 0);
    }
}

impl<T: Slot> Default for Arena<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Index<SegmentId> for Arena<T> {
    type Output = T;
    fn index(&self, id: SegmentId) -> &T {
        &self.cells[id.index()].slot
    }
}

impl<T> IndexMut<SegmentId> for Arena<T> {
    fn index_mut(&mut self, id: SegmentId) -> &mut T {
        &mut self.cells[id.index()].slot
    }
}
