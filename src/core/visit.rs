//! Everything that a machine holds, shown one by one: for a garbage collector.

use super::frame::{Departure, Frame, Goal, Layer, Resumption, Then};
use super::host::World;
use super::segment::{Kind, Segment};
use super::step::{Mode, Pending};

/// Sees what the machine holds.
pub trait Visitor<W: World> {
    /// A value.
    fn value(&mut self, value: &W::Value);
    /// An error.
    fn error(&mut self, error: &W::Error);
    /// A suspended generator.
    fn code(&mut self, code: &W::Code);
    /// A handler.
    fn handler(&mut self, handler: &W::Handler);
    /// A class.
    fn class(&mut self, class: &W::Class);
}

fn resumption<W: World>(how: &Resumption<W>, visitor: &mut impl Visitor<W>) {
    match how {
        Resumption::Value(value) => visitor.value(value),
        Resumption::Error(error) => visitor.error(error),
    }
}

/// Shows what a segment holds.
pub(super) fn segment<W: World>(segment: &Segment<W>, visitor: &mut impl Visitor<W>) {
    match &segment.kind {
        Kind::Prompt(prompt) => visitor.handler(&prompt.handler),
        Kind::Interceptor(_, value) | Kind::Wall(value) | Kind::Detour { origin: Some(value), .. } => {
            visitor.value(value);
        }
        Kind::Root | Kind::Body | Kind::Detour { origin: None, .. } => {}
    }
    match &segment.mode {
        Mode::Deliver(value) | Mode::HandleYield(value, _) | Mode::Return(value) => visitor.value(value),
        Mode::Throw(error) => visitor.error(error),
        Mode::Suspended => {}
    }
    if let Some(Pending::Install(program)) = &segment.pending_python {
        visitor.value(program);
    }
    for known in segment.routes.iter() {
        visitor.class(&known.held);
    }
    for one in &segment.frames {
        frame(one, visitor);
    }
}

fn frame<W: World>(frame: &Frame<W>, visitor: &mut impl Visitor<W>) {
    match frame {
        Frame::Program(code) => visitor.code(code),
        Frame::Clause(clause) => {
            visitor.value(&clause.effect);
            if let Some(k) = &clause.k {
                visitor.value(k);
            }
        }
        Frame::Map(value)
        | Frame::FlatMap(value)
        | Frame::Start(value)
        | Frame::AfterValue(value)
        | Frame::Settle(_, value)
        | Frame::Branching(_, value)
        | Frame::Evaluated(_, value) => visitor.value(value),
        Frame::Acquired(one, other) | Frame::Release(one, other) => {
            visitor.value(one);
            visitor.value(other);
        }
        Frame::AfterError(error) => visitor.error(error),
        Frame::Exit(handler) => visitor.handler(handler),
        Frame::Block(prompt) => visitor.handler(&prompt.handler),
        Frame::Enter(entering) => {
            visitor.handler(&entering.handler);
            visitor.value(&entering.program);
        }
        Frame::Unwinding(unwinding) => {
            visitor.error(&unwinding.thrown);
            match &unwinding.then {
                Then::Deliver(value) | Then::Ended(value) => visitor.value(value),
                Then::Attach(_, how) => resumption(how, visitor),
                Then::Leave(clause, departure) => {
                    visitor.value(&clause.effect);
                    if let Some(k) = &clause.k {
                        visitor.value(k);
                    }
                    if let Departure::Own(_, how) | Departure::Other(_, how) = departure {
                        resumption(how, visitor);
                    }
                }
                Then::Unit => {}
            }
        }
        Frame::Inheriting(inheriting) => {
            visitor.value(&inheriting.program);
            if let Goal::Detach(context) = &inheriting.goal {
                visitor.value(context);
            }
            if let Some(handler) = &inheriting.forking {
                visitor.handler(handler);
            }
            for layer in &inheriting.layers {
                match layer {
                    Layer::Handler(handler, ..) => visitor.handler(handler),
                    Layer::Interceptor(_, value) | Layer::Wall(value) => visitor.value(value),
                }
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
