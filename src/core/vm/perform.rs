//! An effect is performed: the only dispatch boundary (semantics 2).

use std::ops::ControlFlow;

use super::{Flow, Shared, Vm, fault};
use crate::core::dispatch::{self, Sight, Target};
use crate::core::fault::Fault;
use crate::core::frame::{ClauseFrame, Continuation, Frame, Role};
use crate::core::host::{Form, Host, World};
use crate::core::ids::{Capture, ClauseId, NativeId, SegmentId};
use crate::core::native::{Answer, Native};
use crate::core::segment::Way;
use crate::core::step::{Mode, Pending, PythonCall, StepKind};
use crate::core::trace;

impl<W: World> Vm<W> {
    pub(super) fn perform(&mut self, host: &mut impl Host<W>, effect: W::Value) -> Flow<W> {
        let effect = if self.sliced.is_empty() {
            effect
        } else {
            match self.slice(host, effect)? {
                Some(effect) => effect,
                None => return ControlFlow::Continue(()),
            }
        };
        let effect = self.count(host, StepKind::Enter, effect)?;
        let from = self.current_segment;
        let target = if self.interceptors.any() {
            let skip = &self.segments[from].interceptor_skip_stack;
            dispatch::route(&self.segments, host, from, &effect, Sight::Seen(skip))
        } else {
            self.remembered_route(host, from, &effect)
        };
        self.dispatch(host, target, effect, None)
    }

    /// The route of an effect from that segment outward, when no interceptor lives.
    pub(super) fn remembered_route(&mut self, host: &mut impl Host<W>, from: SegmentId, effect: &W::Value) -> Target {
        let natives = &self.natives;
        let way_to = |id: NativeId| match &natives[id.0 as usize] {
            Some(shared) if shared.native.only_awaits() => Way::Await,
            Some(shared) if shared.native.holds_bodies() => Way::Bodies(id),
            _ => Way::Native(id),
        };
        dispatch::remembered_route(&mut self.segments, host, self.epoch, from, effect, way_to)
    }

    /// Hands the effect of the current segment to whoever gets it; `forwarder` is the prompt that handed it outward.
    pub(super) fn dispatch(
        &mut self,
        host: &mut impl Host<W>,
        mut target: Target,
        effect: W::Value,
        mut forwarder: Option<SegmentId>,
    ) -> Flow<W> {
        loop {
            let (prompt, clause) = match target {
                Target::Clause(prompt, clause) => (prompt, clause),
                Target::Interceptor(segment, id) => {
                    if let Some(prompt) = forwarder {
                        // What it makes of the effect is evaluated where the effect was handed outward.
                        let waiting = self.capture(prompt);
                        self.leave_to_frame(waiting);
                        self.push_frame(Frame::Forwarded(prompt));
                    }
                    return self.intercept(host, segment, id, effect);
                }
                Target::Nobody { walled } => {
                    let handlers = trace::handler_labels(&self.segments, host, self.current_segment);
                    return fault(Fault::Unhandled { effect, handlers, walled });
                }
            };
            let Some(handler) = self.segments[prompt].prompt().map(|prompt| &prompt.handler) else {
                return fault(Fault::Internal("a prompt is not where it was found"));
            };
            match host.form(handler, clause) {
                Form::Native => {
                    let native = self.native_of(prompt);
                    match self.native(native).answer(host, clause, &effect) {
                        Answer::Forward => {
                            target = self.outside(host, prompt, &effect);
                            forwarder = Some(prompt);
                        }
                        answer => return self.answered(host, prompt, effect, answer),
                    }
                }
                Form::Value => {
                    let handler = host.clone_handler(handler);
                    self.push_frame(Frame::Answer(prompt, clause));
                    return self.call(Pending::Program, PythonCall::Clause { handler, clause, effect, k: None });
                }
                Form::ValueProgram => return self.start_clause(host, prompt, clause, effect, Role::Value),
                Form::Control => return self.start_clause(host, prompt, clause, effect, Role::Control),
            }
        }
    }

    /// Who gets an effect that a native handler forwards.
    pub(super) fn outside(&self, host: &impl Host<W>, prompt: SegmentId, effect: &W::Value) -> Target {
        match self.segments[prompt].caller {
            Some(outside) => self.beyond(host, outside, effect),
            None => Target::Nobody { walled: false },
        }
    }

    /// Who gets an effect of the current segment that was handed outward to `outside`. It was performed once: up to the
    /// next wall the interceptors had their look, and those beyond it have not.
    pub(super) fn beyond(&self, host: &impl Host<W>, outside: SegmentId, effect: &W::Value) -> Target {
        let sight = if self.interceptors.any() {
            Sight::Forwarded(&self.segments[self.current_segment].interceptor_skip_stack)
        } else {
            Sight::Unseen
        };
        dispatch::route(&self.segments, host, outside, effect, sight)
    }

    /// Captures the body, and calls the clause on the segment outside of the prompt: dispatch opens no segment.
    pub(super) fn start_clause(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        clause: ClauseId,
        effect: W::Value,
        role: Role,
    ) -> Flow<W> {
        let birth = self.segments.birth(prompt);
        let body = self.capture(prompt);
        let (given, held) = match role {
            Role::Value => {
                self.leave_to_frame(body);
                (None, None)
            }
            Role::Control => {
                let k = self.wrap(host, body);
                (Some(host.clone_value(&k)), Some(k))
            }
        };
        let frame =
            ClauseFrame { effect: host.clone_value(&effect), k: held, prompt, birth, clause, role, settled: false };
        self.push_frame(Frame::Clause(frame));
        let Some(handler) = self.segments[prompt].prompt().map(|prompt| host.clone_handler(&prompt.handler)) else {
            return fault(Fault::Internal("a prompt is not where it was found"));
        };
        self.call(Pending::Program, PythonCall::Clause { handler, clause, effect, k: given })
    }

    /// A plain value clause returned `Pass()` or `Delegate()`: it is evaluated in the clause's place, outside.
    pub(super) fn forwarded(&mut self, node: W::Value, effect: W::Value) {
        if let Some(Frame::Answer(prompt, clause)) = self.current().frames.pop() {
            let birth = self.segments.birth(prompt);
            let body = self.capture(prompt);
            self.leave_to_frame(body);
            let role = Role::Value;
            self.push_frame(Frame::Clause(ClauseFrame {
                effect,
                k: None,
                prompt,
                birth,
                clause,
                role,
                settled: false,
            }));
        }
        self.current().mode = Mode::Deliver(node);
    }

    /// Detaches what stands between the current segment and the prompt, inclusive; the segment outside is then current.
    pub(super) fn capture(&mut self, prompt: SegmentId) -> Continuation {
        let capture = self.next_capture();
        self.capture_as(prompt, capture)
    }

    /// The same, under a number that was given before.
    pub(super) fn capture_as(&mut self, prompt: SegmentId, capture: Capture) -> Continuation {
        let (continuation, parent) = dispatch::detach(&mut self.segments, self.current_segment, prompt, capture);
        self.detached += 1;
        self.current_segment = parent;
        continuation
    }

    /// Attaches a chain under the current segment; its performer is then current.
    pub(super) fn attach(&mut self, continuation: Continuation) {
        let (head, same_place) = dispatch::attach(&mut self.segments, continuation, self.current_segment);
        self.detached -= 1;
        if !same_place {
            self.epoch += 1;
        }
        self.current_segment = head;
    }

    /// The clause of this continuation has no `K`: its frame alone stands for it, until [`Vm::held_by`].
    #[expect(clippy::unused_self, reason = "the counterpart of `held_by`")]
    pub(super) fn leave_to_frame(&self, continuation: Continuation) {
        let Continuation { .. } = continuation;
    }

    /// The continuation that the frame of a clause without `K` stood for.
    pub(super) fn held_by(&self, prompt: SegmentId) -> Continuation {
        let capture = self.segments[prompt].marker.expect("a clause without K waits for a detached body (semantics 3)");
        Continuation { prompt, capture }
    }

    pub(super) fn add_native(&mut self, native: Box<dyn Native<W>>) -> NativeId {
        let shared = Some(Shared { native, prompts: 1, open: false, unstarted: 0 });
        if let Some(id) = self.free_natives.pop() {
            self.natives[id.0 as usize] = shared;
            return id;
        }
        let index = u32::try_from(self.natives.len()).expect("a run holds fewer than 2^32 installations");
        self.natives.push(shared);
        NativeId(index)
    }

    pub(super) fn native_of(&self, prompt: SegmentId) -> NativeId {
        let native = self.segments[prompt].prompt().and_then(|prompt| prompt.native);
        native.expect("a native clause belongs to a native installation")
    }

    pub(super) fn native(&mut self, id: NativeId) -> &mut dyn Native<W> {
        let shared = self.natives[id.0 as usize].as_mut();
        &mut *shared.expect("a native installation lives as long as its prompts").native
    }

    pub(super) fn share_native(&mut self, id: Option<NativeId>) {
        if let Some(shared) = id.and_then(|id| self.natives[id.0 as usize].as_mut()) {
            shared.prompts += 1;
        }
    }

    pub(super) fn release_native(&mut self, host: &mut impl Host<W>, id: NativeId) {
        let slot = &mut self.natives[id.0 as usize];
        if let Some(shared) = slot {
            shared.prompts -= 1;
            if shared.prompts == 0
                && let Some(shared) = slot.take()
            {
                self.free_natives.push(id);
                self.unstarted -= shared.unstarted;
                let mut native = shared.native;
                self.unobserved.extend(native.unobserved(host));
                native.release(host);
            }
        }
    }
}
