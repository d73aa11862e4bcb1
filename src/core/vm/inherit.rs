//! A program runs inside forks of what a continuation contains: what a scheduler needs to spawn (semantics 2, 7).

use std::ops::ControlFlow;

use super::{Flow, Vm};
use crate::core::frame::{Frame, Goal, Inheriting, Layer};
use crate::core::host::{Host, World};
use crate::core::ids::SegmentId;
use crate::core::segment::{Hooks, Kind, Prompt};
use crate::core::step::{Hook, Installation, Mode, Pending, Place, PythonCall};
use crate::core::trace;

impl<W: World> Vm<W> {
    pub(super) fn inherit(&mut self, host: &mut impl Host<W>, k: W::Value, program: W::Value) -> Flow<W> {
        let Some(prompt) = self.unused_prompt(host, &k) else {
            host.discard(program);
            return self.refuse(host, k);
        };
        let head = self.segments[prompt].head.unwrap_or(prompt);
        let layers = self.layers(host, head, prompt);
        host.discard(k);
        self.inherit_layers(host, Inheriting { layers, forking: None, program, goal: Goal::Evaluate })
    }

    /// What stands from `head` outward, to `prompt` inclusive: what is to be forked, outermost last.
    pub(super) fn layers(&mut self, host: &impl Host<W>, head: SegmentId, prompt: SegmentId) -> Vec<Layer<W>> {
        let mut layers = Vec::new();
        for (id, segment) in trace::outward(&self.segments, head) {
            match &segment.kind {
                Kind::Prompt(prompt) => {
                    layers.push(Layer::Handler(host.clone_handler(&prompt.handler), prompt.native, prompt.hooks));
                }
                Kind::Interceptor(id, function) => layers.push(Layer::Interceptor(*id, host.clone_value(function))),
                Kind::Wall(allow) => layers.push(Layer::Wall(host.clone_value(allow))),
                Kind::Root | Kind::Body | Kind::Detour { .. } => {}
            }
            if id == prompt {
                break;
            }
        }
        // A `fork` may let `k` go: until its layer stands, each native installation lives for it.
        for layer in &layers {
            if let Layer::Handler(_, native, _) = layer {
                self.share_native(*native);
            }
        }
        layers
    }

    /// Opens one segment a layer, outermost first; a `fork` of the user runs on the innermost one opened so far.
    pub(super) fn inherit_layers(&mut self, host: &mut impl Host<W>, mut inheriting: Inheriting<W>) -> Flow<W> {
        loop {
            if !inheriting.layers.is_empty()
                && let ControlFlow::Break(event) = self.permit_segment()
            {
                self.inherit_failed(host, inheriting);
                return ControlFlow::Break(event);
            }
            let Some(layer) = inheriting.layers.pop() else { break };
            match layer {
                Layer::Handler(handler, None, hooks) if hooks.has(Hooks::FORK) => {
                    inheriting.forking = Some(host.clone_handler(&handler));
                    self.push_frame(Frame::Inheriting(Box::new(inheriting)));
                    return self.call(Pending::Program, PythonCall::Hook(handler, Hook::Fork, None));
                }
                Layer::Handler(handler, native, hooks) => {
                    let forked = native.and_then(|native| self.native(native).fork(host));
                    let native = match (forked, native) {
                        (Some(forked), Some(shared)) => {
                            self.release_native(host, shared);
                            Some(self.add_native(forked))
                        }
                        (_, native) => native,
                    };
                    self.open_fork(handler, native, hooks);
                }
                Layer::Interceptor(id, function) => {
                    self.interceptors.fork();
                    self.open_segment(Kind::Interceptor(id, function));
                }
                Layer::Wall(allow) => self.open_segment(Kind::Wall(allow)),
            }
        }
        match inheriting.goal {
            Goal::Evaluate => self.proceed(Mode::HandleYield(inheriting.program, Place::Node)),
            Goal::Detach(context) => self.branched(host, inheriting.program, context),
        }
    }

    fn open_fork(&mut self, handler: W::Handler, native: Option<crate::core::ids::NativeId>, hooks: Hooks) {
        self.open_segment(Kind::Prompt(Prompt::fork(handler, native, hooks)));
    }

    /// A `fork` gave its value, or the fork that it gave stands: the next layer.
    pub(super) fn inherit_next(
        &mut self,
        host: &mut impl Host<W>,
        mut inheriting: Inheriting<W>,
        value: W::Value,
    ) -> Flow<W> {
        match inheriting.forking.take() {
            Some(handler) => {
                self.push_frame(Frame::Inheriting(Box::new(inheriting)));
                self.call(Pending::Adopt, PythonCall::Adopt(handler, value))
            }
            None => {
                host.discard(value);
                self.inherit_layers(host, inheriting)
            }
        }
    }

    /// The driver made what `fork` gave a handler: it stands inside the layers opened so far.
    pub(super) fn adopted(&mut self, host: &mut impl Host<W>, ready: Installation<W>) {
        let Installation { handler, native, hooks } = ready;
        if let Some(frame @ Frame::Inheriting(_)) = self.current().frames.pop() {
            let native = native.map(|native| self.add_native(native));
            self.open_fork(handler, native, hooks);
            self.push_frame(frame);
        }
        self.current().mode = Mode::Deliver(host.unit());
    }

    /// An error met the construction of the forks: what was not opened is let go.
    pub(super) fn inherit_failed(&mut self, host: &mut impl Host<W>, inheriting: Inheriting<W>) {
        for layer in &inheriting.layers {
            if let Layer::Handler(_, Some(native), _) = layer {
                self.release_native(host, *native);
            }
        }
        discard(host, inheriting);
    }
}

pub(super) fn discard<W: World>(host: &mut impl Host<W>, inheriting: Inheriting<W>) {
    for layer in inheriting.layers {
        match layer {
            Layer::Handler(handler, ..) => host.discard_handler(handler),
            Layer::Interceptor(_, value) | Layer::Wall(value) => host.discard(value),
        }
    }
    if let Some(handler) = inheriting.forking {
        host.discard_handler(handler);
    }
    if let Goal::Detach(context) = inheriting.goal {
        host.discard(context);
    }
    host.discard(inheriting.program);
}
