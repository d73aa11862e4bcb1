//! The short way of an effect: answered while the driver still holds the generator that yielded it.
//!
//! ```text
//!   long   yield ─► receive ─► frame ─► HandleYield ─► dispatch ─► Deliver ─► frame ─► send
//!   short  yield ─► reply ─────────────────────────────────────────────────────────► send
//! ```
//!
//! It is open where nothing else is to be seen: the route is remembered, nobody watches, intercepts, slices or asks for
//! attention, no bound is near. Whatever is not plain goes the long way, from the start or from where the clause stands.

use super::Vm;
use crate::core::dispatch;
use crate::core::frame::Frame;
use crate::core::host::{Host, World};
use crate::core::ids::{ClauseId, SegmentId};
use crate::core::segment::Way;
use crate::core::step::{Pending, Watch};

/// What becomes of an effect whose generator the driver holds.
pub enum Reply<W: World> {
    /// It goes the long way: the machine is to receive it.
    Long,
    /// The answer.
    Value(W::Value),
    /// This value clause gives it; the driver calls it.
    Clause(W::Handler, ClauseId, SegmentId),
}

impl<W: World> Vm<W> {
    /// Replies to what a generator yielded, if that is an effect and can be answered on the short way.
    #[inline]
    pub fn reply(&mut self, host: &mut impl Host<W>, effect: &W::Value) -> Reply<W> {
        if !self.is_quiet() {
            return Reply::Long;
        }
        let Some(known) = dispatch::remembered(&self.segments[self.current_segment], host, self.epoch, effect) else {
            return Reply::Long;
        };
        let (prompt, clause) = (known.prompt, known.clause);
        match known.way {
            Way::Native(native) => match self.native(native).reply(host, clause, effect) {
                Some(value) => {
                    self.meter.make(2);
                    Reply::Value(value)
                }
                None => Reply::Long,
            },
            Way::Value => match self.segments[prompt].prompt() {
                Some(found) => {
                    let handler = host.clone_handler(&found.handler);
                    self.meter.make(1);
                    Reply::Clause(handler, clause, prompt)
                }
                None => Reply::Long,
            },
            Way::Other => Reply::Long,
        }
    }

    /// The clause of [`Reply::Clause`] gave its value.
    #[inline]
    pub const fn replied(&mut self) {
        self.meter.make(1);
    }

    /// The clause of [`Reply::Clause`] did something else, or may not go on: from here it is the long way.
    pub fn take_over(&mut self, code: W::Code, prompt: SegmentId, clause: ClauseId) {
        self.push_program(code);
        self.push_frame(Frame::Answer(prompt, clause));
        self.current().pending_python = Some(Pending::Program);
    }

    /// Whether nobody is to see more of an effect than its answer.
    #[inline]
    fn is_quiet(&self) -> bool {
        matches!(self.watch, Watch::Nothing)
            && !self.interceptors.any()
            && self.sliced.is_empty()
            && !self.run.wants_attention()
            && self.meter.can_make(2)
            && matches!(self.segments[self.current_segment].pending_python, Some(Pending::Program))
    }
}
