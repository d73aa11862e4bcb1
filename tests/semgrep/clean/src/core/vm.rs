// What `vm-holds-no-execution-state`, `nothing-saves-execution-state` and `continuations-have-one-owner` must let pass.

/// The machine. It has no mode of its own: mode, frames and marker are the segment's.
pub struct Vm<W: World> {
    // ok: vm-holds-no-execution-state
    pub(crate) current_segment: SegmentId,
    arena: Arena<Segment<W>>,
    trash: Vec<W::Value>,
}

pub struct Segment<W: World> {
    // ok: vm-holds-no-execution-state
    mode: Mode<W>,
    frames: Vec<Frame<W>>,
    caller: Option<SegmentId>,
    marker: Marker,
}

impl<W: World> Vm<W> {
    fn capture(&mut self, prompt: SegmentId) -> Chain {
        // ok: nothing-saves-execution-state
        let performer = self.current_segment;
        self.current_segment = self.parent_of(prompt);
        Chain { performer, prompt }
    }

    fn take(&mut self, segment: &mut Segment<W>) -> Mode<W> {
        // ok: nothing-saves-execution-state
        let mode = std::mem::replace(&mut segment.mode, Mode::Idle);
        mode
    }

    fn left_over(&self) -> HashSet<SegmentId> {
        // ok: continuations-have-one-owner
        let mut waiting: HashSet<SegmentId> = HashSet::new();
        waiting.extend(self.arena.iter().map(|(id, _)| id));
        waiting
    }
}
