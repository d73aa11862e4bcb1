// What `vm-holds-no-execution-state`, `nothing-saves-execution-state` and `continuations-have-one-owner` must flag.

/// The machine.
pub struct Vm<W: World> {
    /// Where it stands.
    pub(crate) current_segment: SegmentId,
    // ruleid: vm-holds-no-execution-state
    pub(crate) mode: Mode<W>,
    // ruleid: vm-holds-no-execution-state
    frames: Vec<Frame<W>>,
    // ruleid: vm-holds-no-execution-state
    pending_python: Option<PythonCall<W>>,
    // ruleid: vm-holds-no-execution-state
    interceptor_skip_stack: Vec<InterceptorId>,
    // ruleid: vm-holds-no-execution-state
    marker: Marker,
    // ruleid: vm-holds-no-execution-state
    pub scope: Scope<W>,
    // ruleid: vm-holds-no-execution-state, nothing-saves-execution-state
    saved_mode: Option<Mode<W>>,
    // ruleid: continuations-have-one-owner
    consumed: Bits,
    // ruleid: continuations-have-one-owner
    owners: HashMap<SegmentId, Owner>,
    // ruleid: continuations-have-one-owner
    snapshot: Arc<Vec<Frame<W>>>,
}

pub struct Segment<W: World> {
    mode: Mode<W>,
    // ruleid: nothing-saves-execution-state
    previous_segment: SegmentId,
}

impl<W: World> Vm<W> {
    fn nested(&mut self, inner: SegmentId) {
        // ruleid: nothing-saves-execution-state
        let here = self.current_segment;
        self.current_segment = inner;
        self.advance();
        self.current_segment = here;
    }

    fn guarded(&mut self) {
        // ruleid: nothing-saves-execution-state
        let saved_skip = self.here().guards.clone();
        self.advance();
        self.here().guards = saved_skip;
    }

    fn interrupted(&mut self, segment: &mut Segment<W>) {
        // ruleid: nothing-saves-execution-state
        let before = std::mem::replace(&mut segment.mode, Mode::Idle);
        self.advance();
        segment.mode = before;
    }
}
