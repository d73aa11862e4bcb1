//! Continuations go on, and clauses come to their end. Laws: semantics 2 and 3; the table is `specs/ends.md`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{Flow, Vm, fault};
use crate::core::ctrl::Ctrl;
use crate::core::dispatch;
use crate::core::fault::{Fate, Fault, Refusal};
use crate::core::frame::{ClauseFrame, Continuation, Departure, Frame, Resumption, Role, Then, Unwinding};
use crate::core::host::{Host, World};
use crate::core::ids::SegmentId;
use crate::core::segment::Kind;
use crate::core::step::{Mode, StepKind};
use crate::core::trace;

/// How many frames are looked at for the clause that uses a `k`: for messages only.
const USER_FRAMES: usize = 64;

impl<W: World> Vm<W> {
    /// `Resume`: the continuation goes on here, and what waits here waits for it.
    pub(super) fn resume(&mut self, host: &mut impl Host<W>, k: W::Value, how: Resumption<W>) -> Flow<W> {
        let fate = how.fate(Fate::Resumed);
        let by = self.user_label(host, 0);
        let taken = self.take_to_resume(host, &k, fate, by, how);
        host.discard(k);
        match taken {
            Ok((continuation, how)) => self.continue_with(host, continuation, how),
            Err(refused) => fault(refused),
        }
    }

    /// `Transfer`: the nearest clause is finished first, then the continuation goes on in its place.
    pub(super) fn transfer(&mut self, host: &mut impl Host<W>, k: W::Value, how: Resumption<W>) -> Flow<W> {
        let Some((segment, index)) = self.nearest_clause() else {
            discard_resumption(host, how);
            host.discard(k);
            return fault(Fault::OutsideClause("Transfer"));
        };
        let own = self.clause_at(segment, index).and_then(|clause| clause.k.as_ref());
        let own = own.is_some_and(|own| host.same_value(own, &k));
        if let ControlFlow::Break(event) = self.step(StepKind::Exit, || host.clone_value(&k)) {
            discard_resumption(host, how);
            host.discard(k);
            return ControlFlow::Break(event);
        }
        let fate = how.fate(Fate::Transferred);
        let by = self.user_label(host, 0);
        let taken = self.take_to_resume(host, &k, fate, by, how);
        host.discard(k);
        match taken {
            Ok((body, how)) if own => self.depart(host, segment, index, Departure::Own(body, how)),
            Ok((target, how)) => self.depart(host, segment, index, Departure::Other(target, how)),
            Err(refused) => fault(refused),
        }
    }

    /// `Pass`: the nearest clause is finished first, then effect and `k` go outward.
    pub(super) fn pass(&mut self, host: &mut impl Host<W>) -> Flow<W> {
        let Some((segment, index)) = self.nearest_clause() else {
            return fault(Fault::OutsideClause("Pass"));
        };
        // A value clause has no `K` that says so.
        if let Frame::Unwinding(unwinding) = &self.segments[segment].frames[index]
            && matches!(unwinding.then, Then::Leave(_, Departure::Pass(_)))
        {
            return fault(Fault::PassAfterUse);
        }
        let body = match self.clause_at(segment, index) {
            Some(clause) => self.take_fresh(host, clause, Fate::Passed),
            None => None,
        };
        match body {
            Some(body) => self.depart(host, segment, index, Departure::Pass(body)),
            None => fault(Fault::PassAfterUse),
        }
    }

    /// `Delegate`: the nearest clause's effect is performed here.
    pub(super) fn delegate(&mut self, host: &mut impl Host<W>) -> Flow<W> {
        let clause = self.nearest_clause().and_then(|(segment, index)| self.clause_at(segment, index));
        match clause.map(|clause| host.clone_value(&clause.effect)) {
            Some(effect) => self.perform(host, effect),
            None => fault(Fault::OutsideClause("Delegate")),
        }
    }

    /// `GetContinuation`: the nearest clause's own `k`.
    pub(super) fn own_continuation(&mut self, host: &mut impl Host<W>) -> Flow<W> {
        let clause = self.nearest_clause().and_then(|(segment, index)| self.clause_at(segment, index));
        match clause.map(|clause| clause.k.as_ref().map(|k| host.clone_value(k))) {
            Some(Some(k)) => self.proceed(Mode::Deliver(k)),
            Some(None) => fault(Fault::NoContinuation),
            None => fault(Fault::OutsideClause("GetContinuation")),
        }
    }

    /// `Discontinue`: the continuation is unwound here.
    pub(super) fn discontinue(&mut self, host: &mut impl Host<W>, k: W::Value) -> Flow<W> {
        let by = self.user_label(host, 0);
        let taken = self.take(host, &k, Fate::Discontinued, by);
        host.discard(k);
        match taken {
            Ok(continuation) => self.unwind(host, continuation, Then::Unit),
            Err(refusal) => fault(Fault::Refused(refusal)),
        }
    }

    /// A clause returned: its value is an answer, a node for its own end, or what ends the block.
    pub(super) fn clause_returned(
        &mut self,
        host: &mut impl Host<W>,
        mut clause: ClauseFrame<W>,
        value: W::Value,
    ) -> Flow<W> {
        if !clause.settled && host.ends_clause(&value, clause.k.as_ref()) {
            clause.settled = true;
            return self.clause_ends_with(host, clause, value);
        }
        if let ControlFlow::Break(event) = self.step(StepKind::Exit, || host.clone_value(&value)) {
            host.discard(value);
            self.push_frame(Frame::Clause(clause));
            return ControlFlow::Break(event);
        }
        if clause.role == Role::Value {
            let body = self.held_by(clause.prompt);
            discard_clause(host, clause);
            return self.continue_with(host, body, Resumption::Value(value));
        }
        // Neither used nor kept, or kept and not used yet: the clause's value ends the block.
        let ends = clause.k.as_ref().is_some_and(|k| self.unused_prompt(host, k).is_some());
        let forked = ends && self.segments[clause.prompt].prompt().is_some_and(|prompt| prompt.forked);
        match self.take_fresh(host, &clause, Fate::Ended) {
            Some(body) => {
                discard_clause(host, clause);
                self.unwind(host, body, if forked { Then::Ended(value) } else { Then::Deliver(value) })
            }
            None => {
                discard_clause(host, clause);
                if forked { fault(Fault::TaskEnded(value)) } else { self.proceed(Mode::Deliver(value)) }
            }
        }
    }

    /// A clause returned a node for its own `k`, `Pass()` or `Delegate()`: it is evaluated in the clause's place.
    fn clause_ends_with(&mut self, host: &mut impl Host<W>, clause: ClauseFrame<W>, node: W::Value) -> Flow<W> {
        let ctrl = host.classify(node);
        match ctrl {
            Ctrl::Resume(k, how) => self.resume_in_place(host, clause, k, how, Fate::Resumed),
            Ctrl::Transfer(k, how) => self.resume_in_place(host, clause, k, how, Fate::Transferred),
            Ctrl::Discontinue(k) => {
                self.push_frame(Frame::Clause(clause));
                self.discontinue(host, k)
            }
            Ctrl::Pass => match self.take_fresh(host, &clause, Fate::Passed) {
                Some(body) => self.pass_on(host, clause, body),
                None => {
                    discard_clause(host, clause);
                    fault(Fault::PassAfterUse)
                }
            },
            Ctrl::Delegate => {
                let effect = host.clone_value(&clause.effect);
                self.push_frame(Frame::Clause(clause));
                self.perform(host, effect)
            }
            _ => fault(Fault::Internal("a clause ended with a node that does not end one")),
        }
    }

    /// A clause returned a node that continues `k`: that goes on in its place.
    pub(super) fn resume_in_place(
        &mut self,
        host: &mut impl Host<W>,
        clause: ClauseFrame<W>,
        k: W::Value,
        how: Resumption<W>,
        with_value: Fate,
    ) -> Flow<W> {
        let shown = match &how {
            Resumption::Value(value) => value,
            Resumption::Error(_) => &k,
        };
        if let ControlFlow::Break(event) = self.step(StepKind::Exit, || host.clone_value(shown)) {
            discard_resumption(host, how);
            host.discard(k);
            self.push_frame(Frame::Clause(clause));
            return ControlFlow::Break(event);
        }
        let fate = how.fate(with_value);
        let by = self.label_of(host, &clause);
        let taken = self.take_to_resume(host, &k, fate, by, how);
        discard_clause(host, clause);
        host.discard(k);
        match taken {
            Ok((continuation, how)) => self.continue_with(host, continuation, how),
            Err(refused) => fault(refused),
        }
    }

    /// An error leaves a clause: to the performer while its body waits for it, else outward.
    pub(super) fn clause_raised(
        &mut self,
        host: &mut impl Host<W>,
        clause: ClauseFrame<W>,
        error: W::Error,
    ) -> Flow<W> {
        let body = self.take_fresh(host, &clause, Fate::Raised);
        discard_clause(host, clause);
        match body {
            Some(body) => self.continue_with(host, body, Resumption::Error(error)),
            None => self.proceed(Mode::Throw(error)),
        }
    }

    /// Puts an unwinding in the place of the clause's frame, and throws at the yield: first its own open blocks. A
    /// departure that the clause was in the middle of is given up for this one.
    fn depart(
        &mut self,
        host: &mut impl Host<W>,
        segment: SegmentId,
        index: usize,
        departure: Departure<W>,
    ) -> Flow<W> {
        let thrown = host.discontinued();
        let known = host.clone_error(&thrown);
        let clause = match std::mem::replace(&mut self.segments[segment].frames[index], Frame::Try) {
            Frame::Clause(clause) => clause,
            Frame::Unwinding(unwinding) => match *unwinding {
                Unwinding { thrown: earlier, then: Then::Leave(clause, given_up) } => {
                    host.discard_error(earlier);
                    self.give_up(host, &clause, given_up);
                    clause
                }
                _ => return fault(Fault::Internal("a clause is not where it was found")),
            },
            _ => return fault(Fault::Internal("a clause is not where it was found")),
        };
        let then = Then::Leave(clause, departure);
        self.segments[segment].frames[index] = Frame::Unwinding(Box::new(Unwinding { thrown: known, then }));
        self.proceed(Mode::Throw(thrown))
    }

    /// A departure does not happen: what was taken for it is the clause's own again, or lost.
    fn give_up(&mut self, host: &mut impl Host<W>, clause: &ClauseFrame<W>, departure: Departure<W>) {
        match departure {
            Departure::Own(body, how) => {
                discard_resumption(host, how);
                give_back(host, clause, body);
            }
            Departure::Pass(body) => give_back(host, clause, body),
            Departure::Other(target, how) => {
                discard_resumption(host, how);
                self.run.post(target);
            }
        }
    }

    /// The clause's own blocks raised: what it was about to do does not happen.
    pub(super) fn departure_failed(
        &mut self,
        host: &mut impl Host<W>,
        clause: ClauseFrame<W>,
        departure: Departure<W>,
        error: W::Error,
    ) -> Flow<W> {
        self.give_up(host, &clause, departure);
        self.clause_raised(host, clause, error)
    }

    /// The clause's own blocks are done: it hands over.
    pub(super) fn hand_over(
        &mut self,
        host: &mut impl Host<W>,
        clause: ClauseFrame<W>,
        departure: Departure<W>,
    ) -> Flow<W> {
        match departure {
            Departure::Own(body, how) => {
                discard_clause(host, clause);
                self.continue_with(host, body, how)
            }
            Departure::Pass(body) => self.pass_on(host, clause, body),
            Departure::Other(target, how) => {
                let own = self.take_fresh(host, &clause, Fate::Ended);
                discard_clause(host, clause);
                match own {
                    Some(own) => self.unwind(host, own, Then::Attach(target, how)),
                    None => self.continue_with(host, target, how),
                }
            }
        }
    }

    /// Effect and body go to the next handler outside of the clause's own prompt.
    fn pass_on(&mut self, host: &mut impl Host<W>, clause: ClauseFrame<W>, body: Continuation) -> Flow<W> {
        let outside = self.current_segment;
        let ClauseFrame { effect, k, prompt, .. } = clause;
        if let Some(k) = k {
            host.discard(k);
        }
        self.attach(body);
        let target = self.beyond(host, outside, &effect);
        self.dispatch(host, target, effect, Some(prompt))
    }

    /// Attaches a chain here, and goes on at its performer.
    pub(super) fn continue_with(
        &mut self,
        host: &mut impl Host<W>,
        continuation: Continuation,
        how: Resumption<W>,
    ) -> Flow<W> {
        if !dispatch::is_valid(&self.segments, &continuation) {
            discard_resumption(host, how);
            return fault(Fault::Refused(Refusal::Used(Fate::Unwound, None)));
        }
        self.attach(continuation);
        self.proceed(match how {
            Resumption::Value(value) => Mode::Deliver(value),
            Resumption::Error(error) => Mode::Throw(error),
        })
    }

    /// Takes the continuation out of a user's `K`.
    fn take(
        &mut self,
        host: &mut impl Host<W>,
        k: &W::Value,
        fate: Fate,
        by: Option<W::Label>,
    ) -> Result<Continuation, Refusal<W>> {
        if let Some(refusal) = host.cell(k).refusal(&self.run, |label| host.clone_label(label)) {
            if let Some(by) = by {
                host.discard_label(by);
            }
            return Err(refusal);
        }
        let continuation = self.take_out(host, k, fate, by)?;
        if dispatch::is_valid(&self.segments, &continuation) {
            Ok(continuation)
        } else {
            Err(Refusal::Used(Fate::Unwound, None))
        }
    }

    /// Takes it out of a `K` that nothing is known against.
    #[inline]
    pub(super) fn take_out(
        &self,
        host: &mut impl Host<W>,
        k: &W::Value,
        fate: Fate,
        by: Option<W::Label>,
    ) -> Result<Continuation, Refusal<W>> {
        let (continuation, before) = host.cell(k).take(&self.run, fate, by, |label| host.clone_label(label))?;
        if let Some(before) = before {
            host.discard_label(before);
        }
        Ok(continuation)
    }

    /// The same, when it is to go on with something: an unstarted one wants `None` first, and stays usable else.
    fn take_to_resume(
        &mut self,
        host: &mut impl Host<W>,
        k: &W::Value,
        fate: Fate,
        by: Option<W::Label>,
        how: Resumption<W>,
    ) -> Result<(Continuation, Resumption<W>), Fault<W>> {
        let how = match how {
            Resumption::Value(value) if !host.is_unit(&value) && self.is_unstarted(host, k) => {
                if let Some(by) = by {
                    host.discard_label(by);
                }
                return Err(Fault::FirstValue(value));
            }
            how => how,
        };
        match self.take(host, k, fate, by) {
            Ok(continuation) => Ok((continuation, how)),
            Err(refusal) => {
                discard_resumption(host, how);
                Err(Fault::Refused(refusal))
            }
        }
    }

    /// Takes the clause's own body, whatever was said about keeping it.
    fn take_fate(
        &self,
        host: &mut impl Host<W>,
        clause: &ClauseFrame<W>,
        fate: Fate,
    ) -> Result<Continuation, Refusal<W>> {
        match &clause.k {
            Some(k) => {
                if let Some(refusal) = host.cell(k).refusal(&self.run, |label| host.clone_label(label)) {
                    return Err(refusal);
                }
                let by = self.label_of(host, clause);
                self.take_out(host, k, fate, by)
            }
            None => Ok(self.held_by(clause.prompt)),
        }
    }

    /// Takes the clause's own body when it is neither used nor kept.
    fn take_fresh(&self, host: &mut impl Host<W>, clause: &ClauseFrame<W>, fate: Fate) -> Option<Continuation> {
        if is_unused(host, clause) { self.take_fate(host, clause, fate).ok() } else { None }
    }

    pub(super) fn label_of(&self, host: &impl Host<W>, clause: &ClauseFrame<W>) -> Option<W::Label> {
        if !self.segments.holds(clause.prompt, clause.birth) {
            return None;
        }
        let prompt = self.segments[clause.prompt].prompt()?;
        Some(host.label(&prompt.handler, clause.clause))
    }

    /// The clause that uses a `k` here, for messages: the nearest one, if it is near; so many frames were looked at.
    pub(super) fn user_label(&self, host: &impl Host<W>, mut frames: usize) -> Option<W::Label> {
        for (id, segment) in trace::outward(&self.segments, self.current_segment) {
            for index in (0..segment.frames.len()).rev() {
                if let Some(clause) = self.clause_at(id, index) {
                    return self.label_of(host, clause);
                }
                frames += 1;
                if frames == USER_FRAMES {
                    return None;
                }
            }
            if matches!(segment.kind, Kind::Wall(_)) {
                return None;
            }
        }
        None
    }

    fn is_unstarted(&self, host: &impl Host<W>, k: &W::Value) -> bool {
        self.unused_prompt(host, k).is_some_and(|body| {
            matches!(self.segments[body].kind, Kind::Body)
                && matches!(self.segments[body].frames.as_slice(), [Frame::Start(_)])
        })
    }

    /// The prompt of an unused `K` of this run.
    pub(super) fn unused_prompt(&self, host: &impl Host<W>, k: &W::Value) -> Option<SegmentId> {
        let (prompt, capture) = host.cell(k).prompt_of(&self.run)?;
        (self.segments[prompt].marker == Some(capture)).then_some(prompt)
    }

    /// The error for a `K` that cannot be used.
    pub(super) fn refuse(&mut self, host: &mut impl Host<W>, k: W::Value) -> Flow<W> {
        let refusal = host.cell(&k).refusal(&self.run, |label| host.clone_label(label));
        host.discard(k);
        fault(Fault::Refused(refusal.unwrap_or(Refusal::Used(Fate::Unwound, None))))
    }

    /// The clause whose frame stands there, also while its open blocks are unwound before it hands over.
    fn clause_at(&self, segment: SegmentId, index: usize) -> Option<&ClauseFrame<W>> {
        match &self.segments[segment].frames[index] {
            Frame::Clause(clause) => Some(clause),
            Frame::Unwinding(unwinding) => match &unwinding.then {
                Then::Leave(clause, _) => Some(clause),
                _ => None,
            },
            _ => None,
        }
    }

    /// The clause that what is yielded here belongs to. A clause whose own prompt lies between resumed this very body,
    /// and does not count; nor does one outside of a wall.
    fn nearest_clause(&self) -> Option<(SegmentId, usize)> {
        let mut crossed = HashSet::new();
        for (id, segment) in trace::outward(&self.segments, self.current_segment) {
            for index in (0..segment.frames.len()).rev() {
                if let Some(clause) = self.clause_at(id, index)
                    && !crossed.contains(&(clause.prompt, clause.birth))
                {
                    return Some((id, index));
                }
            }
            match segment.kind {
                Kind::Prompt(_) => {
                    crossed.insert((id, self.segments.birth(id)));
                }
                Kind::Wall(_) => return None,
                _ => {}
            }
        }
        None
    }
}

impl<W: World> Resumption<W> {
    /// How the continuation is used: thrown into, or `with_value`.
    const fn fate(&self, with_value: Fate) -> Fate {
        match self {
            Self::Value(_) => with_value,
            Self::Error(_) => Fate::ThrownInto,
        }
    }
}

/// The clause has its own body again.
fn give_back<W: World>(host: &mut impl Host<W>, clause: &ClauseFrame<W>, body: Continuation) {
    let label = clause.k.as_ref().and_then(|k| host.cell(k).put_back(body));
    if let Some(label) = label {
        host.discard_label(label);
    }
}

/// Whether the clause's body waits for it still: neither used nor kept.
fn is_unused<W: World>(host: &impl Host<W>, clause: &ClauseFrame<W>) -> bool {
    clause.k.as_ref().is_none_or(|k| host.cell(k).is_fresh())
}

pub(super) fn discard_clause<W: World>(host: &mut impl Host<W>, clause: ClauseFrame<W>) {
    host.discard(clause.effect);
    if let Some(k) = clause.k {
        host.discard(k);
    }
}

pub(super) fn discard_resumption<W: World>(host: &mut impl Host<W>, how: Resumption<W>) {
    match how {
        Resumption::Value(value) => host.discard(value),
        Resumption::Error(error) => host.discard_error(error),
    }
}
