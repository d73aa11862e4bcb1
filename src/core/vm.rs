//! The loop. Each family of transitions has a file of its own.
//!
//! A transition moves [`Vm::current_segment`], sets the mode of the segment that is then current, and goes on; it breaks
//! with an [`Event`] only for what the machine cannot do itself.

mod audit;
mod bodies;
mod branch;
mod deliver;
mod evaluate;
mod inherit;
mod intercept;
mod leave;
mod onward;
mod perform;
mod reply;
mod resume;
mod spare;
mod standing;
mod unwind;

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::arena::{self, Arena};
use super::contexts::Contexts;
use super::dispatch;

use super::fault::{Bound, Cause, Fault, Unobserved};
use super::frame::{Continuation, Frame};
use super::host::{Host, World};
use super::ids::{Capture, ContextId, NativeId, SegmentId};
use super::interceptor::Interceptors;
use super::limits::{Bounds, Meter, Permit};
use super::mailbox::Mailbox;
use super::native::{Held, Native};
use super::segment::{Hooks, Kind, Segment};
use super::step::{Event, Mode, Outcome, Pending, Place, PythonCall, Remains, StepKind, StepNote, Watch};
use super::trace;
use super::visit::{self, Visitor};
use bodies::Slice;
pub use reply::{Called, Reply};
use spare::Spare;

/// Go on, or stop with an event.
pub type Flow<W> = ControlFlow<Event<W>>;

/// The state of one native installation, and how many prompts share it.
struct Shared<W: World> {
    native: Box<dyn Native<W>>,
    prompts: usize,
    /// Its block waits for its bodies.
    open: bool,
    /// Those of its bodies that have no segment yet.
    unstarted: usize,
}

/// The machine of one run.
///
/// `current_segment` is its only execution-local field (INV-4); the others are registries and counters of the run.
pub struct Vm<W: World> {
    current_segment: SegmentId,
    segments: Arena<Segment<W>>,
    natives: Vec<Option<Shared<W>>>,
    free_natives: Vec<NativeId>,
    interceptors: Interceptors,
    contexts: Contexts<W>,
    sliced: Vec<Slice>,
    closing: bool,
    driven: bool,
    run: Arc<Mailbox>,
    meter: Meter,
    captures: u64,
    detached: usize,
    /// The bodies that have no segment yet.
    unstarted: usize,
    published: usize,
    epoch: u64,
    watch: Watch,
    notes: VecDeque<Option<StepNote<W>>>,
    unobserved: Vec<Unobserved<W>>,
    leftovers: Vec<Continuation>,
    /// Those `K` that came back from their clauses, for the next ones.
    spare: Spare<W::Value>,
}

impl<W: World> Drop for Vm<W> {
    fn drop(&mut self) {
        arena::publish(&dispatch::LIVE_CONTINUATIONS, &mut self.published, 0);
    }
}

impl<W: World> Vm<W> {
    /// A machine that is about to evaluate `program`. A step that is watched is an event.
    #[must_use]
    pub fn new(program: W::Value, bounds: Bounds, watch: Watch) -> Self {
        let mut segments = Arena::<Segment<W>>::new();
        let root = segments.open();
        segments[root].kind = Kind::Root;
        segments[root].mode = Mode::HandleYield(program, Place::Node);
        Self {
            current_segment: root,
            segments,
            natives: Vec::new(),
            free_natives: Vec::new(),
            interceptors: Interceptors::default(),
            contexts: Contexts::default(),
            sliced: Vec::new(),
            closing: false,
            driven: false,
            run: Arc::new(Mailbox::default()),
            meter: Meter::new(bounds),
            captures: 0,
            detached: 0,
            unstarted: 0,
            published: 0,
            epoch: 0,
            watch,
            notes: VecDeque::new(),
            unobserved: Vec::new(),
            leftovers: Vec::new(),
            spare: Spare::default(),
        }
    }

    /// Says to the process how many segments live here, and how many chains are detached.
    pub fn publish(&mut self) {
        self.segments.publish();
        arena::publish(&dispatch::LIVE_CONTINUATIONS, &mut self.published, self.detached);
    }

    /// The way to reach this run from outside.
    #[must_use]
    pub const fn mailbox(&self) -> &Arc<Mailbox> {
        &self.run
    }

    /// What was used so far.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The driver ran user code so many times: what makes no step is bounded too.
    pub const fn spend_turns(&mut self, turns: u64) {
        self.meter.spend_turns(turns);
    }

    /// Somebody else's loop drives the run: handlers may send errands.
    pub const fn be_driven(&mut self) {
        self.driven = true;
    }

    /// An error from outside is raised where the first body of the outermost handler that holds bodies waits. Gives the one that
    /// it takes the place of.
    ///
    /// # Errors
    /// There is none that waits: here is the error.
    pub fn interrupt_bodies(&mut self, mut error: W::Error) -> Result<Option<W::Error>, W::Error> {
        for shared in self.natives.iter_mut().flatten().filter(|shared| shared.open) {
            match shared.native.interrupt(error) {
                Err(back) => error = back,
                taken => return taken,
            }
        }
        Err(error)
    }

    /// How long the run may still wait; `None` is as long as it likes.
    #[must_use]
    pub fn may_wait(&self) -> Option<Duration> {
        self.meter.may_wait()
    }

    /// The bound that was passed during a wait, when one was: from now on only the grace is left.
    pub fn passed_while_waiting(&mut self) -> Option<Bound> {
        match self.meter.between_steps() {
            Permit::Exceeded(bound) => Some(bound),
            Permit::Granted | Permit::Exhausted => None,
        }
    }

    /// The run is being closed: only the grace is left, and nothing waits any more.
    pub fn begin_closing(&mut self) {
        self.closing = true;
        for shared in self.natives.iter_mut().flatten() {
            shared.native.closing();
        }
        self.meter.begin_grace();
    }

    /// The context that what comes next runs in; `None` is the run's own.
    #[must_use]
    pub fn context(&self) -> Option<(ContextId, &W::Value)> {
        let id = self.segments[self.current_segment].context?;
        Some((id, self.contexts.get(id)?))
    }

    /// Takes the errors that nobody waits for.
    pub fn take_unobserved(&mut self) -> Vec<Unobserved<W>> {
        std::mem::take(&mut self.unobserved)
    }

    /// What natives work on is about to be looked at.
    pub fn write_back(&mut self, host: &mut impl Host<W>) {
        for shared in self.natives.iter_mut().flatten() {
            shared.native.write_back(host);
        }
    }

    /// Runs until user code is needed, or the run ended.
    pub fn advance(&mut self, host: &mut impl Host<W>) -> Event<W> {
        loop {
            if let ControlFlow::Break(event) = self.turn(host) {
                return event;
            }
        }
    }

    fn turn(&mut self, host: &mut impl Host<W>) -> Flow<W> {
        if self.run.wants_attention() && !self.opens_a_block() {
            self.safepoint(host)?;
        }
        if let Some(note) = self.notes.pop_front() {
            return ControlFlow::Break(Event::Stepped(note));
        }
        if !(self.segments.has_room() && self.segments[self.current_segment].has_room()) {
            self.make_room()?;
        }
        match self.current().mode.take() {
            Mode::Deliver(value) => self.deliver(host, value),
            Mode::Throw(error) => self.throw(host, error),
            Mode::HandleYield(value, place) => {
                let ctrl = host.classify(value);
                self.evaluate(host, ctrl, place)
            }
            Mode::Return(value) => self.leave(host, Ok(value)),
            Mode::Suspended => fault(Fault::Internal("a suspended segment is current")),
        }
    }

    /// Nothing that a transition pushes or opens ends the process: memory runs out here, and is an error of the program.
    /// An error on its way goes on without: it leaves more than it takes.
    #[cold]
    fn make_room(&mut self) -> Flow<W> {
        let made = self.current().make_room().and_then(|()| self.segments.make_room());
        match made {
            Err(_) if !matches!(self.current().mode, Mode::Throw(_)) => fault(Fault::Memory),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Feeds what came of the last event. Feeding nothing after [`Event::Stepped`], [`Event::Sweep`] or
    /// [`Event::Attention`] goes on.
    pub fn receive(&mut self, host: &mut impl Host<W>, outcome: Outcome<W>) {
        let pending = self.current().pending_python.take();
        match outcome {
            Outcome::Yielded(code, value) => {
                self.push_program(code);
                self.current().mode = Mode::HandleYield(value, Place::Yield);
            }
            Outcome::Returned(value) => {
                self.current().mode = match pending {
                    Some(Pending::Function) => Mode::HandleYield(value, Place::Returned),
                    _ => Mode::Deliver(value),
                };
            }
            Outcome::Raised(error) => {
                if let Some(Pending::Install(program)) = pending {
                    host.discard(program);
                }
                self.interrupted_by(host, error);
            }
            Outcome::Installed(installation) => match pending {
                Some(Pending::Install(program)) => self.installed(host, installation, program),
                _ => self.adopted(host, installation),
            },
            Outcome::Forwarded(node, effect) => self.forwarded(node, effect),
        }
    }

    /// An error takes the place of whatever the current segment was about to do.
    fn interrupted_by(&mut self, host: &mut impl Host<W>, error: W::Error) {
        match self.current().mode.take() {
            Mode::Throw(earlier) => host.chain_context(&error, earlier),
            Mode::Deliver(value) | Mode::Return(value) | Mode::HandleYield(value, _) => host.discard(value),
            Mode::Suspended => {}
        }
        self.current().mode = Mode::Throw(error);
    }

    /// Goes no further: gives what is to be closed without effects, innermost first, each chain after the other.
    pub fn abandon(&mut self, host: &mut impl Host<W>) -> Vec<Remains<W>> {
        self.run.finish();
        for shared in self.natives.iter_mut().flatten() {
            self.unobserved.extend(shared.native.unobserved(host));
        }
        let mut heads: Vec<SegmentId> = vec![self.current_segment];
        let mut detached: Vec<_> = self.segments.iter().filter_map(|(_, one)| Some((one.marker?, one.head?))).collect();
        detached.sort_by_key(|(capture, _)| *capture);
        heads.extend(detached.into_iter().map(|(_, head)| head));
        let mut remains = Vec::new();
        for head in heads {
            let mut at = Some(head);
            while let Some(id) = at {
                while let Some(frame) = self.segments[id].frames.pop() {
                    match frame {
                        Frame::Program(code) => remains.push(Remains::Code(code)),
                        Frame::Exit(handler) => remains.push(Remains::Exit(handler)),
                        // The prompts of a block of bodies only answer: its hooks wait here.
                        Frame::Block(prompt) if prompt.hooks.has(Hooks::EXIT) && !prompt.forked => {
                            remains.push(Remains::Exit(prompt.handler));
                        }
                        frame => unwind::discard_frame(host, frame),
                    }
                }
                if let Some(prompt) = self.segments[id].prompt()
                    && prompt.hooks.has(Hooks::EXIT)
                    && !prompt.forked
                {
                    remains.push(Remains::Exit(host.clone_handler(&prompt.handler)));
                }
                at = match self.segments[id].kind {
                    Kind::Detour { back, .. } => Some(back),
                    _ => self.segments[id].caller,
                };
            }
        }
        remains
    }

    /// Shows everything that it holds.
    pub fn visit(&self, visitor: &mut impl Visitor<W>) {
        for (_, segment) in self.segments.iter() {
            visit::segment(segment, visitor);
        }
        for shared in self.natives.iter().flatten() {
            shared.native.visit(&mut |held| match held {
                Held::Value(value) => visitor.value(value),
                Held::Error(error) => visitor.error(error),
            });
        }
        for context in self.contexts.iter() {
            visitor.value(context);
        }
        for lost in &self.unobserved {
            if let Cause::Error(error) = &lost.cause {
                visitor.error(error);
            }
            if let Some(origin) = &lost.origin {
                visitor.value(origin);
            }
        }
        for k in self.spare.iter() {
            visitor.value(k);
        }
        for note in self.notes.iter().flatten() {
            visitor.value(&note.subject);
        }
    }

    fn current(&mut self) -> &mut Segment<W> {
        &mut self.segments[self.current_segment]
    }

    fn push_frame(&mut self, frame: Frame<W>) {
        self.current().frames.push(frame);
    }

    /// Breaks with user code to run; `pending` says what its outcome means.
    fn call(&mut self, pending: Pending<W>, call: PythonCall<W>) -> Flow<W> {
        self.current().pending_python = Some(pending);
        ControlFlow::Break(Event::Python(call))
    }

    fn proceed(&mut self, mode: Mode<W>) -> Flow<W> {
        self.current().mode = mode;
        ControlFlow::Continue(())
    }

    /// Opens a segment around what comes next; it is then current.
    fn open_segment(&mut self, kind: Kind<W>) {
        self.current_segment = self.make_segment(kind);
    }

    /// The segments that live. A body that has not started counts as the one that it will have.
    const fn live_segments(&self) -> usize {
        self.segments.live() + self.unstarted
    }

    /// Asks whether one more segment may be opened.
    fn permit_segment(&mut self) -> Flow<W> {
        if !self.segments.has_room() && self.segments.make_room().is_err() {
            return fault(Fault::Memory);
        }
        match self.meter.open(self.live_segments()) {
            Permit::Granted => ControlFlow::Continue(()),
            Permit::Exceeded(bound) => fault(Fault::Exceeded(bound)),
            Permit::Exhausted => ControlFlow::Break(Event::Exhausted),
        }
    }

    /// A segment inside the current one, with the guards and in the context of the one that opens it (INV-6).
    fn make_segment(&mut self, kind: Kind<W>) -> SegmentId {
        self.make_segment_in(kind, self.segments[self.current_segment].context)
    }

    /// The same in another context.
    fn make_segment_in(&mut self, kind: Kind<W>, context: Option<ContextId>) -> SegmentId {
        let opener = self.current_segment;
        let id = self.segments.open();
        if !self.segments[opener].interceptor_skip_stack.is_empty() {
            let guards = self.segments[opener].interceptor_skip_stack.clone();
            self.segments[id].interceptor_skip_stack = guards;
        }
        if let Some(context) = context {
            self.contexts.name(context);
        }
        let segment = &mut self.segments[id];
        segment.kind = kind;
        segment.context = context;
        segment.caller = Some(opener);
        self.meter.opened(self.live_segments());
        id
    }

    /// Counts a step before it is made; `subject` is what a trace shows of it.
    fn step(&mut self, kind: StepKind, subject: impl FnOnce() -> W::Value) -> Flow<W> {
        match self.meter.step() {
            Permit::Granted => {}
            Permit::Exceeded(bound) => return fault(Fault::Exceeded(bound)),
            Permit::Exhausted => return ControlFlow::Break(Event::Exhausted),
        }
        match self.watch {
            Watch::Nothing => {}
            Watch::Steps => self.notes.push_back(None),
            Watch::Notes => self.notes.push_back(Some(StepNote {
                step: self.meter.steps(),
                kind,
                mode: match kind {
                    StepKind::Enter => "HandleYield",
                    StepKind::Exit => "Deliver",
                },
                dispatch_depth: trace::dispatch_depth(&self.segments, self.current_segment),
                subject: subject(),
            })),
        }
        ControlFlow::Continue(())
    }

    /// Counts a step of a value: gives it back, or discards it when the step is not made.
    fn count(&mut self, host: &mut impl Host<W>, kind: StepKind, value: W::Value) -> ControlFlow<Event<W>, W::Value> {
        match self.step(kind, || host.clone_value(&value)) {
            ControlFlow::Continue(()) => ControlFlow::Continue(value),
            ControlFlow::Break(event) => {
                host.discard(value);
                ControlFlow::Break(event)
            }
        }
    }

    fn next_capture(&mut self) -> Capture {
        self.captures += 1;
        Capture(NonZeroU64::new(self.captures).expect("captures are counted from 1"))
    }

    #[inline]
    fn push_program(&mut self, code: W::Code) {
        self.meter.call_began();
        let segment = self.current();
        segment.calls += 1;
        segment.frames.push(Frame::Program(code));
    }
}

/// Breaks with an error of the library, raised at the current place.
const fn fault<W: World>(fault: Fault<W>) -> Flow<W> {
    ControlFlow::Break(Event::Fault(fault))
}
