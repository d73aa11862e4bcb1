//! The next call at once: from what came of user code to the user code that is next, without a mode between them.
//!
//! ```text
//!   long   outcome ─► receive ─► mode ─► turn ─► mode ─► … ─► turn ─► event
//!   short  outcome ─► advance_with ─────────────────────────────────► event
//! ```
//!
//! The frames are pushed and popped as on the long way, so that each transition here is one of there with the modes left
//! out, and may stop at any point: what is not plain is left to the next turn. Open where the way of a [`Reply`] is.
//!
//! [`Reply`]: super::Reply

use std::ops::ControlFlow;

use super::resume::discard_clause;
use super::{Flow, Vm};
use crate::core::dispatch;
use crate::core::frame::{ClauseFrame, Frame, Role};
use crate::core::host::{Host, World};
use crate::core::segment::Way;
use crate::core::step::{Event, Mode, Outcome, Place};

/// What the short way came to.
enum Short<W: World> {
    /// An event, or a mode for the next turn.
    Flow(Flow<W>),
    /// Nothing yet: the outcome is to be received.
    Long(Outcome<W>),
}

impl<W: World> Vm<W> {
    /// Feeds what came of the last event, and runs until user code is needed again, or the run ended: `receive`, then
    /// `advance`.
    pub fn advance_with(&mut self, host: &mut impl Host<W>, outcome: Outcome<W>) -> Event<W> {
        match self.onward(host, outcome) {
            Short::Flow(ControlFlow::Break(event)) => return event,
            Short::Flow(ControlFlow::Continue(())) => {}
            Short::Long(outcome) => self.receive(host, outcome),
        }
        self.advance(host)
    }

    #[inline]
    fn onward(&mut self, host: &mut impl Host<W>, outcome: Outcome<W>) -> Short<W> {
        if !self.is_quiet() {
            return Short::Long(outcome);
        }
        match outcome {
            Outcome::Yielded(code, value) => Short::Flow(self.yielded(host, code, value)),
            Outcome::Returned(value) => self.returned(host, value),
            outcome => Short::Long(outcome),
        }
    }

    /// A generator yielded.
    fn yielded(&mut self, host: &mut impl Host<W>, code: W::Code, value: W::Value) -> Flow<W> {
        let known = dispatch::remembered(&self.segments[self.current_segment], host, self.epoch, &value);
        let clause = match known.map(|known| (known.way, known.prompt, known.clause)) {
            Some((Way::Control, prompt, clause)) => Some((Role::Control, prompt, clause)),
            Some((Way::Program, prompt, clause)) => Some((Role::Value, prompt, clause)),
            _ => None,
        };
        self.push_program(code);
        self.current().pending_python = None;
        if !(self.segments.has_room() && self.segments[self.current_segment].has_room()) {
            return self.proceed(Mode::HandleYield(value, Place::Yield));
        }
        match clause {
            Some((role, prompt, clause)) => {
                self.meter.make_one();
                self.start_clause(host, prompt, clause, value, role)
            }
            None => {
                let ctrl = host.classify(value);
                self.evaluate(host, ctrl, Place::Yield)
            }
        }
    }

    /// A function or a generator gave a value.
    fn returned(&mut self, host: &mut impl Host<W>, value: W::Value) -> Short<W> {
        match self.current().frames.last() {
            Some(Frame::Program(_)) => Short::Flow(self.deliver(host, value)),
            Some(Frame::Answer(..)) => {
                self.current().frames.pop();
                self.meter.make_one();
                Short::Flow(self.deliver(host, value))
            }
            Some(Frame::Clause(clause)) if !clause.settled => {
                let Some(Frame::Clause(clause)) = self.current().frames.pop() else { unreachable!("it was looked at") };
                self.current().pending_python = None;
                Short::Flow(self.clause_gave(host, clause, value))
            }
            _ => Short::Long(Outcome::Returned(value)),
        }
    }

    /// A clause gave its answer, or what the block came to that it resumed. Other ends are left to the next turn.
    fn clause_gave(&mut self, host: &mut impl Host<W>, clause: ClauseFrame<W>, value: W::Value) -> Flow<W> {
        let is_done = clause.k.as_ref().is_none_or(|k| host.cell(k).is_spent());
        if !is_done || host.ends_clause(&value, clause.k.as_ref()) {
            self.push_frame(Frame::Clause(clause));
            return self.proceed(Mode::Deliver(value));
        }
        self.meter.make_one();
        let (role, prompt) = (clause.role, clause.prompt);
        discard_clause(host, clause);
        if role == Role::Value {
            let body = self.held_by(prompt);
            self.attach(body);
        }
        if matches!(self.current().frames.last(), Some(Frame::Program(_))) {
            return self.deliver(host, value);
        }
        self.proceed(Mode::Deliver(value))
    }
}
