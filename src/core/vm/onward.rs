//! The next call at once: what a generator yielded is evaluated as soon as it is received, without a mode between.
//!
//! ```text
//!   long   outcome ─► receive ─► HandleYield ─► turn ─► event
//!   short  outcome ─► advance_with ────────────────────► event
//! ```

use std::ops::ControlFlow;

use super::Vm;
use crate::core::host::{Host, World};
use crate::core::step::{Event, Mode, Outcome, Place};

impl<W: World> Vm<W> {
    /// Feeds what came of the last event, and runs until user code is needed again, or the run ended: `receive`, then
    /// `advance`.
    pub fn advance_with(&mut self, host: &mut impl Host<W>, outcome: Outcome<W>) -> Event<W> {
        match outcome {
            Outcome::Yielded(code, value) if self.is_quiet() => {
                self.push_program(code);
                self.current().pending_python = None;
                if self.segments.has_room() && self.segments[self.current_segment].has_room() {
                    let ctrl = host.classify(value);
                    if let ControlFlow::Break(event) = self.evaluate(host, ctrl, Place::Yield) {
                        return event;
                    }
                } else {
                    self.current().mode = Mode::HandleYield(value, Place::Yield);
                }
            }
            outcome => self.receive(host, outcome),
        }
        self.advance(host)
    }
}
