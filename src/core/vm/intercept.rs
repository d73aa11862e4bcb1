//! An interceptor is given an effect, where it was performed.

use super::{Flow, Vm};
use crate::core::frame::Frame;
use crate::core::host::{Host, World};
use crate::core::ids::{InterceptorId, SegmentId};
use crate::core::segment::Kind;
use crate::core::step::{Pending, PythonCall};

impl<W: World> Vm<W> {
    /// Calls the function; until its program ends, the interceptor is skipped by what is performed on this segment.
    pub(super) fn intercept(
        &mut self,
        host: &mut impl Host<W>,
        segment: SegmentId,
        id: InterceptorId,
        effect: W::Value,
    ) -> Flow<W> {
        let Kind::Interceptor(_, function) = &self.segments[segment].kind else {
            return super::fault(crate::core::fault::Fault::Internal("an interceptor is not where it was found"));
        };
        let function = host.clone_value(function);
        self.current().interceptor_skip_stack.push(id);
        self.push_frame(Frame::Intercepted);
        self.call(Pending::Function, PythonCall::Apply(function, effect))
    }
}
