//! User code is called, and the clauses that answer what it yields, as long as that is short.

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::{LOOK_TURNS, Machine};
use crate::core::step::{Outcome, PythonCall};
use crate::core::vm::{Called, Reply};
use crate::py::call::{self, Sent};
use crate::py::classes::handler::Installed;
use crate::py::classes::nodes::Call;
use crate::py::context;
use crate::py::world::{Code, PyWorld};

/// Why the short way ends.
pub(super) enum Stop {
    /// This goes on the long way.
    Long(Outcome<PyWorld>),
    /// Somebody has to await this.
    Await(Py<PyAny>),
}

impl Machine {
    /// Runs user code. As long as what comes of it is on the short way, it goes on at once.
    ///
    /// # Errors
    /// What somebody has to await first.
    #[inline]
    pub(super) fn call(&mut self, py: Python<'_>, call: PythonCall<PyWorld>) -> Result<Outcome<PyWorld>, Py<PyAny>> {
        if let Err(error) = self.enter(py) {
            return Ok(self.refused(py, call, error));
        }
        let mut outcome = call::run(py, call, &mut self.roots, &self.host.passage);
        while self.is_short() {
            outcome = match outcome {
                Outcome::Yielded(code, yielded) => match self.go_on(py, code, yielded) {
                    Ok(outcome) => outcome,
                    Err(Stop::Long(outcome)) => return Ok(outcome),
                    Err(Stop::Await(rest)) => return Err(rest),
                },
                Outcome::Returned(value) => match self.vm.hand_down(host!(self, py), &value) {
                    Some(code) => {
                        self.sweep(py);
                        call::send(py, code, value.bind(py))
                    }
                    None => return Ok(Outcome::Returned(value)),
                },
                outcome => return Ok(outcome),
            };
            self.turns += 1;
        }
        Ok(outcome)
    }

    /// Enters the context of what is to run. Where somebody else has entered it, clean-up of a run that is closed finds its
    /// variables in a copy.
    #[inline]
    fn enter(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some((_, context)) = self.vm.context() else { return self.host.entered.switch(py, None) };
        match self.host.entered.switch(py, Some(context)) {
            Err(_) if self.closing => self.host.entered.switch_to_copy(py, context),
            entered => entered,
        }
    }

    /// The context of what is to run cannot be entered: a program is told so where it stands.
    #[cold]
    fn refused(&mut self, py: Python<'_>, call: PythonCall<PyWorld>, refusal: PyErr) -> Outcome<PyWorld> {
        let refusal = refusal.into_value(py);
        let code = match call {
            PythonCall::Send(code, _) => code,
            PythonCall::Throw(code, earlier) => {
                context::chain(py, &refusal, &earlier);
                code
            }
            _ => return Outcome::Raised(refusal),
        };
        call::run(py, PythonCall::Throw(code, refusal), &mut self.roots, &self.host.passage)
    }

    /// Whether nothing is to be done between this piece of user code and the next.
    #[inline]
    fn is_short(&self) -> bool {
        self.host.trash.is_empty() && !(self.turns + 1).is_multiple_of(LOOK_TURNS)
    }

    /// What a generator yields is answered, as long as that is short: gives what came of user code that is another's, or
    /// of the end of this one.
    ///
    /// # Errors
    /// Why it is short no longer.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each call passes here")]
    fn go_on(&mut self, py: Python<'_>, mut code: Code, mut yielded: Py<PyAny>) -> Result<Outcome<PyWorld>, Stop> {
        let mut is_as_it_was = false;
        loop {
            let mut reply = self.vm.reply(host!(self, py), &yielded, is_as_it_was);
            is_as_it_was = true;
            let answer = match reply {
                Reply::Value(value) => value,
                Reply::Clause(ref mut handler, ref mut called) => {
                    // It is called where it stands in the reply, and only its answer is moved: to move what was just written
                    // would stall.
                    let mut other = None;
                    let answer = self.clause(py, &yielded, handler, called, &mut other);
                    let Reply::Clause(handler, called) = reply else { unreachable!("it is one") };
                    handler.drop_ref(py);
                    match answer {
                        Some(answer) => answer,
                        None => match other.expect("a clause gives an answer, or something else") {
                            Outcome::Yielded(clause, node)
                                if let Some(value) = self.vm.goes_on(host!(self, py), &called, &node) =>
                            {
                                is_as_it_was = false;
                                // Of the two it is the node that is let go.
                                let effect = std::mem::replace(&mut yielded, node);
                                drop(self.vm.wait_below(clause, effect, called));
                                value
                            }
                            other => {
                                drop(self.vm.take_over(code, yielded, called));
                                self.vm.publish();
                                return Ok(other);
                            }
                        },
                    }
                }
                Reply::Branch(new) => {
                    is_as_it_was = false;
                    self.vm.branch_at_once(host!(self, py), &code, &yielded, new)
                }
                Reply::Await(prompt) => {
                    let mut other = None;
                    match self.await_at_once(py, &yielded, &mut other) {
                        Some(value) => value,
                        None => return Err(self.wait_at_once(py, other, prompt, (code, yielded))),
                    }
                }
                Reply::Resumed(value, body) => {
                    is_as_it_was = false;
                    code = self.vm.go_into(code, body);
                    value
                }
                Reply::Call => {
                    let node = yielded.bind(py).cast_exact::<Call>().expect("the reply says so");
                    match call::start_do(py, node.get()) {
                        Outcome::Returned(value) if self.vm.returned_at_once() => value,
                        outcome => {
                            self.vm.wait_here(code);
                            yielded.drop_ref(py);
                            return Ok(outcome);
                        }
                    }
                }
                Reply::Long => return Err(Stop::Long(Outcome::Yielded(code, yielded))),
            };
            yielded.drop_ref(py);
            self.sweep(py);
            let sent = call::step(py, &code, answer.bind(py));
            answer.drop_ref(py);
            yielded = match sent {
                Sent::Yielded(next) => next,
                Sent::Returned(value) => return Ok(Outcome::Returned(value)),
                Sent::Raised(error) => return Ok(Outcome::Raised(error)),
            };
            self.turns += 1;
            if !self.is_short() {
                return Err(Stop::Long(Outcome::Yielded(code, yielded)));
            }
        }
    }

    /// Calls a clause on the short way, and the one outside of it when it passes its effect on: gives the answer, or what
    /// `other` came of it, when that is to be taken over.
    #[inline]
    fn clause(
        &mut self,
        py: Python<'_>,
        yielded: &Py<PyAny>,
        handler: &mut Py<Installed>,
        called: &mut Called<PyWorld>,
        other: &mut Option<Outcome<PyWorld>>,
    ) -> Option<Py<PyAny>> {
        loop {
            let effect = called.effect.as_ref().unwrap_or(yielded);
            *other = Some(match call::run_clause(py, handler, called.clause, effect, called.k.as_ref()) {
                Outcome::Returned(value) => match self.vm.replied(host!(self, py), called, value) {
                    Ok(answer) => return Some(answer),
                    Err(value) => Outcome::Returned(value),
                },
                Outcome::Forwarded(node, effect) => match self.vm.passed(host!(self, py), called, &node, &effect) {
                    Reply::Value(value) => return Some(value),
                    Reply::Clause(outer, next) => {
                        (*handler, *called) = (outer, next);
                        continue;
                    }
                    _ => Outcome::Forwarded(node, effect),
                },
                came => came,
            });
            return None;
        }
    }
}
