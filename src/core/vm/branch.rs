//! A new body for a program: what a spawned task runs in (semantics 7).
//!
//! It stands inside forks of what its spawner is in, up to the handler that holds the bodies. Where nothing is between the
//! two, nothing is to be forked: the spawner does not move, and the body has no segment before it starts.

use super::reply::NewBody;
use super::{Flow, Vm, fault};
use crate::core::body::{Body, Unstarted};
use crate::core::dispatch;
use crate::core::fault::Fault;
use crate::core::frame::{Continuation, Frame, Goal, Inheriting};
use crate::core::host::{Host, World};
use crate::core::ids::{NativeId, SegmentId};
use crate::core::limits::Permit;
use crate::core::native::Answer;
use crate::core::segment::{Hooks, Kind, Prompt};
use crate::core::step::{Mode, Place};
use crate::core::trace;

impl<W: World> Vm<W> {
    /// A new body for the program, inside forks of what the performer is in.
    pub(super) fn branch(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        effect: W::Value,
        program: W::Value,
    ) -> Flow<W> {
        if !self.runs(prompt, self.native_of(prompt)) {
            host.discard(effect);
            host.discard(program);
            return fault(Fault::NotRunning);
        }
        let of = self.segments[self.current_segment].context.and_then(|id| self.contexts.get(id));
        let context = host.fork_context(of);
        if self.current_segment == prompt {
            // Nothing stands between the performer and the prompt, so that nothing is to be forked.
            if let Permit::Exceeded(bound) = self.meter.open(self.live_segments()) {
                host.discard(effect);
                host.discard(program);
                host.discard(context);
                return fault(Fault::Exceeded(bound));
            }
            let body = self.unstarted(self.native_of(prompt), program, context);
            return self.place_branch(host, prompt, effect, body);
        }
        let layers = self.layers(host, self.current_segment, prompt);
        let performer = self.capture(prompt);
        self.leave_to_frame(performer);
        self.push_frame(Frame::Branching(prompt, effect));
        self.inherit_layers(host, Inheriting { layers, forking: None, program, goal: Goal::Detach(context) })
    }

    /// The performer of [`Reply::Branch`], whose generator the driver holds, gets its answer.
    pub fn branch_at_once(
        &mut self,
        host: &mut impl Host<W>,
        code: &W::Code,
        yielded: &W::Value,
        new: NewBody<W>,
    ) -> W::Value {
        let NewBody { native, program, effect } = new;
        let context = host.fork_context(self.context().map(|(_, context)| context));
        let place = host.mark_place(code);
        let body = self.unstarted(native, program, context);
        let answer = self.native(native).branched(host, effect.as_ref().unwrap_or(yielded), body, Some(place));
        if let Some(effect) = effect {
            host.discard(effect);
        }
        answer
    }

    /// A body that counts as a segment from now on.
    fn unstarted(&mut self, native: NativeId, program: W::Value, context: W::Value) -> Body<W> {
        self.count_unstarted(native, |count| *count += 1);
        self.meter.opened(self.live_segments());
        Body::Unstarted(Unstarted { program, context })
    }

    fn count_unstarted(&mut self, native: NativeId, change: impl Fn(&mut usize)) {
        change(&mut self.unstarted);
        if let Some(shared) = &mut self.natives[native.0 as usize] {
            change(&mut shared.unstarted);
        }
    }

    /// A body that has not started gets its segment, and its program is what comes next. The block is current, and the frame
    /// that waits for the running body stands.
    pub(super) fn start(&mut self, host: &mut impl Host<W>, native: NativeId, unstarted: Unstarted<W>) {
        let Unstarted { program, context } = unstarted;
        let Some(Frame::Block(block)) = self.current().frames.iter().nth_back(1) else {
            unreachable!("bodies are let go on by their block");
        };
        let handler = host.clone_handler(&block.handler);
        self.count_unstarted(native, |count| *count -= 1);
        self.share_native(Some(native));
        let context = self.contexts.add(context);
        let own = self.make_segment_in(Kind::Prompt(Prompt::fork(handler, Some(native), Hooks::none())), Some(context));
        self.segments[own].mode = Mode::HandleYield(program, Place::Node);
        self.current_segment = own;
    }

    /// The forks stand: the program waits inside of them, and the performer has its answer.
    pub(super) fn branched(&mut self, host: &mut impl Host<W>, program: W::Value, context: W::Value) -> Flow<W> {
        let head = self.current_segment;
        let branching = |id: Option<SegmentId>| {
            id.is_some_and(|id| matches!(self.segments[id].frames.last(), Some(Frame::Branching(..))))
        };
        let own = trace::outward(&self.segments, head).find(|(_, segment)| branching(segment.caller));
        let Some((own, _)) = own else {
            host.discard(program);
            host.discard(context);
            return fault(Fault::Internal("a new body stands where nobody asked for it"));
        };
        let body = self.plant(own, program, context);
        let Some(Frame::Branching(prompt, effect)) = self.current().frames.pop() else {
            return fault(Fault::Internal("a new body stands where nobody asked for it"));
        };
        let performer = self.held_by(prompt);
        self.attach(performer);
        self.place_branch(host, prompt, effect, body.into())
    }

    /// The current segment is the head of a new body: the program waits there, and the body is detached.
    fn plant(&mut self, own: SegmentId, program: W::Value, context: W::Value) -> Continuation {
        let head = self.current_segment;
        // Where there are many bodies each is as small as can be; without memory the push asks again.
        let _ = self.current().make_room();
        self.push_frame(Frame::Start(program));
        self.give_context(head, own, context);
        let capture = self.next_capture();
        let (body, parent) = dispatch::detach(&mut self.segments, head, own, capture);
        self.detached += 1;
        self.current_segment = parent;
        body
    }

    /// The handler gets the new body, and the performer, which is current, its answer.
    fn place_branch(&mut self, host: &mut impl Host<W>, prompt: SegmentId, effect: W::Value, body: Body<W>) -> Flow<W> {
        let place = trace::innermost_code(&self.segments, self.current_segment).map(|code| host.mark_place(code));
        let native = self.native_of(prompt);
        let answer = self.native(native).branched(host, &effect, body, place);
        self.answered(host, prompt, effect, Answer::Value(answer))
    }

    /// The code of a new body, from its head to its prompt, runs in this context.
    fn give_context(&mut self, head: SegmentId, own: SegmentId, context: W::Value) {
        let context = self.contexts.add(context);
        let mut at = Some(head);
        while let Some(id) = at {
            self.contexts.name(context);
            if let Some(before) = self.segments[id].context.replace(context) {
                // The segment outside names it too.
                let left = self.contexts.forget(before);
                debug_assert!(left.is_none(), "a context is named by the segment that gave it");
            }
            at = if id == own { None } else { self.segments[id].caller };
        }
    }
}
