//! A value or an error meets the top frame.

use std::ops::ControlFlow;

use super::{Flow, Vm, unwind};
use crate::core::fault::Fault;
use crate::core::frame::{Frame, Resumption};
use crate::core::host::{Host, World};
use crate::core::ids::SegmentId;
use crate::core::native::Answer;
use crate::core::segment::Hooks;
use crate::core::step::{Event, Hook, Mode, Pending, PythonCall, StepKind};

impl<W: World> Vm<W> {
    pub(super) fn deliver(&mut self, host: &mut impl Host<W>, value: W::Value) -> Flow<W> {
        let Some(frame) = self.current().frames.pop() else {
            return self.leave(host, Ok(value));
        };
        match frame {
            Frame::Program(code) => {
                self.current().calls -= 1;
                self.meter.call_ended();
                self.call(Pending::Program, PythonCall::Send(code, value))
            }
            Frame::Clause(clause) => self.clause_returned(host, clause, value),
            Frame::Map(function) => self.call(Pending::Program, PythonCall::Apply(function, value)),
            Frame::FlatMap(function) => self.call(Pending::Function, PythonCall::Apply(function, value)),
            Frame::Try => {
                let value = host.ok(value);
                self.proceed(Mode::Deliver(value))
            }
            Frame::Start(program) => {
                host.discard(value);
                self.proceed(Mode::HandleYield(program, crate::core::step::Place::Node))
            }
            Frame::Enter(mut entering) => {
                host.discard(value);
                if !entering.entered && entering.hooks.has(Hooks::ENTER) {
                    entering.entered = true;
                    let handler = host.clone_handler(&entering.handler);
                    self.push_frame(Frame::Enter(entering));
                    return self.call(Pending::Program, PythonCall::Hook(handler, Hook::Enter, None));
                }
                self.open_prompt(host, *entering)
            }
            Frame::Exit(handler) => {
                self.push_frame(Frame::AfterValue(value));
                self.call(Pending::Program, PythonCall::Hook(handler, Hook::Exit, None))
            }
            Frame::AfterValue(result) => {
                host.discard(value);
                self.proceed(Mode::Deliver(result))
            }
            Frame::AfterError(error) => {
                host.discard(value);
                self.proceed(Mode::Throw(error))
            }
            Frame::Unwinding(unwinding) => {
                host.discard(value);
                host.discard_error(unwinding.thrown);
                self.unwound(host, unwinding.then)
            }
            Frame::Intercepted => {
                self.current().interceptor_skip_stack.pop();
                self.proceed(Mode::Deliver(value))
            }
            Frame::Answer(..) => {
                let value = self.count(host, StepKind::Exit, value)?;
                self.proceed(Mode::Deliver(value))
            }
            Frame::Forwarded(prompt) => {
                if let ControlFlow::Break(event) = self.step(StepKind::Exit, || host.clone_value(&value)) {
                    host.discard(value);
                    self.push_frame(Frame::Forwarded(prompt));
                    return ControlFlow::Break(event);
                }
                let waiting = self.held_by(prompt);
                self.continue_with(host, waiting, Resumption::Value(value))
            }
            Frame::Settle(prompt, effect) => self.settle(host, prompt, effect, Ok(value)),
            Frame::Block(prompt) => self.leave_prompt(host, *prompt, Ok(value)),
            Frame::Running(native) => self.body_ended(host, native, Ok(value)),
            Frame::Idle(native) => {
                host.discard(value);
                self.woken(host, native, Ok(()))
            }
            Frame::Branching(prompt, effect) => {
                host.discard(effect);
                let performer = self.held_by(prompt);
                self.continue_with(host, performer, Resumption::Value(value))
            }
            Frame::Evaluated(prompt, thunk) => self.evaluated(host, prompt, thunk, Ok(value)),
            Frame::Acquired(usage, release) => {
                let resource = host.clone_value(&value);
                self.push_frame(Frame::Release(resource, release));
                self.call(Pending::Function, PythonCall::Apply(usage, value))
            }
            Frame::Release(resource, release) => {
                self.push_frame(Frame::AfterValue(value));
                self.call(Pending::Function, PythonCall::Apply(release, resource))
            }
            Frame::Inheriting(inheriting) => self.inherit_next(host, *inheriting, value),
        }
    }

    pub(super) fn throw(&mut self, host: &mut impl Host<W>, error: W::Error) -> Flow<W> {
        let Some(frame) = self.current().frames.pop() else {
            return self.leave(host, Err(error));
        };
        match frame {
            Frame::Program(code) => {
                self.current().calls -= 1;
                self.meter.call_ended();
                if host.lets_pass(&code, &error) {
                    host.discard_code(code);
                    self.current().mode = Mode::Throw(error);
                    return if host.is_full() { ControlFlow::Break(Event::Sweep) } else { ControlFlow::Continue(()) };
                }
                self.call(Pending::Program, PythonCall::Throw(code, error))
            }
            Frame::Clause(clause) => self.clause_raised(host, clause, error),
            Frame::Try if host.is_exception(&error) => {
                let value = host.err(error);
                self.proceed(Mode::Deliver(value))
            }
            Frame::Exit(handler) => {
                self.push_frame(Frame::AfterError(error));
                self.call(Pending::Program, PythonCall::Hook(handler, Hook::Exit, None))
            }
            Frame::AfterError(earlier) => {
                host.chain_context(&error, earlier);
                self.proceed(Mode::Throw(error))
            }
            Frame::Unwinding(unwinding) => self.unwinding_met(host, *unwinding, error),
            Frame::Intercepted => {
                self.current().interceptor_skip_stack.pop();
                self.proceed(Mode::Throw(error))
            }
            Frame::Forwarded(prompt) => {
                let waiting = self.held_by(prompt);
                self.continue_with(host, waiting, Resumption::Error(error))
            }
            Frame::Settle(prompt, effect) => self.settle(host, prompt, effect, Err(error)),
            Frame::Block(prompt) => self.leave_prompt(host, *prompt, Err(error)),
            Frame::Running(native) => self.body_ended(host, native, Err(error)),
            Frame::Idle(native) => self.woken(host, native, Err(error)),
            // A fork failed: there is no new body.
            Frame::Branching(prompt, effect) => {
                host.discard(effect);
                let performer = self.held_by(prompt);
                self.continue_with(host, performer, Resumption::Error(error))
            }
            Frame::Evaluated(prompt, thunk) => self.evaluated(host, prompt, thunk, Err(error)),
            Frame::Release(resource, release) => {
                self.push_frame(Frame::AfterError(error));
                self.call(Pending::Function, PythonCall::Apply(release, resource))
            }
            Frame::Enter(entering) => {
                if let Some(native) = entering.native {
                    self.release_native(host, native);
                }
                host.discard_handler(entering.handler);
                host.discard(entering.program);
                self.proceed(Mode::Throw(error))
            }
            Frame::Inheriting(inheriting) => {
                self.inherit_failed(host, *inheriting);
                self.proceed(Mode::Throw(error))
            }
            frame => {
                unwind::discard_frame(host, frame);
                self.proceed(Mode::Throw(error))
            }
        }
    }

    /// The outcome of a native handler's request: what it then says is for the current place.
    fn settle(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        effect: W::Value,
        outcome: Result<W::Value, W::Error>,
    ) -> Flow<W> {
        let native = self.native_of(prompt);
        let answer = self.native(native).settle(host, &effect, outcome);
        self.answered(host, prompt, effect, answer)
    }

    /// A thunk's program ended: the one who asked is continued where it stands.
    fn evaluated(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        thunk: W::Value,
        outcome: Result<W::Value, W::Error>,
    ) -> Flow<W> {
        let waiting = self.held_by(prompt);
        self.attach(waiting);
        let native = self.native_of(prompt);
        let settled = self.native(native).settle_thunk(host, thunk, outcome);
        self.unstall();
        match settled {
            Answer::Value(value) => {
                let value = self.count(host, StepKind::Exit, value)?;
                self.proceed(Mode::Deliver(value))
            }
            Answer::Raise(error) => self.proceed(Mode::Throw(error)),
            _ => super::fault(Fault::Internal("a thunk is settled with a value or an error")),
        }
    }

    /// What a native handler said to the effect, at the current place.
    pub(super) fn answered(
        &mut self,
        host: &mut impl Host<W>,
        prompt: SegmentId,
        effect: W::Value,
        answer: Answer<W>,
    ) -> Flow<W> {
        let answer = match answer {
            Answer::Forward => {
                let target = self.outside(host, prompt, &effect);
                return self.dispatch(host, target, effect, Some(prompt));
            }
            Answer::Request(request) => {
                self.push_frame(Frame::Settle(prompt, effect));
                return self.call(Pending::Program, PythonCall::Request(request));
            }
            Answer::Await(awaitable) => {
                self.push_frame(Frame::Settle(prompt, effect));
                self.current().pending_python = Some(Pending::Action);
                return ControlFlow::Break(Event::Await(awaitable));
            }
            Answer::Suspend => return self.suspend(host, prompt, effect),
            Answer::Branch(program) => return self.branch(host, prompt, effect, program),
            Answer::Fault(Fault::Cycle(thunk)) => return self.stall(host, effect, thunk),
            answer => {
                host.discard(effect);
                answer
            }
        };
        match answer {
            Answer::Value(value) => {
                let value = self.count(host, StepKind::Exit, value)?;
                self.proceed(Mode::Deliver(value))
            }
            Answer::Raise(error) => self.proceed(Mode::Throw(error)),
            Answer::Fault(fault) => {
                if let Fault::Exceeded(bound) = fault {
                    self.meter.passed(bound);
                }
                super::fault(fault)
            }
            Answer::Evaluate { program, thunk } => self.evaluate_thunk(host, prompt, program, thunk),
            Answer::Request(_) | Answer::Await(_) | Answer::Forward | Answer::Suspend | Answer::Branch(_) => {
                super::fault(Fault::Internal("what keeps its effect was answered before"))
            }
        }
    }
}
