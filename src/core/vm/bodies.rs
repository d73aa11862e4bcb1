//! A native handler that holds the bodies of its installation and says which one runs: what a scheduler is made of
//! (semantics 7).
//!
//! ```text
//!   running body ──caller──► … ──caller──► prompt ──caller──► parent: …, Block, Running
//!   held body    ──caller──► … ──caller──► prompt
//! ```
//!
//! Each body is a chain that ends in a prompt of the same installation. `Block` waits for what all of it comes to,
//! `Running` for what the one that runs comes to; a switch detaches one chain and attaches another, O(1).

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use super::{Flow, Vm, fault};
use crate::core::body::Body;
use crate::core::fault::Fault;
use crate::core::frame::{Continuation, Frame, Resumption};
use crate::core::host::{Host, World};
use crate::core::ids::{NativeId, SegmentId};
use crate::core::native::{Next, Surroundings};
use crate::core::segment::{Hooks, Prompt};
use crate::core::step::{Event, Mode, Place, StepKind};
use crate::core::trace;

/// How much is left of the slice of an installation's running body.
pub(super) struct Slice {
    native: NativeId,
    left: u64,
}

impl<W: World> Vm<W> {
    /// The installation holds its bodies: the block waits here, and its program is the first body, which only answers.
    pub(super) fn open_block(&mut self, host: &mut impl Host<W>, prompt: Prompt<W>, native: NativeId) -> Prompt<W> {
        let handler = host.clone_handler(&prompt.handler);
        self.share_native(Some(native));
        let (run, tally, driven) =
            (self.run.clone(), self.meter.tally().clone(), self.driven && self.holder().is_none());
        self.native(native).opened(&Surroundings { run: &run, tally: &tally, driven });
        if let Some(left) = self.native(native).slice().map(NonZeroU64::get) {
            self.sliced.push(Slice { native, left });
        }
        self.set_open(native, true);
        self.push_frame(Frame::Block(Box::new(prompt)));
        self.push_frame(Frame::Running(native));
        Prompt::fork(handler, Some(native), Hooks::none())
    }

    /// The running body waits; its handler says who goes on.
    pub(super) fn suspend(&mut self, host: &mut impl Host<W>, prompt: SegmentId, effect: W::Value) -> Flow<W> {
        match self.leave_turn(host, prompt, effect) {
            Ok((native, next)) => self.turn_over(host, native, next),
            Err(flow) => flow,
        }
    }

    /// The same: gives what its handler says. The frame that waited for the body still stands, for the next one.
    ///
    /// # Errors
    /// It cannot wait.
    pub(super) fn leave_turn(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        effect: W::Value,
    ) -> Result<(NativeId, Next<W>), Flow<W>> {
        let native = self.native_of(prompt);
        if !self.runs(prompt, native) {
            host.discard(effect);
            return Err(fault(Fault::NotRunning));
        }
        if self.closing {
            host.discard(effect);
            return Err(fault(Fault::Closed));
        }
        if self.driven {
            host.performs_in(self.segments[self.current_segment].context.and_then(|id| self.contexts.get(id)));
        }
        let body = self.capture(prompt);
        Ok((native, self.native(native).suspended(host, effect, body)))
    }

    /// The turn of that body is over, and what its handler said happens.
    pub(super) fn turn_over(&mut self, host: &mut impl Host<W>, native: NativeId, next: Next<W>) -> Flow<W> {
        self.current().frames.pop();
        self.go_on(host, native, next)
    }

    /// Whether the prompt is that of the installation's running body, and not of a fork that somebody else made.
    pub(super) fn runs(&self, prompt: SegmentId, native: NativeId) -> bool {
        let parent = self.segments[prompt].caller;
        let waiting = parent.and_then(|parent| self.segments[parent].frames.last());
        matches!(waiting, Some(Frame::Running(known)) if *known == native)
    }

    /// The running body came to its end.
    pub(super) fn body_ended(
        &mut self,
        host: &mut impl Host<W>,
        native: NativeId,
        outcome: Result<W::Value, W::Error>,
    ) -> Flow<W> {
        let next = self.native(native).ended(host, outcome);
        self.go_on(host, native, next)
    }

    fn go_on(&mut self, host: &mut impl Host<W>, mut native: NativeId, mut next: Next<W>) -> Flow<W> {
        // Who idles inside of a body of another handler leaves the turn to that one.
        while let Next::Idle(at_most) = next {
            self.push_frame(Frame::Idle(native));
            if self.closing {
                return fault(Fault::Closed);
            }
            let Some((prompt, outer)) = self.holder() else { return ControlFlow::Break(Event::Idle(at_most)) };
            let body = self.leave_body(prompt);
            next = self.native(outer).idles(host, body, at_most);
            native = outer;
        }
        match next {
            Next::Start(body) => self.start_body(host, native, body),
            // It may have given way before its effect, which nobody performs now; or not have started.
            Next::Resume(body, Resumption::Error(error)) => {
                self.enter_body(host, native, body);
                self.interrupted_by(host, error);
                ControlFlow::Continue(())
            }
            Next::Resume(Body::Detached(body), Resumption::Value(value)) => {
                self.enter_body(host, native, body.into());
                let value = self.count(host, StepKind::Exit, value)?;
                self.proceed(Mode::Deliver(value))
            }
            Next::Resume(body, Resumption::Value(value)) => {
                host.discard(value);
                self.start_body(host, native, body)
            }
            Next::Refuse(body, mut refusal) => {
                self.enter_body(host, native, body);
                if let Fault::Deadlock(stuck) = &mut refusal {
                    self.find_places(host, stuck);
                }
                fault(refusal)
            }
            Next::Again(body) => {
                self.enter_body(host, native, body);
                ControlFlow::Continue(())
            }
            Next::Fail(error) => {
                self.close_block(native);
                fault(error)
            }
            Next::Finish(outcome) => {
                self.close_block(native);
                self.proceed(match outcome {
                    Ok(value) => Mode::Deliver(value),
                    Err(error) => Mode::Throw(error),
                })
            }
            Next::Idle(_) => fault(Fault::Internal("who idles has left the turn")),
        }
    }

    fn start_body(&mut self, host: &mut impl Host<W>, native: NativeId, body: Body<W>) -> Flow<W> {
        let starts = body.chain().is_none();
        self.enter_body(host, native, body);
        if starts {
            return ControlFlow::Continue(());
        }
        let unit = host.unit();
        self.proceed(Mode::Deliver(unit))
    }

    /// The running body of that prompt is detached, with the frame that waits for it.
    fn leave_body(&mut self, prompt: SegmentId) -> Continuation {
        let body = self.capture(prompt);
        self.current().frames.pop();
        body
    }

    fn enter_body(&mut self, host: &mut impl Host<W>, native: NativeId, body: Body<W>) {
        self.renew_slice(native);
        self.push_frame(Frame::Running(native));
        match body {
            Body::Unstarted(unstarted) => self.start(host, native, unstarted),
            Body::Detached(chain) => self.attach(chain),
        }
    }

    fn close_block(&mut self, native: NativeId) {
        self.set_open(native, false);
        self.sliced.retain(|slice| slice.native != native);
    }

    /// The nearest handler that holds its bodies and whose running body this is a part of, and its prompt there.
    pub(super) fn holder(&self) -> Option<(SegmentId, NativeId)> {
        trace::outward(&self.segments, self.current_segment).find_map(|(id, segment)| {
            let native = segment.prompt()?.native?;
            self.runs(id, native).then_some((id, native))
        })
    }

    fn set_open(&mut self, native: NativeId, open: bool) {
        if let Some(shared) = &mut self.natives[native.0 as usize] {
            shared.open = open;
        }
    }

    /// The wait is over, or an error interrupted it.
    pub(super) fn woken(&mut self, host: &mut impl Host<W>, native: NativeId, how: Result<(), W::Error>) -> Flow<W> {
        let next = self.native(native).woken(host, how);
        self.go_on(host, native, next)
    }

    /// A thunk is asked for that is being computed. By its own computation that is a cycle; by another body it is waited
    /// for, where a handler holds the bodies.
    pub(super) fn stall(&mut self, host: &mut impl Host<W>, effect: W::Value, thunk: W::Value) -> Flow<W> {
        let own = trace::outward(&self.segments, self.current_segment).any(|(_, segment)| {
            let computes =
                |frame: &Frame<W>| matches!(frame, Frame::Evaluated(_, known) if host.same_value(known, &thunk));
            segment.frames.iter().any(computes)
        });
        let Some((prompt, native)) = self.holder().filter(|_| !own && !self.closing) else {
            host.discard(effect);
            return fault(Fault::Cycle(thunk));
        };
        host.discard(thunk);
        self.current().mode = Mode::HandleYield(host.clone_value(&effect), Place::Node);
        let body = self.leave_body(prompt);
        let next = self.native(native).stalled(host, effect, body);
        self.go_on(host, native, next)
    }

    /// A thunk was computed, or not: whoever waits for it asks again.
    pub(super) fn unstall(&mut self) {
        for shared in self.natives.iter_mut().flatten() {
            shared.native.unstalled();
        }
    }

    fn renew_slice(&mut self, native: NativeId) {
        if self.sliced.is_empty() {
            return;
        }
        let whole = self.native(native).slice().map_or(u64::MAX, NonZeroU64::get);
        if let Some(slice) = self.sliced.iter_mut().find(|slice| slice.native == native) {
            slice.left = whole;
        }
    }

    /// An effect is about to be performed: it counts for each slice around it. A body whose slice is used up gives way
    /// first, and performs the effect when it is its turn again.
    pub(super) fn slice(
        &mut self,
        host: &mut impl Host<W>,
        effect: W::Value,
    ) -> ControlFlow<Event<W>, Option<W::Value>> {
        for at in 0..self.sliced.len() {
            let native = self.sliced[at].native;
            let own = trace::outward(&self.segments, self.current_segment)
                .find(|(_, segment)| segment.prompt().is_some_and(|prompt| prompt.native == Some(native)));
            let Some((prompt, _)) = own.filter(|(prompt, _)| self.runs(*prompt, native)) else { continue };
            if self.sliced[at].left > 0 {
                self.sliced[at].left -= 1;
                continue;
            }
            self.current().mode = Mode::HandleYield(effect, Place::Node);
            let body = self.leave_body(prompt);
            let next = self.native(native).preempted(host, body);
            self.go_on(host, native, next)?;
            return ControlFlow::Continue(None);
        }
        ControlFlow::Continue(Some(effect))
    }
}
