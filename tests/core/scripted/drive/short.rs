//! The short way, as the binding's driver goes it.

use segue::core::ctrl::Ctrl;
use segue::core::host::Host;
use segue::core::native::Store;
use segue::core::step::{Outcome, PythonCall};
use segue::core::vm::{Called, Flow, Reply};

use super::{Machine, moved_on};
use crate::scripted::host::{Handler, Scripted};
use crate::scripted::ledger;
use crate::scripted::script::Generator;
use crate::scripted::value::{Datum, Value};

/// Why there is no outcome.
pub(super) enum Stop {
    /// Somebody has to await this.
    Await(Value),
    /// The machine goes on so.
    Went(Flow<Scripted>),
}

impl Machine {
    /// A generator that yields what can be answered at once goes on at once, as in the binding's driver.
    pub(super) fn reply(&mut self, mut outcome: Outcome<Scripted>) -> Result<Outcome<Scripted>, Stop> {
        let mut is_as_it_was = false;
        loop {
            let reply = match &outcome {
                Outcome::Yielded(_, yielded) => ledger::inside(|| self.vm.reply(&mut self.host, yielded, is_as_it_was)),
                Outcome::Returned(value) => match ledger::inside(|| self.vm.hand_down(&mut self.host, value)) {
                    Some((code, _answered)) => {
                        outcome = self.send(code, value.share());
                        continue;
                    }
                    None => match (self.vm.ends_body(), outcome) {
                        (Some(native), Outcome::Returned(value)) => {
                            let flow = ledger::inside(|| self.vm.end_body(&mut self.host, native, value));
                            return Err(Stop::Went(flow));
                        }
                        (_, outcome) => return Ok(outcome),
                    },
                },
                _ => Reply::Long,
            };
            is_as_it_was = matches!(reply, Reply::Value(_));
            self.host.trash.clear();
            if matches!(reply, Reply::Long) {
                return Ok(outcome);
            }
            let Outcome::Yielded(mut code, mut yielded) = outcome else {
                unreachable!("only what was yielded has a reply")
            };
            let (code, answer) = match reply {
                Reply::Value(value) => (code, value),
                Reply::Clause(handler, called) => match self.clause(&yielded, handler, called) {
                    Ok(answer) => {
                        is_as_it_was = true;
                        (code, answer)
                    }
                    Err((called, came)) => {
                        let answer;
                        (code, yielded, answer) = match self.performs_or_waits(code, yielded, called, came) {
                            Ok(goes_on) => goes_on,
                            Err(came) => {
                                outcome = came;
                                continue;
                            }
                        };
                        (code, answer)
                    }
                },
                Reply::Branch(new) => {
                    let answer = ledger::inside(|| self.vm.branch_at_once(&mut self.host, &code, &yielded, new));
                    (code, answer)
                }
                Reply::Resumed(value, body) => (ledger::inside(|| self.vm.go_into(code, body)), value),
                Reply::Call => {
                    let Ctrl::Do(call) = self.host.classify(yielded.share()) else { unreachable!("it is a call") };
                    let (line, came) = Self::python(PythonCall::Start(call));
                    self.listing.push(line);
                    match came {
                        Outcome::Returned(value) if ledger::inside(|| self.vm.returned_at_once()) => {
                            is_as_it_was = true;
                            (code, value)
                        }
                        came => {
                            ledger::inside(|| self.vm.wait_here(code));
                            outcome = came;
                            continue;
                        }
                    }
                }
                Reply::Await(prompt) => {
                    let awaitable = self.host.field(&yielded, 0);
                    match awaitable.datum() {
                        // A number is ready at once. To ask one that is even runs nobody's code.
                        Datum::Int(number) if number % 2 == 0 => {
                            self.vm.was_ready();
                            is_as_it_was = true;
                            (code, awaitable)
                        }
                        Datum::Int(_) if self.vm.awaited() => {
                            is_as_it_was = true;
                            (code, awaitable)
                        }
                        _ => {
                            ledger::inside(|| self.vm.waits(code, yielded, prompt));
                            return Err(Stop::Await(awaitable));
                        }
                    }
                }
                Reply::Said(prompt, said) => {
                    let flow = ledger::inside(|| self.vm.follow(&mut self.host, code, yielded, prompt, said));
                    return Err(Stop::Went(flow));
                }
                Reply::Long => unreachable!("it was looked at"),
            };
            drop(yielded);
            outcome = self.send(code, answer);
        }
    }

    /// A clause did not answer at once: it may after what it performs, wait below its body, or leave that suspended.
    fn performs_or_waits(
        &mut self,
        mut code: Box<Generator>,
        mut yielded: Value,
        mut called: Called<Scripted>,
        mut came: Outcome<Scripted>,
    ) -> Result<(Box<Generator>, Value, Value), Outcome<Scripted>> {
        loop {
            came = match came {
                Outcome::Yielded(clause, node) => {
                    if let Some(value) = ledger::inside(|| self.vm.goes_on(&mut self.host, &called, &node)) {
                        drop(ledger::inside(|| self.vm.wait_below(clause, yielded, called)));
                        return Ok((code, node, value));
                    }
                    let reply = ledger::inside(|| self.vm.reply_outside(&mut self.host, &called, &yielded, &node));
                    let answer = match reply {
                        None => {
                            drop(ledger::inside(|| self.vm.take_over(code, yielded, called)));
                            return Err(Outcome::Yielded(clause, node));
                        }
                        Some(Reply::Value(value)) => value,
                        Some(Reply::Clause(handler, outer)) => match self.clause(&node, handler, outer) {
                            Ok(answer) => answer,
                            Err((outer, next)) => {
                                drop(ledger::inside(|| self.vm.take_over(code, yielded, called)));
                                (code, yielded, called, came) = (clause, node, outer, next);
                                continue;
                            }
                        },
                        Some(reply) => {
                            drop(ledger::inside(|| self.vm.take_over(code, yielded, called)));
                            let Reply::Branch(new) = reply else { return Err(Outcome::Yielded(clause, node)) };
                            let answer = ledger::inside(|| self.vm.branch_at_once(&mut self.host, &clause, &node, new));
                            return Ok((clause, node, answer));
                        }
                    };
                    drop(node);
                    match self.send(clause, answer) {
                        Outcome::Returned(value) => {
                            match ledger::inside(|| self.vm.replied(&mut self.host, &mut called, value)) {
                                Ok(answer) => return Ok((code, yielded, answer)),
                                Err(value) => Outcome::Returned(value),
                            }
                        }
                        came => came,
                    }
                }
                Outcome::Returned(value)
                    if ledger::inside(|| self.vm.suspends_body(&mut self.host, &called, &value)) =>
                {
                    let (outside, _left) = ledger::inside(|| self.vm.suspend_body(code, called));
                    return Ok((outside, yielded, value));
                }
                came => {
                    drop(ledger::inside(|| self.vm.take_over(code, yielded, called)));
                    return Err(came);
                }
            };
        }
    }

    fn send(&mut self, mut code: Box<Generator>, answer: Value) -> Outcome<Scripted> {
        self.host.trash.clear();
        let sent = format!("send {} <- {answer}", code.name);
        let moved = code.send(answer);
        let (line, next) = moved_on(sent, code, moved);
        self.listing.push(line);
        next
    }

    /// A clause on the short way, and those outside of it to which its effect is passed on.
    fn clause(
        &mut self,
        yielded: &Value,
        mut handler: Handler,
        mut called: Called<Scripted>,
    ) -> Result<Value, (Called<Scripted>, Outcome<Scripted>)> {
        loop {
            let effect = called.effect.as_ref().unwrap_or(yielded).share();
            let k = called.k.as_ref().map(Value::share);
            let (line, came) = Self::python(PythonCall::Clause { handler, clause: called.clause, effect, k });
            self.listing.push(line);
            match came {
                Outcome::Returned(value) => {
                    let replied = ledger::inside(|| self.vm.replied(&mut self.host, &mut called, value));
                    return replied.map_err(|value| (called, Outcome::Returned(value)));
                }
                Outcome::Forwarded(node, effect) => {
                    match ledger::inside(|| self.vm.passed(&mut self.host, &called, &node, &effect)) {
                        Reply::Value(value) => return Ok(value),
                        Reply::Clause(outer, next) => (handler, called) = (outer, next),
                        _ => return Err((called, Outcome::Forwarded(node, effect))),
                    }
                }
                came => return Err((called, came)),
            }
        }
    }
}
