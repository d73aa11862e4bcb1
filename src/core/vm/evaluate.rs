//! A program is evaluated: one arm per control node, in the order of [`Ctrl`].

use std::ops::ControlFlow;

use super::{Flow, Vm, fault};
use crate::core::continuation::ContinuationCell;
use crate::core::ctrl::Ctrl;
use crate::core::dispatch;
use crate::core::fault::Fault;
use crate::core::frame::{Entering, Frame};
use crate::core::host::{Host, World};
use crate::core::limits::Permit;
use crate::core::segment::{Hooks, Kind, Prompt};
use crate::core::step::{Event, Installation, Mode, Pending, Place, PythonCall, StepKind};
use crate::core::trace;

impl<W: World> Vm<W> {
    pub(super) fn evaluate(&mut self, host: &mut impl Host<W>, ctrl: Ctrl<W>, place: Place) -> Flow<W> {
        match ctrl {
            Ctrl::Pure(value) => self.proceed(Mode::Deliver(value)),
            Ctrl::Map(program, function) => self.under(Frame::Map(function), program),
            Ctrl::FlatMap(program, function) => self.under(Frame::FlatMap(function), program),
            Ctrl::Call(call) => self.call(Pending::Function, PythonCall::Call(call)),
            Ctrl::Do(call) => self.enter(host, call),
            Ctrl::Perform(effect) => self.perform(host, effect),
            Ctrl::WithHandler { node, program } => self.call(Pending::Install(program), PythonCall::Install(node)),
            Ctrl::WithIntercept(function, program) => {
                let id = self.interceptors.install();
                self.inside(host, Kind::Interceptor(id, function), program)
            }
            Ctrl::Seal(allow, program) => self.inside(host, Kind::Wall(allow), program),
            Ctrl::Try(program) => self.under(Frame::Try, program),
            Ctrl::Bracket { acquire, usage, release } => self.under(Frame::Acquired(usage, release), acquire),
            Ctrl::Resume(k, resumption) => self.resume(host, k, resumption),
            Ctrl::Transfer(k, resumption) => self.transfer(host, k, resumption),
            Ctrl::Discontinue(k) => self.discontinue(host, k),
            Ctrl::Delegate => self.delegate(host),
            Ctrl::Pass => self.pass(host),
            Ctrl::GetContinuation => self.own_continuation(host),
            Ctrl::GetHandlers(None) => {
                let handlers = trace::handlers(&self.segments, host, self.current_segment);
                self.deliver_sequence(host, handlers)
            }
            Ctrl::GetHandlers(Some(k)) => self.handlers_inside(host, k),
            Ctrl::GetExecutionContext => {
                let lines = trace::context(&self.segments, host, self.current_segment);
                self.deliver_sequence(host, lines)
            }
            Ctrl::CreateContinuation(program) => self.create_continuation(host, program),
            Ctrl::Inherit(k, program) => self.inherit(host, k, program),
            Ctrl::Escape(action) => {
                self.current().pending_python = Some(Pending::Action);
                ControlFlow::Break(Event::Async(action))
            }
            Ctrl::NotProgram(value) => fault(Fault::NotProgram(value, place)),
        }
    }

    /// Evaluates a program with a frame waiting for its outcome.
    fn under(&mut self, frame: Frame<W>, program: W::Value) -> Flow<W> {
        self.push_frame(frame);
        self.proceed(Mode::HandleYield(program, Place::Node))
    }

    /// Evaluates a program on a segment of its own.
    fn inside(&mut self, host: &mut impl Host<W>, kind: Kind<W>, program: W::Value) -> Flow<W> {
        if let ControlFlow::Break(event) = self.permit_segment() {
            host.discard(program);
            match kind {
                Kind::Interceptor(_, function) => {
                    self.interceptors.remove();
                    host.discard(function);
                }
                Kind::Wall(allow) => host.discard(allow),
                Kind::Root | Kind::Body | Kind::Prompt(_) | Kind::Detour { .. } => {}
            }
            return ControlFlow::Break(event);
        }
        self.open_segment(kind);
        self.proceed(Mode::HandleYield(program, Place::Node))
    }

    /// A `@do` call: one step, and one level deeper.
    fn enter(&mut self, host: &mut impl Host<W>, call: W::Call) -> Flow<W> {
        if let ControlFlow::Break(event) = self.step(StepKind::Enter, || host.show_call(&call)) {
            host.discard_call(call);
            return ControlFlow::Break(event);
        }
        let depth = if self.meter.asks_depth() { trace::depth(&self.segments, self.current_segment) } else { 0 };
        if let Permit::Exceeded(bound) = self.meter.enter(depth) {
            host.discard_call(call);
            return fault(Fault::Exceeded(bound));
        }
        self.call(Pending::Program, PythonCall::Start(call))
    }

    fn deliver_sequence(&mut self, host: &mut impl Host<W>, values: Vec<W::Value>) -> Flow<W> {
        let sequence = host.sequence(values);
        self.proceed(Mode::Deliver(sequence))
    }

    fn handlers_inside(&mut self, host: &mut impl Host<W>, k: W::Value) -> Flow<W> {
        let Some(prompt) = self.unused_prompt(host, &k) else {
            return self.refuse(host, k);
        };
        let head = self.segments[prompt].head;
        let handlers = trace::outward(&self.segments, head.unwrap_or(prompt))
            .filter_map(|(_, segment)| host.handler_object(&segment.prompt()?.handler))
            .collect();
        host.discard(k);
        self.deliver_sequence(host, handlers)
    }

    /// A detached body that waits for its first value; its `K` is kept from the start.
    fn create_continuation(&mut self, host: &mut impl Host<W>, program: W::Value) -> Flow<W> {
        if let ControlFlow::Break(event) = self.permit_segment() {
            host.discard(program);
            return ControlFlow::Break(event);
        }
        let body = self.make_segment(Kind::Body);
        self.segments[body].frames.push(Frame::Start(program));
        let capture = self.next_capture();
        let (continuation, _) = dispatch::detach(&mut self.segments, body, body, capture);
        self.detached += 1;
        let cell = ContinuationCell::new(self.run.clone(), continuation);
        let kept = cell.keep(|label| host.clone_label(label));
        debug_assert!(kept.is_ok(), "a new continuation can be kept");
        let k = host.make_k(cell);
        self.proceed(Mode::Deliver(k))
    }

    /// The driver made a handler ready for the program.
    pub(super) fn installed(&mut self, host: &mut impl Host<W>, ready: Installation<W>, program: W::Value) {
        let Installation { handler, native, hooks } = ready;
        let native = native.map(|native| self.add_native(native));
        let entering = Entering { handler, native, hooks, program, entered: false };
        self.push_frame(Frame::Enter(Box::new(entering)));
        self.current().mode = Mode::Deliver(host.unit());
    }

    /// Opens the prompt, and evaluates the body on it.
    pub(super) fn open_prompt(&mut self, host: &mut impl Host<W>, entering: Entering<W>) -> Flow<W> {
        let Entering { handler, native, hooks, program, .. } = entering;
        // What `exit` undoes is done: the prompt opens whatever the bounds say, and past a bound its body fails.
        let permit = self.meter.open(self.live_segments());
        let mut prompt = Prompt { handler, native, hooks, forked: false, unwinding: false, home: None };
        if let Some(native) = native.filter(|native| self.native(*native).holds_bodies()) {
            prompt = self.open_block(host, prompt, native);
        }
        self.open_segment(Kind::Prompt(prompt));
        self.current().mode = Mode::HandleYield(program, Place::Node);
        begin_inside(permit)
    }

    /// A thunk's program runs under a fork of the prompt's installation, on the segment outside of the prompt.
    pub(super) fn evaluate_thunk(
        &mut self,
        host: &mut impl Host<W>,
        prompt: crate::core::ids::SegmentId,
        program: W::Value,
        thunk: W::Value,
    ) -> Flow<W> {
        // The fork opens whatever the bounds say: past a bound the program fails, and the thunk is settled by that.
        let permit = self.meter.open(self.live_segments());
        let waiting = self.capture(prompt);
        self.leave_to_frame(waiting);
        self.push_frame(Frame::Evaluated(prompt, thunk));
        if let Some((handler, native)) =
            self.segments[prompt].prompt().map(|prompt| (host.clone_handler(&prompt.handler), prompt.native))
        {
            self.share_native(native);
            let fork = Prompt::fork(handler, native, Hooks::none());
            self.open_segment(Kind::Prompt(fork));
        }
        self.current().mode = Mode::HandleYield(program, Place::Node);
        begin_inside(permit)
    }
}

/// A segment was opened whatever the bounds say: past one, what stands in it fails.
fn begin_inside<W: World>(permit: Permit) -> Flow<W> {
    match permit {
        Permit::Exceeded(bound) => fault(Fault::Exceeded(bound)),
        Permit::Granted | Permit::Exhausted => ControlFlow::Continue(()),
    }
}
