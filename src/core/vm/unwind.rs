//! A continuation is let go: its open blocks run, their effects are handled. Law: semantics 3.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::resume::{discard_clause, discard_resumption};
use super::{Flow, Vm, fault};
use crate::core::dispatch;
use crate::core::fault::{Cause, Fault, Unobserved};
use crate::core::frame::{Continuation, Departure, Frame, Resumption, Then, Unwinding};
use crate::core::host::{Host, World};
use crate::core::ids::SegmentId;
use crate::core::limits::Permit;
use crate::core::segment::Kind;
use crate::core::step::{Event, Mode};
use crate::core::trace;

impl<W: World> Vm<W> {
    /// Throws a new `Discontinued` into the continuation, here.
    pub(super) fn unwind(&mut self, host: &mut impl Host<W>, continuation: Continuation, then: Then<W>) -> Flow<W> {
        let thrown = host.discontinued();
        let known = host.clone_error(&thrown);
        if let Kind::Prompt(prompt) = &mut self.segments[continuation.prompt].kind {
            prompt.unwinding = true;
        }
        self.push_frame(Frame::Unwinding(Box::new(Unwinding { thrown: known, then })));
        self.continue_with(host, continuation, Resumption::Error(thrown))
    }

    /// The unwinding is over: what was to follow follows.
    pub(super) fn unwound(&mut self, host: &mut impl Host<W>, then: Then<W>) -> Flow<W> {
        match then {
            Then::Deliver(value) => self.proceed(Mode::Deliver(value)),
            Then::Unit => {
                let unit = host.unit();
                self.proceed(Mode::Deliver(unit))
            }
            Then::Ended(value) => fault(Fault::TaskEnded(value)),
            Then::Leave(clause, departure) => self.hand_over(host, clause, departure),
            Then::Attach(target, how) => self.continue_with(host, target, how),
        }
    }

    /// An error reached an unwinding: its own is swallowed, any other goes on in place of what was to follow.
    pub(super) fn unwinding_met(
        &mut self,
        host: &mut impl Host<W>,
        unwinding: Unwinding<W>,
        error: W::Error,
    ) -> Flow<W> {
        let Unwinding { thrown, then } = unwinding;
        let swallowed = host.same_error(&error, &thrown);
        host.discard_error(thrown);
        if swallowed {
            host.discard_error(error);
            return self.unwound(host, then);
        }
        match then {
            Then::Deliver(value) | Then::Ended(value) => host.discard(value),
            Then::Unit => {}
            Then::Attach(target, how) => {
                self.run.post(target);
                discard_resumption(host, how);
            }
            Then::Leave(clause, departure) => return self.departure_failed(host, clause, departure, error),
        }
        self.proceed(Mode::Throw(error))
    }

    /// Between two steps: lost continuations are unwound, and somebody may look at the signals.
    #[cold]
    pub(super) fn safepoint(&mut self, host: &mut impl Host<W>) -> Flow<W> {
        self.run.acknowledge();
        if let Some(lost) = self.run.take_lost() {
            self.run.ask_again();
            if dispatch::is_valid(&self.segments, &lost) {
                return self.detour(host, lost);
            }
            return ControlFlow::Continue(());
        }
        if matches!(self.current().mode, Mode::HandleYield(..)) {
            match self.meter.between_steps() {
                Permit::Granted => {}
                Permit::Exceeded(bound) => {
                    self.run.ask_again();
                    return fault(Fault::Exceeded(bound));
                }
                Permit::Exhausted => return ControlFlow::Break(Event::Exhausted),
            }
            if self.run.take_interrupt() {
                return ControlFlow::Break(Event::Attention);
            }
        } else {
            self.run.ask_again();
        }
        ControlFlow::Continue(())
    }

    /// Whether `enter` is done or a resource acquired, and what ends the block is not in place yet: nothing may come
    /// between, or the block would never be left.
    #[cold]
    pub(super) fn opens_a_block(&self) -> bool {
        let segment = &self.segments[self.current_segment];
        let opening = matches!(segment.frames.last(), Some(Frame::Enter(_) | Frame::Acquired(..)));
        opening && matches!(segment.mode, Mode::Deliver(_))
    }

    /// Unwinds a lost continuation at the root of the run; what was about to happen waits on its own segment (INV-3).
    fn detour(&mut self, host: &mut impl Host<W>, lost: Continuation) -> Flow<W> {
        let back = self.current_segment;
        let origin = match self.segments[lost.prompt].head {
            Some(head) => trace::origin(&self.segments, host, head),
            None => None,
        };
        let detour = self.segments.open();
        self.segments[detour].kind = Kind::Detour { back, origin };
        self.current_segment = detour;
        self.unwind(host, lost, Then::Unit)
    }

    /// A lost continuation is unwound.
    pub(super) fn end_detour(
        &mut self,
        host: &mut impl Host<W>,
        back: SegmentId,
        origin: Option<W::Value>,
        result: Result<W::Value, W::Error>,
    ) -> Flow<W> {
        self.current_segment = back;
        match result {
            Ok(value) => host.discard(value),
            Err(error) if host.is_exception(&error) => {
                self.unobserved.push(Unobserved { cause: Cause::Error(error), origin });
                return ControlFlow::Continue(());
            }
            Err(error) => self.interrupted_by(host, error),
        }
        if let Some(origin) = origin {
            host.discard(origin);
        }
        ControlFlow::Continue(())
    }

    /// The root returned: what is still kept is unwound in the order of capture, then the run is over.
    pub(super) fn end_run(&mut self, host: &mut impl Host<W>, result: Result<W::Value, W::Error>) -> Flow<W> {
        while self.detached > 0 {
            let Some(kept) = self.leftovers.pop() else {
                self.leftovers = self.left_over();
                continue;
            };
            if dispatch::is_valid(&self.segments, &kept) {
                self.run.unwinds(&kept);
                self.current().mode = match result {
                    Ok(value) => Mode::Return(value),
                    Err(error) => Mode::Throw(error),
                };
                return self.detour(host, kept);
            }
        }
        self.run.finish();
        ControlFlow::Break(match result {
            Ok(value) => Event::Done(value),
            Err(error) => Event::Failed(error),
        })
    }

    /// The chains that nobody let go, the first captured last. A chain whose clause is still at work inside another one,
    /// or to which one is about to move, is that clause's to end, and comes to its turn when there is no other.
    fn left_over(&self) -> Vec<Continuation> {
        let mut waiting: HashSet<SegmentId> = HashSet::new();
        for frame in self.segments.iter().flat_map(|(_, segment)| &segment.frames) {
            match frame {
                Frame::Clause(clause) if self.segments.holds(clause.prompt, clause.birth) => {
                    waiting.insert(clause.prompt);
                }
                Frame::Evaluated(prompt, _) | Frame::Forwarded(prompt) | Frame::Branching(prompt, _) => {
                    waiting.insert(*prompt);
                }
                Frame::Unwinding(unwinding) => match &unwinding.then {
                    Then::Leave(clause, departure) => {
                        if self.segments.holds(clause.prompt, clause.birth) {
                            waiting.insert(clause.prompt);
                        }
                        if let Departure::Other(target, _) = departure {
                            waiting.insert(target.prompt);
                        }
                    }
                    Then::Attach(target, _) => {
                        waiting.insert(target.prompt);
                    }
                    Then::Deliver(_) | Then::Ended(_) | Then::Unit => {}
                },
                _ => {}
            }
        }
        // The bodies of a block that may go on are its handler's to end.
        for shared in self.natives.iter().flatten().filter(|shared| shared.open) {
            shared.native.holds(&mut |body| {
                waiting.insert(body.prompt);
            });
        }
        let detached = self
            .segments
            .iter()
            .filter_map(|(prompt, segment)| segment.marker.map(|capture| Continuation { prompt, capture }));
        let (held, mut free): (Vec<_>, Vec<_>) = detached.partition(|one| waiting.contains(&one.prompt));
        // What a clause still holds may be free when the first one is unwound: then it has its turn in order.
        let settled = held.is_empty();
        if free.is_empty() {
            free = held;
        }
        free.sort_by_key(|one| std::cmp::Reverse(one.capture));
        if settled { free } else { free.pop().into_iter().collect() }
    }
}

/// Hands what a frame holds to the host.
pub(super) fn discard_frame<W: World>(host: &mut impl Host<W>, frame: Frame<W>) {
    match frame {
        Frame::Program(code) => host.discard_code(code),
        Frame::Clause(clause) => discard_clause(host, clause),
        Frame::Map(value)
        | Frame::FlatMap(value)
        | Frame::Start(value)
        | Frame::AfterValue(value)
        | Frame::Settle(_, value)
        | Frame::Branching(_, value)
        | Frame::Evaluated(_, value) => host.discard(value),
        Frame::Acquired(one, other) | Frame::Release(one, other) => {
            host.discard(one);
            host.discard(other);
        }
        Frame::AfterError(error) => host.discard_error(error),
        Frame::Exit(handler) => host.discard_handler(handler),
        Frame::Block(prompt) => host.discard_handler(prompt.handler),
        Frame::Enter(entering) => {
            host.discard_handler(entering.handler);
            host.discard(entering.program);
        }
        Frame::Inheriting(inheriting) => super::inherit::discard(host, *inheriting),
        Frame::Unwinding(unwinding) => {
            host.discard_error(unwinding.thrown);
            match unwinding.then {
                Then::Deliver(value) | Then::Ended(value) => host.discard(value),
                Then::Attach(_, how) => discard_resumption(host, how),
                Then::Leave(clause, departure) => {
                    discard_clause(host, clause);
                    if let Departure::Own(_, how) | Departure::Other(_, how) = departure {
                        discard_resumption(host, how);
                    }
                }
                Then::Unit => {}
            }
        }
        Frame::Try
        | Frame::Intercepted
        | Frame::Answer(..)
        | Frame::Forwarded(_)
        | Frame::Running(_)
        | Frame::Idle(_) => {}
    }
}
