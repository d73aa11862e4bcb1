//! User code is called, and the clauses that answer what it yields, as long as that is short.

use std::ops::ControlFlow;

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::{LOOK_TURNS, Machine};
use crate::core::step::{Event, Outcome, PythonCall};
use crate::core::vm::{Called, Flow, Reply};
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
    /// The machine needs this.
    Went(Event<PyWorld>),
}

impl Machine {
    /// Runs user code. As long as what comes of it is on the short way, it goes on at once.
    ///
    /// # Errors
    /// Why there is no outcome.
    #[inline]
    pub(super) fn call(&mut self, py: Python<'_>, call: PythonCall<PyWorld>) -> Result<Outcome<PyWorld>, Stop> {
        let mut outcome = self.run(py, call);
        while self.is_short() {
            let goes_on = match outcome {
                Outcome::Yielded(code, yielded) => Ok((code, Sent::Yielded(yielded))),
                Outcome::Returned(value) => match self.handed_down(py, value) {
                    Ok((code, value)) => {
                        let sent = call::step(py, &code, value.bind(py));
                        Ok((code, sent))
                    }
                    Err(value) => Err(self.ended(py, value)),
                },
                outcome => return Ok(outcome),
            };
            outcome = match goes_on.and_then(|(code, sent)| self.go_on(py, code, sent)) {
                Ok(outcome) => outcome,
                Err(Stop::Long(outcome)) => return Ok(outcome),
                // Somebody else has the turn.
                Err(Stop::Went(Event::Python(call))) => {
                    self.sweep(py);
                    self.run(py, call)
                }
                Err(stop) => return Err(stop),
            };
            self.turns += 1;
        }
        Ok(outcome)
    }

    /// Somebody else has the turn. If that is a generator, gives it and what came of its step.
    ///
    /// # Errors
    /// What the machine needs, where that is something else.
    fn turn_to(&mut self, py: Python<'_>, flow: Flow<PyWorld>) -> Result<(Code, Sent), Stop> {
        let ControlFlow::Break(Event::Python(PythonCall::Send(code, value))) = flow else {
            return Err(self.needed(py, flow));
        };
        self.sweep(py);
        if let Err(error) = self.enter(py) {
            return Err(Stop::Long(self.refused(py, PythonCall::Send(code, value), error)));
        }
        let sent = call::step(py, &code, value.bind(py));
        value.drop_ref(py);
        Ok((code, sent))
    }

    /// What the machine needs next.
    fn needed(&mut self, py: Python<'_>, flow: Flow<PyWorld>) -> Stop {
        Stop::Went(flow.break_value().unwrap_or_else(|| self.vm.advance(host!(self, py))))
    }

    /// Runs user code in its context.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each call passes here")]
    fn run(&mut self, py: Python<'_>, call: PythonCall<PyWorld>) -> Outcome<PyWorld> {
        match self.enter(py) {
            Ok(()) => call::run(py, call, &mut self.roots, &self.host.passage),
            Err(error) => self.refused(py, call, error),
        }
    }

    /// Nobody waits for just this value. If it is what a body came to, somebody else has the turn.
    fn ended(&mut self, py: Python<'_>, value: Py<PyAny>) -> Stop {
        match self.vm.ends_body() {
            Some(native) => {
                let flow = self.vm.end_body(host!(self, py), native, value);
                self.needed(py, flow)
            }
            None => Stop::Long(Outcome::Returned(value)),
        }
    }

    /// The generator that a value goes to, if that waits for just this; otherwise gives the value back.
    #[inline]
    fn handed_down(&mut self, py: Python<'_>, value: Py<PyAny>) -> Result<(Code, Py<PyAny>), Py<PyAny>> {
        match self.vm.hand_down(host!(self, py), &value) {
            Some((code, effect)) => {
                self.sweep(py);
                if let Some(effect) = effect {
                    effect.drop_ref(py);
                }
                Ok((code, value))
            }
            None => Err(value),
        }
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

    /// What a generator yields is answered, and what it returns is handed down, as long as that is short: gives what came of
    /// the user code that was the last.
    ///
    /// # Errors
    /// Why it is short no longer.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each call passes here")]
    fn go_on(&mut self, py: Python<'_>, mut code: Code, mut sent: Sent) -> Result<Outcome<PyWorld>, Stop> {
        let mut is_as_it_was = false;
        loop {
            sent = 'sent: {
                let answer = match sent {
                    Sent::Yielded(mut yielded) => {
                        let mut reply = self.vm.reply(host!(self, py), &yielded, is_as_it_was);
                        is_as_it_was = true;
                        let answer = match reply {
                            Reply::Value(value) => value,
                            Reply::Clause(ref mut handler, ref mut called) => {
                                // It is called where it stands in the reply, and only its answer is moved: to move what was just
                                // written would stall.
                                let mut other = None;
                                let answer = self.clause(py, &yielded, handler, called, &mut other);
                                let Reply::Clause(handler, called) = reply else { unreachable!("it is one") };
                                handler.drop_ref(py);
                                match answer {
                                    Some(answer) => answer,
                                    None => {
                                        is_as_it_was = false;
                                        let other = other.expect("a clause gives an answer, or something else");
                                        let answer;
                                        (code, yielded, answer) =
                                            match self.performs_or_waits(py, code, yielded, called, other) {
                                                Ok(goes_on) => goes_on,
                                                Err(other) => return Ok(other),
                                            };
                                        answer
                                    }
                                }
                            }
                            Reply::Branch(new) => {
                                is_as_it_was = false;
                                self.vm.branch_at_once(host!(self, py), &code, &yielded, new)
                            }
                            Reply::Said(prompt, answer) => {
                                let flow = self.vm.follow(host!(self, py), code, yielded, prompt, answer);
                                is_as_it_was = false;
                                let sent;
                                (code, sent) = self.turn_to(py, flow)?;
                                break 'sent sent;
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
                                        let Outcome::Yielded(callee, first) = outcome else { return Ok(outcome) };
                                        (code, is_as_it_was) = (callee, false);
                                        break 'sent Sent::Yielded(first);
                                    }
                                }
                            }
                            Reply::Long => return Err(Stop::Long(Outcome::Yielded(code, yielded))),
                        };
                        yielded.drop_ref(py);
                        self.sweep(py);
                        answer
                    }
                    Sent::Returned(value) => {
                        is_as_it_was = false;
                        code.let_go(py);
                        match self.handed_down(py, value) {
                            Ok((next, value)) => {
                                code = next;
                                value
                            }
                            Err(value) => return Err(self.ended(py, value)),
                        }
                    }
                    Sent::Raised(error) => {
                        code.let_go(py);
                        return Ok(Outcome::Raised(error));
                    }
                };
                let sent = call::step(py, &code, answer.bind(py));
                answer.drop_ref(py);
                sent
            };
            self.turns += 1;
            if !self.is_short() {
                return Err(Stop::Long(sent.of(py, code)));
            }
        }
    }

    /// A clause did not answer at once. If it does so after what it performs, waits for its body, or leaves that to whoever
    /// has its `k`: gives the generator that goes on, what is to be let go of, and with what it goes on.
    ///
    /// # Errors
    /// What the machine is to receive.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each clause that does more passes here")]
    fn performs_or_waits(
        &mut self,
        py: Python<'_>,
        mut code: Code,
        mut yielded: Py<PyAny>,
        mut called: Called<PyWorld>,
        mut other: Outcome<PyWorld>,
    ) -> Result<(Code, Py<PyAny>, Py<PyAny>), Outcome<PyWorld>> {
        loop {
            other = match other {
                Outcome::Yielded(clause, node)
                    if let Some(value) = self.vm.goes_on(host!(self, py), &called, &node) =>
                {
                    // Of the two it is the node that is let go.
                    drop(self.vm.wait_below(clause, yielded, called));
                    return Ok((code, node, value));
                }
                Outcome::Yielded(clause, node)
                    if self.is_short()
                        && let Some(reply) = self.vm.reply_outside(host!(self, py), &called, &yielded, &node) =>
                {
                    let value = match reply {
                        Reply::Value(value) => value,
                        Reply::Clause(mut handler, mut outer) => {
                            let mut next = None;
                            match self.clause(py, &node, &mut handler, &mut outer, &mut next) {
                                Some(value) => value,
                                None => {
                                    self.take_over(code, yielded, called);
                                    let next = next.expect("a clause gives an answer, or something else");
                                    (code, yielded, called, other) = (clause, node, outer, next);
                                    continue;
                                }
                            }
                        }
                        Reply::Branch(new) => {
                            self.take_over(code, yielded, called);
                            let answer = self.vm.branch_at_once(host!(self, py), &clause, &node, new);
                            return Ok((clause, node, answer));
                        }
                        _ => {
                            self.take_over(code, yielded, called);
                            return Err(Outcome::Yielded(clause, node));
                        }
                    };
                    node.drop_ref(py);
                    self.sweep(py);
                    let sent = call::step(py, &clause, value.bind(py));
                    value.drop_ref(py);
                    self.turns += 1;
                    match sent.of(py, clause) {
                        Outcome::Returned(value) => match self.vm.replied(host!(self, py), &mut called, value) {
                            Ok(answer) => return Ok((code, yielded, answer)),
                            Err(value) => Outcome::Returned(value),
                        },
                        other => other,
                    }
                }
                Outcome::Returned(value) if self.vm.suspends_body(host!(self, py), &called, &value) => {
                    let (outside, left) = self.vm.suspend_body(code, called);
                    self.vm.publish();
                    left.into_iter().flatten().for_each(|left| left.drop_ref(py));
                    return Ok((outside, yielded, value));
                }
                other => {
                    self.take_over(code, yielded, called);
                    return Err(other);
                }
            };
        }
    }

    /// The machine takes over the clause where it stands.
    fn take_over(&mut self, code: Code, yielded: Py<PyAny>, called: Called<PyWorld>) {
        drop(self.vm.take_over(code, yielded, called));
        self.vm.publish();
    }

    /// Calls a clause on the short way, and the one outside of it when it passes its effect on: gives the answer, or what
    /// `other` came of it, when that is to be taken over.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "each effect of a clause passes here")]
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
