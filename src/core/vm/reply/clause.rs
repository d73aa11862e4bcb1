//! What becomes of a clause on the short way.
//!
//! ```text
//!   answers ───────────────────────────► its body goes on, and was never detached
//!   performs, and is answered at once ─► the same, the clause goes on
//!   resumes its own `k` ───────────────► the same, the clause waits below
//!   gives a value, and keeps its `k` ──► its body is suspended, who waits outside goes on
//!   anything else ─────────────────────► the long way, from where it stands
//! ```

use super::{Called, Reply, Short, route};
use crate::core::continuation::Continuation;
use crate::core::dispatch;
use crate::core::fault::Fate;
use crate::core::frame::{ClauseFrame, Frame, Role};
use crate::core::host::{Host, World};
use crate::core::ids::{Capture, SegmentId};
use crate::core::segment::Way;
use crate::core::step::Pending;
use crate::core::vm::Vm;

impl<W: World> Vm<W> {
    /// The clause of [`Reply::Clause`] returned that: gives the answer, if it is one at once.
    ///
    /// # Errors
    /// What it returned, when it is something else.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each clause that answers at once passes here")]
    pub fn replied(
        &mut self,
        host: &mut impl Host<W>,
        called: &mut Called<W>,
        value: W::Value,
    ) -> Result<W::Value, W::Value> {
        // What was lost meanwhile is unwound before the answer.
        if self.run.wants_attention() {
            return Err(value);
        }
        let value = match (&called.form, &called.k) {
            (Short::Control(_), Some(k)) => {
                if !host.cell(k).is_fresh() {
                    return Err(value);
                }
                let answer = host.resumes(value, k)?;
                // Nobody else holds it: the next clause may have it.
                host.cell(k).take_unseen();
                called.k = called.k.take().and_then(|k| self.spare.keep(k).err());
                answer
            }
            (Short::Program(_), _) if host.ends_clause(&value, None) => return Err(value),
            _ => value,
        };
        self.meter.make_one();
        Ok(value)
    }

    /// The clause of [`Reply::Clause`] is a generator, and yielded that. If it performs what somebody outside may answer at
    /// once, gives the reply: the body is not detached for it, and stays where it is until the clause
    /// [is taken over](Vm::take_over). `performed` is what its body performed.
    #[inline]
    pub fn reply_outside(
        &mut self,
        host: &mut impl Host<W>,
        called: &Called<W>,
        performed: &W::Value,
        yielded: &W::Value,
    ) -> Option<Reply<W>> {
        // The steps are the effect, its answer, and that of the clause.
        if matches!(called.form, Short::Function) || !self.is_quiet() || !self.meter.can_make(3) {
            return None;
        }
        let outside = self.segments[called.prompt].caller?;
        // Frames for this clause, and for one that the effect goes to.
        if !self.segments[outside].finds_room_for(3) {
            return None;
        }
        let delegates = host.delegates(yielded);
        let effect = if delegates { called.effect.as_ref().unwrap_or(performed) } else { yielded };
        let known = dispatch::remembered(&self.segments[outside], host, self.epoch, effect).map(route);
        let known = known.filter(|(way, ..)| *way != Way::Await)?;
        let inside = std::mem::replace(&mut self.current_segment, outside);
        self.meter.call_began();
        let reply = self.reply_by(host, known, effect, 1);
        self.meter.call_ended();
        self.current_segment = inside;
        if !delegates {
            return Some(reply);
        }
        let effect = host.clone_value(effect);
        Some(reply.about(host, effect))
    }

    /// The clause of [`Reply::Clause`] is a generator, and yielded that. If it resumes its own `k`, gives what its body goes
    /// on with: that was never detached, and the clause [waits below](Vm::wait_below) it.
    #[inline]
    pub fn goes_on(&mut self, host: &mut impl Host<W>, called: &Called<W>, yielded: &W::Value) -> Option<W::Value> {
        let (Short::Control(_), Some(own)) = (&called.form, &called.k) else { return None };
        let outside = &self.segments[self.segments[called.prompt].caller?];
        if !self.may_go_on() || !outside.has_room_for(3) || !host.cell(own).is_fresh() {
            return None;
        }
        let value = host.resumed_with(yielded, own)?;
        let prompt = self.segments[called.prompt].prompt();
        let by = prompt.map(|prompt| host.label(&prompt.handler, called.clause));
        match self.take_out(host, own, Fate::Resumed, by) {
            Ok(Continuation { .. }) => Some(value),
            // Another thread used it meanwhile, which is told on the long way.
            Err(_) => {
                host.discard(value);
                None
            }
        }
    }

    /// The clause waits outside of its body for what that comes to. Gives back what was yielded, where it answers something
    /// else.
    ///
    /// # Panics
    /// When the clause is not that of the last reply.
    #[inline]
    pub fn wait_below(&mut self, code: W::Code, yielded: W::Value, called: Called<W>) -> Option<W::Value> {
        let Called { clause, effect, k, prompt, .. } = called;
        let (effect, left) = own_effect(yielded, effect);
        let birth = self.segments.birth(prompt);
        let outside = self.segments[prompt].caller.expect("a prompt at work has a caller (semantics 3)");
        let outside = &mut self.segments[outside];
        let role = Role::Control;
        outside.frames.push(Frame::Clause(ClauseFrame { effect, k, prompt, birth, clause, role, settled: false }));
        outside.frames.push(Frame::Program(code));
        outside.calls += 1;
        self.meter.call_began();
        self.meter.entered();
        left
    }

    /// Whether the clause of [`Reply::Clause`] is done with that value, its `k` kept for later, and the value goes to a
    /// generator: it may leave [its body suspended](Vm::suspend_body) at once.
    #[inline]
    pub fn suspends_body(&self, host: &mut impl Host<W>, called: &Called<W>, value: &W::Value) -> bool {
        let (Short::Control(_), Some(k)) = (&called.form, &called.k) else { return false };
        let segment = &self.segments[called.prompt];
        let outside = segment.caller.and_then(|outside| self.segments[outside].frames.last());
        host.cell(k).is_put_by()
            && matches!(outside, Some(Frame::Program(_)))
            && segment.prompt().is_some_and(|prompt| !prompt.forked)
            && self.may_go_on()
            && !host.ends_clause(value, Some(k))
    }

    /// The body waits at its perform, for whoever has the `k` of the clause that left it: gives the generator outside, and
    /// what the clause had, to let go of.
    ///
    /// # Panics
    /// When [`Vm::suspends_body`] does not say so.
    #[inline]
    pub fn suspend_body(&mut self, code: W::Code, called: Called<W>) -> (W::Code, [Option<W::Value>; 2]) {
        let Called { effect, k, prompt, form, .. } = called;
        let Short::Control(capture) = form else { unreachable!("a control clause keeps its k") };
        self.push_program(code);
        self.detach_body(prompt, capture);
        self.meter.make_one();
        let outside = self.pop_program().expect("a program waits outside");
        (outside, [k, effect])
    }

    /// The clause of [`Reply::Clause`] did something else, or may not go on: from here it is the long way. Gives back what
    /// is not needed of what was yielded and of what was answered.
    pub fn take_over(&mut self, code: W::Code, yielded: W::Value, called: Called<W>) -> [Option<W::Value>; 2] {
        let Called { clause, effect, k, prompt, form } = called;
        self.push_program(code);
        let (role, capture) = match form {
            Short::Function => {
                self.push_frame(Frame::Answer(prompt, clause));
                return [Some(yielded), effect];
            }
            Short::Program(capture) => (Role::Value, capture),
            Short::Control(capture) => (Role::Control, capture),
        };
        let (effect, left) = own_effect(yielded, effect);
        let birth = self.segments.birth(prompt);
        self.detach_body(prompt, capture);
        self.push_frame(Frame::Clause(ClauseFrame { effect, k, prompt, birth, clause, role, settled: false }));
        self.current().pending_python = Some(Pending::Program);
        [left, None]
    }

    /// The capture that a clause stood for happens: its `K`, or its frame, has the continuation.
    fn detach_body(&mut self, prompt: SegmentId, capture: Capture) {
        self.current().pending_python = None;
        let body = self.capture_as(prompt, capture);
        self.leave_to_frame(body);
    }
}

/// What a clause answers, and what was yielded, if that is something else.
fn own_effect<V>(yielded: V, effect: Option<V>) -> (V, Option<V>) {
    match effect {
        Some(effect) => (effect, Some(yielded)),
        None => (yielded, None),
    }
}
