//! A segment's frames are done: it returns to its caller, with the life cycle of its handler (semantics 2).

use super::{Flow, Vm};
use crate::core::dispatch;
use crate::core::frame::Frame;
use crate::core::host::{Host, World};
use crate::core::segment::{Hooks, Kind, Prompt};
use crate::core::step::{Hook, Mode, Pending, PythonCall};

impl<W: World> Vm<W> {
    pub(super) fn leave(&mut self, host: &mut impl Host<W>, result: Result<W::Value, W::Error>) -> Flow<W> {
        if matches!(self.segments[self.current_segment].kind, Kind::Root) {
            return self.end_run(host, result);
        }
        match self.close_segment(host) {
            Kind::Prompt(prompt) => self.leave_prompt(host, prompt, result),
            Kind::Detour { back, origin } => self.end_detour(host, back, origin, result),
            Kind::Interceptor(_, value) => {
                self.interceptors.remove();
                host.discard(value);
                self.give(result)
            }
            Kind::Wall(value) => {
                host.discard(value);
                self.give(result)
            }
            Kind::Body | Kind::Root => self.give(result),
        }
    }

    /// The current segment is done, and the one outside of it is current: gives what it was there for.
    pub(super) fn close_segment(&mut self, host: &mut impl Host<W>) -> Kind<W> {
        let done = self.current_segment;
        let segment = &mut self.segments[done];
        let kind = std::mem::replace(&mut segment.kind, Kind::Body);
        let caller = segment.caller;
        dispatch::forget(segment, host);
        if let Some(context) = segment.context.take().and_then(|context| self.contexts.forget(context)) {
            host.discard(context);
        }
        self.segments.close(done);
        if let Some(caller) = caller {
            self.current_segment = caller;
        }
        kind
    }

    fn give(&mut self, result: Result<W::Value, W::Error>) -> Flow<W> {
        self.proceed(match result {
            Ok(value) => Mode::Deliver(value),
            Err(error) => Mode::Throw(error),
        })
    }

    /// `result` maps what the body came to, `error` may answer, `exit` runs last: all outside of the prompt.
    pub(super) fn leave_prompt(
        &mut self,
        host: &mut impl Host<W>,
        prompt: Prompt<W>,
        result: Result<W::Value, W::Error>,
    ) -> Flow<W> {
        let Prompt { handler, native, hooks, forked, unwinding, .. } = prompt;
        let hooks = if forked { Hooks::none() } else { hooks };
        let result = match (native, result) {
            (Some(native), Ok(value)) if !forked && !unwinding => Ok(self.native(native).finish(host, value)),
            (_, result) => result,
        };
        if let Some(native) = native {
            self.release_native(host, native);
        }
        if hooks.has(Hooks::EXIT) {
            let hook = host.clone_handler(&handler);
            self.push_frame(Frame::Exit(hook));
        }
        match result {
            Ok(value) if hooks.has(Hooks::RESULT) && !unwinding => {
                self.call(Pending::Program, PythonCall::Hook(handler, Hook::Result, Some(value)))
            }
            Err(error) if hooks.has(Hooks::ERROR) && host.is_exception(&error) => {
                self.call(Pending::Program, PythonCall::ErrorHook(handler, error))
            }
            result => {
                host.discard_handler(handler);
                self.give(result)
            }
        }
    }
}
