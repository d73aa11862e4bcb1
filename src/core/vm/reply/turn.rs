//! Bodies take turns on the short way.
//!
//! A handler that holds bodies is asked once, and what it says is final. Where the performer is to wait, its body is
//! detached as on the long way, and if whoever goes on is a program that waits for a value, the driver has its generator.

use std::ops::ControlFlow;

use super::{NewBody, Reply};
use crate::core::body::Body;
use crate::core::frame::Resumption;
use crate::core::host::{Host, World};
use crate::core::ids::{ClauseId, NativeId, SegmentId};
use crate::core::native::{Answer, Next};
use crate::core::segment::Kind;
use crate::core::step::{Event, Mode, PythonCall};
use crate::core::vm::{Flow, Vm};

impl<W: World> Vm<W> {
    /// The reply of a handler that holds bodies to what a generator yielded.
    #[inline(never)]
    pub(super) fn reply_of_holder(
        &mut self,
        host: &mut impl Host<W>,
        native: NativeId,
        prompt: SegmentId,
        clause: ClauseId,
        effect: &W::Value,
    ) -> Reply<W> {
        if !self.segments[self.current_segment].has_room_for(2) {
            return Reply::Long;
        }
        self.meter.make(1);
        match self.native(native).answer(host, clause, effect) {
            Answer::Value(value) => {
                self.meter.make_one();
                Reply::Value(value)
            }
            Answer::Branch(program) if self.branches_at_once(prompt, native) => {
                self.meter.make_one();
                Reply::Branch(NewBody { native, program, effect: None })
            }
            answer => Reply::Said(prompt, answer),
        }
    }

    /// Whether nothing is to be forked for a new body, and nothing forbids it.
    pub(super) fn branches_at_once(&self, prompt: SegmentId, native: NativeId) -> bool {
        self.current_segment == prompt && self.runs(prompt, native) && self.meter.can_open(self.live_segments())
    }

    /// What follows [`Reply::Said`], up to the user code that is next where that is at hand.
    pub fn follow(
        &mut self,
        host: &mut impl Host<W>,
        code: W::Code,
        effect: W::Value,
        prompt: SegmentId,
        answer: Answer<W>,
    ) -> Flow<W> {
        self.push_program(code);
        self.current().pending_python = None;
        match answer {
            Answer::Suspend => match self.leave_turn(host, prompt, effect) {
                Ok((native, next)) => self.take_turn(host, native, next),
                Err(flow) => flow,
            },
            answer => self.answered(host, prompt, effect, answer),
        }
    }

    /// Whether the current segment is that of the running body of a handler that holds it, and nothing waits in it.
    #[must_use]
    pub fn ends_body(&self) -> Option<NativeId> {
        let segment = &self.segments[self.current_segment];
        let native = segment.prompt().filter(|prompt| prompt.forked && !prompt.unwinding)?.native?;
        (segment.frames.is_empty() && self.runs(self.current_segment, native) && self.is_quiet()).then_some(native)
    }

    /// The running body came to that value, and somebody else has the turn: up to the user code that is next where that is at
    /// hand.
    pub fn end_body(&mut self, host: &mut impl Host<W>, native: NativeId, value: W::Value) -> Flow<W> {
        let Kind::Prompt(prompt) = self.close_segment(host) else { unreachable!("a body that ends has a prompt") };
        host.discard_handler(prompt.handler);
        self.release_native(host, native);
        let next = self.native(native).ended(host, Ok(value));
        self.take_turn(host, native, next)
    }

    /// Who has the turn goes on. The frame that waits for the body still stands. Nobody here has a slice: whose turns have bounds
    /// takes the long way.
    fn take_turn(&mut self, host: &mut impl Host<W>, native: NativeId, next: Next<W>) -> Flow<W> {
        match next {
            Next::Resume(Body::Detached(body), Resumption::Value(value)) if self.may_go_on() => {
                self.attach(body);
                self.meter.make_one();
                match self.pop_program() {
                    Some(code) => ControlFlow::Break(Event::Python(PythonCall::Send(code, value))),
                    None => self.proceed(Mode::Deliver(value)),
                }
            }
            Next::Start(Body::Unstarted(unstarted)) => {
                self.start(host, native, unstarted);
                ControlFlow::Continue(())
            }
            next => self.turn_over(host, native, next),
        }
    }
}
