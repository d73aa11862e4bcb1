//! Bodies take turns on the short way.
//!
//! A handler that holds bodies is asked once, and what it says is final. Where the performer is to wait, its body is
//! detached as on the long way, and if whoever goes on is a program that waits for a value, the driver has its generator.

use super::{NewBody, Reply};
use crate::core::body::Body;
use crate::core::frame::Resumption;
use crate::core::host::{Host, World};
use crate::core::ids::{ClauseId, NativeId, SegmentId};
use crate::core::native::{Answer, Next};
use crate::core::step::Mode;
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

    /// What follows [`Reply::Said`]: gives the generator that goes on, and with what, in the
    /// [context](Vm::context) that is then current.
    ///
    /// # Errors
    /// How the machine goes on, where that is the long way.
    pub fn follow(
        &mut self,
        host: &mut impl Host<W>,
        code: W::Code,
        effect: W::Value,
        prompt: SegmentId,
        answer: Answer<W>,
    ) -> Result<(W::Code, W::Value), Flow<W>> {
        self.push_program(code);
        self.current().pending_python = None;
        match answer {
            Answer::Suspend => {
                let (native, next) = self.leave_turn(host, prompt, effect)?;
                self.take_turn(host, native, next)
            }
            answer => Err(self.answered(host, prompt, effect, answer)),
        }
    }

    /// Who has the turn goes on: gives its generator, if that waits for a value.
    fn take_turn(
        &mut self,
        host: &mut impl Host<W>,
        native: NativeId,
        next: Next<W>,
    ) -> Result<(W::Code, W::Value), Flow<W>> {
        let (body, value) = match next {
            Next::Resume(Body::Detached(body), Resumption::Value(value)) if self.may_go_on() => (body, value),
            next => return Err(self.turn_over(host, native, next)),
        };
        self.attach(body);
        self.meter.make_one();
        match self.pop_program() {
            Some(code) => Ok((code, value)),
            None => Err(self.proceed(Mode::Deliver(value))),
        }
    }
}
