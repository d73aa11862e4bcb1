//! The short way of an effect: answered while the driver still holds the generator that yielded it.
//!
//! ```text
//!   long   yield ─► receive ─► frame ─► HandleYield ─► dispatch ─► Deliver ─► frame ─► send
//!   short  yield ─► reply ─────────────────────────────────────────────────────────► send
//! ```
//!
//! Frames are pushed where there is room for one more after them: who has to make room is the long way. (Those of a plain
//! value clause that turns out to be something else are taken from the reserve.)
//!
//! It is open where nothing else is to be seen: nobody watches, intercepts, slices or asks for
//! attention, no bound is near. Whatever is not plain goes the long way, from the start or from where the clause stands.

mod clause;
mod turn;

use super::Vm;
use crate::core::continuation::{Continuation, ContinuationCell};
use crate::core::dispatch;
use crate::core::fault::Fate;
use crate::core::frame::{ClauseFrame, Frame};
use crate::core::host::{Host, Plain, World};
use crate::core::ids::{Capture, ClauseId, NativeId, SegmentId};
use crate::core::native::{Answer, AtOnce};
use crate::core::segment::{Remembered, Way};
use crate::core::step::{Pending, Watch};

/// What becomes of an effect whose generator the driver holds.
pub enum Reply<W: World> {
    /// It goes the long way: the machine is to receive it.
    Long,
    /// The answer.
    Value(W::Value),
    /// This clause of the handler gives it; the driver calls it, and asks [`Vm::replied`].
    Clause(W::Handler, Called<W>),
    /// A clause resumed: this goes to who waits in its continuation, see [`Vm::go_into`].
    Resumed(W::Value, Continuation),
    /// A native handler gets a new body: [`Vm::branch_at_once`] gives the answer.
    Branch(NewBody<W>),
    /// The handler at this prompt, which holds bodies, has said that, and it is no value: [`Vm::follow`] does what follows.
    Said(SegmentId, Answer<W>),
    /// The driver begins to await the only field of the effect, and says so by [`Vm::was_ready`], [`Vm::awaited`] or
    /// [`Vm::waits`]. Nothing has happened yet.
    Await(SegmentId),
    /// The call of a `@do` function: the driver makes it. Unless it [returns at once](Vm::returned_at_once), the generator
    /// [waits](Vm::wait_here) for it.
    Call,
}

/// A body that a native handler is to get.
pub struct NewBody<W: World> {
    pub(super) native: NativeId,
    pub(super) program: W::Value,
    /// What asks for it, where that is not what was yielded.
    pub(super) effect: Option<W::Value>,
}

/// A clause that is called on the short way. The capture and the frame that it has on the long way are made when it turns
/// out to need them: [`Vm::take_over`].
pub struct Called<W: World> {
    /// Which clause.
    pub clause: ClauseId,
    /// What it answers, where that is not what was yielded.
    pub effect: Option<W::Value>,
    /// Its continuation, of a control clause.
    pub k: Option<W::Value>,
    prompt: SegmentId,
    form: Short,
}

/// What a clause on the short way is.
enum Short {
    /// A function that gives the value.
    Function,
    /// A program that gives the value.
    Program(Capture),
    /// It has a continuation.
    Control(Capture),
}

impl<W: World> Vm<W> {
    /// Replies to what a generator yielded, if that is on the short way. After an answer that left the machine as it was,
    /// a value, a clause's or an await's, less is to be looked at.
    #[inline]
    pub fn reply(&mut self, host: &mut impl Host<W>, yielded: &W::Value, is_as_it_was: bool) -> Reply<W> {
        let is_quiet = if is_as_it_was { self.may_go_on() } else { self.is_quiet() };
        if !is_quiet {
            return Reply::Long;
        }
        let here = self.current_segment;
        match dispatch::remembered(&self.segments[here], host, self.epoch, yielded).map(route) {
            Some((Way::Bodies(native), prompt, clause)) => self.reply_of_holder(host, native, prompt, clause, yielded),
            Some(known) => self.reply_by(host, known, yielded, 1),
            None => self.reply_to_new(host, yielded),
        }
    }

    /// A plain value clause on the short way returned that: if it passed its effect on, the reply from outside of it.
    pub fn passed(
        &mut self,
        host: &mut impl Host<W>,
        called: &Called<W>,
        node: &W::Value,
        effect: &W::Value,
    ) -> Reply<W> {
        let is_passed = matches!((&called.form, host.plain(node)), (Short::Function, Plain::Pass));
        if !is_passed || !self.is_quiet() {
            return Reply::Long;
        }
        let Some(outside) = self.segments[called.prompt].caller else { return Reply::Long };
        let known = host.clone_value(effect);
        self.reply_from(host, outside, effect, 0).about(host, known)
    }

    /// The reply to an effect from that segment outward: its route is looked up and remembered.
    #[inline(never)]
    fn reply_from(&mut self, host: &mut impl Host<W>, from: SegmentId, effect: &W::Value, steps: u64) -> Reply<W> {
        self.remembered_route(host, from, effect);
        match dispatch::remembered(&self.segments[from], host, self.epoch, effect).map(route) {
            Some(known) => self.reply_by(host, known, effect, steps),
            None => Reply::Long,
        }
    }

    /// Replies to what is no effect whose route is known.
    fn reply_to_new(&mut self, host: &mut impl Host<W>, yielded: &W::Value) -> Reply<W> {
        let here = self.current_segment;
        let segment = &self.segments[here];
        match (host.plain(yielded), segment.frames.last()) {
            (Plain::Effect, _) => self.reply_from(host, here, yielded, 1),
            (Plain::Do, _) if segment.has_room_for(2) && self.meter.can_enter() => {
                self.meter.make_one();
                Reply::Call
            }
            (Plain::Delegate, Some(Frame::Clause(clause))) => {
                let effect = host.clone_value(&clause.effect);
                self.reply_from(host, here, &effect, 1).about(host, effect)
            }
            (Plain::Resume(k, value), _) => {
                let body = self.take_waiting(host, &k);
                host.discard(k);
                match body {
                    Some(body) => Reply::Resumed(value, body),
                    None => {
                        host.discard(value);
                        Reply::Long
                    }
                }
            }
            _ => Reply::Long,
        }
    }

    /// Takes what a `k` of this run stands for, when a program waits at its perform, in the context of the current segment.
    fn take_waiting(&self, host: &mut impl Host<W>, k: &W::Value) -> Option<Continuation> {
        let head = self.segments[self.unused_prompt(host, k)?].head?;
        if !self.segments[self.current_segment].has_room_for(2) || !self.awaits(head) {
            return None;
        }
        // The generator that yields it has no frame now.
        let by = self.user_label(host, 1);
        self.take_out(host, k, Fate::Resumed, by).ok()
    }

    /// Whether on that segment a program waits for a value, in the context of the current one.
    fn awaits(&self, segment: SegmentId) -> bool {
        let (segment, here) = (&self.segments[segment], &self.segments[self.current_segment]);
        matches!(segment.frames.last(), Some(Frame::Program(_))) && segment.context == here.context
    }

    /// What [`Reply::Await`] asked for was ready, and to ask ran nobody's code: the driver goes on with it.
    #[inline]
    pub const fn was_ready(&mut self) {
        self.meter.make(2);
    }

    /// What [`Reply::Await`] asked for was ready. Whether the driver may go on with it: otherwise the generator
    /// [waits](Vm::waits) for it.
    #[inline]
    pub fn awaited(&mut self) -> bool {
        let goes_on = self.may_go_on();
        if goes_on {
            self.meter.make(2);
        }
        goes_on
    }

    /// The generator waits here for the outcome of what [`Reply::Await`] asked for.
    pub fn waits(&mut self, code: W::Code, effect: W::Value, prompt: SegmentId) {
        self.meter.make_one();
        self.push_program(code);
        self.push_frame(Frame::Settle(prompt, effect));
        self.current().pending_python = Some(Pending::Action);
    }

    /// What [`Reply::Call`] asked for returned, and nobody saw it on the stack. Whether the generator may go on with the
    /// value: otherwise it [waits](Vm::wait_here) for it.
    #[inline]
    pub fn returned_at_once(&mut self) -> bool {
        let goes_on = self.may_go_on();
        if goes_on {
            self.meter.came_and_went();
        }
        goes_on
    }

    /// The generator waits here for what it called.
    #[inline]
    pub fn wait_here(&mut self, code: W::Code) {
        self.push_program(code);
        self.meter.entered();
    }

    /// The generator waits here for the body that it resumed, and whoever waits in there goes on.
    ///
    /// # Panics
    /// When nobody waits in there: [`Reply::Resumed`] says that somebody does.
    pub fn go_into(&mut self, code: W::Code, body: Continuation) -> W::Code {
        self.push_program(code);
        self.current().pending_python = None;
        self.attach(body);
        self.pop_program().expect("a program waits at the perform")
    }

    #[inline]
    fn pop_program(&mut self) -> Option<W::Code> {
        let segment = self.current();
        let Frame::Program(code) = segment.frames.pop_if(|frame| matches!(frame, Frame::Program(_)))? else {
            return None;
        };
        segment.calls -= 1;
        segment.pending_python = Some(Pending::Program);
        self.meter.call_ended();
        Some(code)
    }

    /// A program or a clause returned that: gives the generator that it goes to, if that waits for just this; and the effect
    /// that it answers, to let go of.
    #[inline]
    pub fn hand_down(&mut self, host: &mut impl Host<W>, value: &W::Value) -> Option<(W::Code, Option<W::Value>)> {
        if !self.is_quiet() {
            return None;
        }
        match self.segments[self.current_segment].frames.last()? {
            Frame::Program(_) => Some((self.pop_program()?, None)),
            Frame::Clause(_) => self.hand_down_from_clause(host, value),
            _ => None,
        }
    }

    /// The value is the answer of a value clause; or a control clause's, whose `k` was used or is kept.
    fn hand_down_from_clause(
        &mut self,
        host: &mut impl Host<W>,
        value: &W::Value,
    ) -> Option<(W::Code, Option<W::Value>)> {
        let frames = &self.segments[self.current_segment].frames;
        let Some(Frame::Clause(clause)) = frames.last() else { return None };
        let waits = match &clause.k {
            None => self.awaits(self.segments[clause.prompt].head?),
            Some(k) => {
                !self.ends_block(host, clause, k) && matches!(frames.iter().nth_back(1), Some(Frame::Program(_)))
            }
        };
        if !waits || clause.settled || host.ends_clause(value, clause.k.as_ref()) {
            return None;
        }
        let Some(Frame::Clause(mut clause)) = self.current().frames.pop() else { return None };
        self.meter.make_one();
        if let Some(k) = clause.k.take_if(|k| host.cell(k).is_spent() && host.is_ours(k)) {
            clause.k = self.spare.keep(k).err();
        } else if clause.k.is_none() {
            self.current().pending_python = None;
            let body = self.held_by(clause.prompt);
            self.attach(body);
        }
        if let Some(k) = clause.k {
            host.discard(k);
        }
        Some((self.pop_program()?, Some(clause.effect)))
    }

    /// The reply of whoever the effect goes to, which is so many steps before it is answered.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each effect passes here")]
    fn reply_by(
        &mut self,
        host: &mut impl Host<W>,
        (way, prompt, clause): (Way, SegmentId, ClauseId),
        effect: &W::Value,
        steps: u64,
    ) -> Reply<W> {
        match way {
            Way::Native(native) | Way::Bodies(native) => {
                self.reply_natively(host, native, prompt, clause, effect, steps)
            }
            Way::Await => {
                let here = &self.segments[self.current_segment];
                // What is begun in a context of its own is begun on the long way.
                if here.has_room_for(3) && here.context.is_none() { Reply::Await(prompt) } else { Reply::Long }
            }
            Way::Value => self.clause_of(host, prompt, clause, None, Short::Function, steps),
            way => self.reply_by_clause(host, way, prompt, clause, steps),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each effect of a native handler passes here")]
    fn reply_natively(
        &mut self,
        host: &mut impl Host<W>,
        native: NativeId,
        prompt: SegmentId,
        clause: ClauseId,
        effect: &W::Value,
        steps: u64,
    ) -> Reply<W> {
        match self.native(native).reply(host, clause, effect) {
            Some(AtOnce::Value(value)) => {
                self.meter.make(steps + 1);
                Reply::Value(value)
            }
            Some(AtOnce::Branch(program)) if self.branches_at_once(prompt, native) => {
                self.meter.make(steps + 1);
                Reply::Branch(NewBody { native, program, effect: None })
            }
            Some(AtOnce::Branch(unused)) => {
                host.discard(unused);
                Reply::Long
            }
            None => Reply::Long,
        }
    }

    #[inline]
    fn reply_by_clause(
        &mut self,
        host: &mut impl Host<W>,
        way: Way,
        prompt: SegmentId,
        clause: ClauseId,
        steps: u64,
    ) -> Reply<W> {
        let (k, form) = match way {
            Way::Program | Way::Control if !self.runs_where_it_is(prompt) => return Reply::Long,
            Way::Program => (None, Short::Program(self.next_capture())),
            Way::Control => {
                let capture = self.next_capture();
                (Some(self.wrap(host, Continuation { prompt, capture })), Short::Control(capture))
            }
            Way::Native(_) | Way::Bodies(_) | Way::Await | Way::Value => return Reply::Long,
        };
        self.clause_of(host, prompt, clause, k, form, steps)
    }

    /// The driver is to call that clause.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each effect of a value clause passes here")]
    fn clause_of(
        &mut self,
        host: &impl Host<W>,
        prompt: SegmentId,
        clause: ClauseId,
        k: Option<W::Value>,
        form: Short,
        steps: u64,
    ) -> Reply<W> {
        self.meter.make(steps);
        let found = self.segments[prompt].prompt().expect("a prompt is where it was found");
        Reply::Clause(host.clone_handler(&found.handler), Called { clause, effect: None, k, prompt, form })
    }

    /// Whether what runs outside of that prompt runs in the context of the current segment, and both have room for it.
    fn runs_where_it_is(&self, prompt: SegmentId) -> bool {
        let here = &self.segments[self.current_segment];
        let outside = self.segments[prompt].caller.map(|outside| &self.segments[outside]);
        here.has_room() && outside.is_some_and(|outside| outside.context == here.context && outside.has_room_for(2))
    }

    /// A `K` for a clause: the last one, if it came back and nobody else has seen more of it.
    pub(super) fn wrap(&mut self, host: &mut impl Host<W>, body: Continuation) -> W::Value {
        match self.spare.take() {
            Some(k) => {
                host.cell(&k).renew(body);
                k
            }
            None => host.make_k(ContinuationCell::new(self.run.clone(), body)),
        }
    }

    /// Whether the clause's value ends its block, or is an error there: its `k` is neither used nor kept for later.
    fn ends_block(&self, host: &impl Host<W>, clause: &ClauseFrame<W>, k: &W::Value) -> bool {
        let cell = host.cell(k);
        cell.is_fresh() || (!cell.is_spent() && self.segments[clause.prompt].prompt().is_some_and(|it| it.forked))
    }

    /// Whether nobody is to see more of an effect than its answer.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.watch, Watch::Nothing)
            && !self.interceptors.any()
            && self.sliced.is_empty()
            && self.may_go_on()
            && matches!(self.segments[self.current_segment].pending_python, Some(Pending::Program))
    }

    /// Whether nobody asks for attention and no bound is near, which may change while a generator runs.
    #[inline]
    fn may_go_on(&self) -> bool {
        !self.run.wants_attention() && self.meter.can_make(2)
    }
}

impl<W: World> Reply<W> {
    /// The same, about an effect that is not what was yielded last.
    fn about(self, host: &mut impl Host<W>, effect: W::Value) -> Self {
        match self {
            Self::Clause(handler, called) => Self::Clause(handler, Called { effect: Some(effect), ..called }),
            Self::Branch(new) => Self::Branch(NewBody { effect: Some(effect), ..new }),
            Self::Await(_) => {
                host.discard(effect);
                Self::Long
            }
            reply => {
                host.discard(effect);
                reply
            }
        }
    }
}

const fn route<W: World>(known: &Remembered<W>) -> (Way, SegmentId, ClauseId) {
    (known.way, known.prompt, known.clause)
}
