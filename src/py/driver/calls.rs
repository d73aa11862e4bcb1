//! User code is called, and the clauses that answer what it yields, as long as that is short.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::{LOOK_TURNS, Machine};
use crate::core::step::{Outcome, PythonCall};
use crate::core::vm::{Called, Reply};
use crate::py::call;
use crate::py::classes::handler::Installed;
use crate::py::world::PyWorld;

impl Machine {
    /// Runs user code. As long as a generator yields what can be answered at once, it goes on at once.
    #[inline]
    pub(super) fn call(&mut self, py: Python<'_>, call: PythonCall<PyWorld>) -> Outcome<PyWorld> {
        if let Err(error) = self.entered.switch(py, self.vm.context().map(|(_, context)| context)) {
            return Outcome::Raised(error.into_value(py));
        }
        let mut outcome = call::run(py, call, &mut self.roots);
        while self.trash.is_empty() && !(self.turns + 1).is_multiple_of(LOOK_TURNS) {
            let Outcome::Yielded(_, effect) = &outcome else { break };
            let reply = self.vm.reply(host!(self, py), effect);
            if matches!(reply, Reply::Long) {
                break;
            }
            let Outcome::Yielded(code, effect) = outcome else { unreachable!("it was looked at") };
            let answer = match reply {
                Reply::Value(value) => Ok(value),
                Reply::Clause(handler, called) => self.clause(py, &effect, handler, called),
                Reply::Long => unreachable!("it was looked at"),
            };
            let answer = match answer {
                Ok(answer) => {
                    effect.drop_ref(py);
                    answer
                }
                Err((called, came)) => {
                    outcome = came;
                    drop(self.vm.take_over(code, effect, called));
                    continue;
                }
            };
            self.sweep();
            self.turns += 1;
            outcome = call::send(py, code, answer.bind(py));
        }
        outcome
    }

    /// Calls a clause on the short way, and the one outside of it when it passes its effect on: gives the answer, or who is
    /// to be taken over and what came of it.
    #[inline]
    fn clause(
        &mut self,
        py: Python<'_>,
        yielded: &Py<PyAny>,
        mut handler: Py<Installed>,
        mut called: Called<PyWorld>,
    ) -> Result<Py<PyAny>, (Called<PyWorld>, Outcome<PyWorld>)> {
        loop {
            let effect = called.effect.as_ref().unwrap_or(yielded);
            let came = call::run_clause(py, &handler, called.clause, effect, called.k.as_ref());
            handler.drop_ref(py);
            match came {
                Outcome::Returned(value) => {
                    let replied = self.vm.replied(host!(self, py), &mut called, value);
                    return replied.map_err(|value| (called, Outcome::Returned(value)));
                }
                Outcome::Forwarded(node, effect) => match self.vm.passed(host!(self, py), &called, &node, &effect) {
                    Reply::Value(value) => return Ok(value),
                    Reply::Clause(outer, next) => (handler, called) = (outer, next),
                    Reply::Long => return Err((called, Outcome::Forwarded(node, effect))),
                },
                came => return Err((called, came)),
            }
        }
    }
}
