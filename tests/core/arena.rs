//! The arena against a map from what was opened to what was written there. Laws: INV-1, INV-6.
//!
//! `check` is what the fuzzer calls too.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use segue::core::arena::{Arena, LIVE_SEGMENTS, Slot};
use segue::core::ids::{Birth, SegmentId};

/// What lives in the arena: something that was written, in memory that a freed slot keeps.
#[derive(Default)]
struct Page(Vec<u32>);

impl Slot for Page {
    fn vacate(&mut self) {
        self.0.clear();
    }
}

/// One segment that was opened: where, and which of those that ever lived there.
type Opened = (SegmentId, Birth);

#[derive(Default)]
struct Pair {
    arena: Arena<Page>,
    /// The live ones, and what was written to each.
    model: HashMap<Opened, Vec<u32>>,
    /// The live ones in the order in which they were opened.
    live: Vec<Opened>,
    closed: Vec<Opened>,
    most: usize,
}

impl Pair {
    fn open(&mut self) {
        let id = self.arena.open();
        let opened = (id, self.arena.birth(id));
        assert!(self.arena[id].0.is_empty(), "a slot is vacant when it is opened (INV-6)");
        assert!(
            self.model.insert(opened, Vec::new()).is_none(),
            "no two segments are told by the same place and birth"
        );
        self.live.push(opened);
        self.most = self.most.max(self.live.len());
        assert!(id.index() < self.most, "a slot that was freed is used again");
    }

    fn close(&mut self, choice: u8) {
        if let Some(opened) = self.chosen(choice) {
            self.live.retain(|one| *one != opened);
            self.arena.close(opened.0);
            self.model.remove(&opened);
            self.closed.push(opened);
        }
    }

    fn write(&mut self, choice: u8, word: u32) {
        if let Some(opened) = self.chosen(choice) {
            self.arena[opened.0].0.push(word);
            self.model.get_mut(&opened).expect("the model knows what lives").push(word);
        }
    }

    fn chosen(&self, choice: u8) -> Option<Opened> {
        let count = self.live.len();
        (count > 0).then(|| self.live[usize::from(choice) % count])
    }

    /// The arena says what the model says.
    fn compare(&self) {
        assert_eq!(self.arena.live(), self.model.len(), "what lives is counted");
        let shown: HashMap<Opened, &Vec<u32>> =
            self.arena.iter().map(|(id, page)| ((id, self.arena.birth(id)), &page.0)).collect();
        let known: HashMap<Opened, &Vec<u32>> = self.model.iter().map(|(opened, page)| (*opened, page)).collect();
        assert_eq!(shown, known, "each segment finds what was written to it, and nothing else is shown (INV-1)");
        assert!(self.live.iter().all(|(id, birth)| self.arena.holds(*id, *birth)), "what lives is held");
        let gone = self.closed.iter().all(|(id, birth)| !self.arena.holds(*id, *birth));
        assert!(gone, "a closed segment is told from who lives in its slot now");
    }
}

/// Plays a list of operations, two bytes each, on the arena and on the model. Nobody else may make segments meanwhile.
///
/// # Panics
/// When they differ.
pub fn check(bytes: &[u8]) {
    let before = LIVE_SEGMENTS.load(Ordering::Relaxed);
    let mut pair = Pair::default();
    for (number, operation) in (0..).zip(bytes.chunks_exact(2)) {
        match operation[0] % 4 {
            0 | 1 => pair.open(),
            2 => pair.close(operation[1]),
            _ => pair.write(operation[1], number),
        }
        pair.compare();
        pair.arena.publish();
        let counted = LIVE_SEGMENTS.load(Ordering::Relaxed) - before;
        assert_eq!(counted, pair.live.len(), "what lives in the process is counted");
    }
    drop(pair);
    assert_eq!(LIVE_SEGMENTS.load(Ordering::Relaxed), before, "an arena that is gone leaves no segment");
}
