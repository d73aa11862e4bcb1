//! The reference model: the laws on one flat stack.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use segue::core::host::Form;

use crate::scripted::script::{Clause as Written, Generator, Move};
use crate::scripted::value::{Datum, Node, Token};
use crate::scripted::{Answered, Error, Value};

/// What waits, outermost first.
enum Item {
    Program(Box<Generator>),
    /// The marker of an installation.
    Prompt {
        id: u64,
        handler: Value,
    },
    Wall(Value),
    Try,
    Clause(Clause),
    /// Waits for the answer of a plain value clause.
    Answer,
    Unwinding {
        thrown: Error,
        then: Then,
    },
}

/// A clause at work.
struct Clause {
    effect: Value,
    /// Its `k`; a value clause has none.
    k: Option<Value>,
    chain: u64,
    prompt: u64,
    settled: bool,
}

enum Then {
    Deliver(Value),
    Leave(Clause, Leaving),
}

/// What a clause hands over when its open blocks are done; its `k` is taken already.
enum Leaving {
    Own(Answered),
    Pass,
}

/// What happens next.
enum Mode {
    Come(Answered),
    Evaluate(Value),
}

#[derive(Default)]
struct Model {
    stack: Vec<Item>,
    /// The detached chains, by the number of their capture.
    chains: BTreeMap<u64, (Vec<Item>, Option<Value>)>,
    captures: u64,
    prompts: u64,
}

fn value(value: Value) -> Mode {
    Mode::Come(Ok(value))
}

fn raise(error: Error) -> Mode {
    Mode::Come(Err(error))
}

fn refused(class: &'static str) -> Mode {
    raise(Error::new(class, ""))
}

fn token(k: &Value) -> &Token {
    match k.datum() {
        Datum::Token(token) => token,
        _ => panic!("the model's continuations are tokens"),
    }
}

/// Uses the clause's `k`, when it was neither used nor kept.
fn use_fresh(clause: &Clause) -> bool {
    clause.k.as_ref().is_none_or(|k| {
        let token = token(k);
        !token.kept.load(Ordering::Relaxed) && !token.used.swap(true, Ordering::Relaxed)
    })
}

/// What was taken is not used after all.
fn give_back(clause: &Clause) {
    if let Some(k) = &clause.k {
        token(k).used.store(false, Ordering::Relaxed);
    }
}

fn clause_of(handler: &Value) -> &Written {
    match handler.datum() {
        Datum::Handler(installable) => &installable.clauses[0],
        _ => panic!("a handler was expected"),
    }
}

fn accepts(handler: &Value, effect: &Value) -> bool {
    let Datum::Effect(class, _) = effect.datum() else { panic!("an effect was expected") };
    class.mro().any(|class| clause_of(handler).classes.contains(&class))
}

/// Whether the value ends the clause when it is returned.
fn ends(clause: &Clause, returned: &Value) -> bool {
    match returned.datum() {
        Datum::Node(Node::Pass | Node::Delegate) => true,
        Datum::Node(
            Node::Resume(k, _)
            | Node::Transfer(k, _)
            | Node::ResumeThrow(k, _)
            | Node::TransferThrow(k, _)
            | Node::Discontinue(k),
        ) => clause.k.as_ref().is_some_and(|own| own.same(k)),
        _ => false,
    }
}

impl Model {
    fn moved(&mut self, code: Box<Generator>, moved: Move) -> Mode {
        match moved {
            Move::Yielded(yielded) => {
                self.stack.push(Item::Program(code));
                Mode::Evaluate(yielded)
            }
            Move::Returned(returned) => value(returned),
            Move::Raised(error) => raise(error),
        }
    }

    fn start(&mut self, function: &Value, arguments: Vec<Value>) -> Mode {
        let Datum::Function(function) = function.datum() else { panic!("a function was expected") };
        let mut code = Box::new(function.generator(arguments));
        let moved = code.start();
        self.moved(code, moved)
    }

    fn turn(&mut self, mode: Mode) -> Mode {
        match mode {
            Mode::Evaluate(node) => self.evaluate(&node),
            Mode::Come(came) => match self.stack.pop().expect("something waits") {
                Item::Program(mut code) => {
                    let moved = match came {
                        Ok(value) => code.send(value),
                        Err(error) => code.throw(error),
                    };
                    self.moved(code, moved)
                }
                Item::Prompt { .. } | Item::Wall(_) | Item::Answer => Mode::Come(came),
                Item::Try => Mode::Come(match came {
                    Err(error) if !error.is_exception() => Err(error),
                    Err(error) => Ok(Value::new(Datum::Failed(error))),
                    Ok(value) => Ok(Value::new(Datum::Okay(value))),
                }),
                Item::Clause(clause) => match came {
                    Ok(returned) => self.clause_returned(clause, returned),
                    Err(error) => self.clause_raised(clause, error),
                },
                Item::Unwinding { thrown, then } => match (came, then) {
                    (Err(error), Then::Deliver(_)) if !error.same(&thrown) => raise(error),
                    (Err(error), Then::Leave(clause, _)) if !error.same(&thrown) => {
                        give_back(&clause);
                        self.clause_raised(clause, error)
                    }
                    (_, Then::Deliver(then)) => value(then),
                    (_, Then::Leave(clause, leaving)) => self.leave(clause, leaving),
                },
            },
        }
    }

    fn evaluate(&mut self, node: &Value) -> Mode {
        let Datum::Node(control) = node.datum() else {
            let top = self.stack.len();
            return self.dispatch(top, node.share());
        };
        match control {
            Node::Do(function, arguments) => self.start(function, arguments.iter().map(Value::share).collect()),
            Node::WithHandler(handler, program) => {
                self.prompts += 1;
                self.stack.push(Item::Prompt { id: self.prompts, handler: handler.share() });
                Mode::Evaluate(program.share())
            }
            Node::Seal(allow, program) => {
                self.stack.push(Item::Wall(allow.share()));
                Mode::Evaluate(program.share())
            }
            Node::Try(program) => {
                self.stack.push(Item::Try);
                Mode::Evaluate(program.share())
            }
            Node::Resume(k, with) => self.resume(k, Ok(with.share())),
            Node::ResumeThrow(k, error) => self.resume(k, Err(error.share())),
            Node::Transfer(k, with) => self.transfer(k, Ok(with.share())),
            Node::TransferThrow(k, error) => self.transfer(k, Err(error.share())),
            Node::Discontinue(k) => self.discontinue(k),
            Node::Delegate => match self.nearest_clause() {
                Some(at) => {
                    let effect = self.clause(at).effect.share();
                    let top = self.stack.len();
                    self.dispatch(top, effect)
                }
                None => refused("ContinuationError"),
            },
            Node::Pass => match self.nearest_clause() {
                Some(at) if !self.passes(at) && use_fresh(self.clause(at)) => self.depart(at, Leaving::Pass),
                _ => refused("ContinuationError"),
            },
            _ => panic!("the model does not know {node}"),
        }
    }

    /// Gives the effect to the nearest installation below `below` that accepts it; walls stop what they do not list.
    fn dispatch(&mut self, below: usize, effect: Value) -> Mode {
        let mut found = None;
        for (at, item) in self.stack[..below].iter().enumerate().rev() {
            match item {
                Item::Prompt { id, handler } if accepts(handler, &effect) => {
                    found = Some((at, *id, handler.share()));
                    break;
                }
                Item::Wall(allow) => {
                    let Datum::Classes(classes) = allow.datum() else { panic!("a wall is a list of classes") };
                    let Datum::Effect(class, _) = effect.datum() else { panic!("an effect was expected") };
                    if !classes.contains(class) {
                        return refused("UnhandledEffectError");
                    }
                }
                _ => {}
            }
        }
        let Some((at, prompt, handler)) = found else {
            return refused("UnhandledEffectError");
        };
        let written = clause_of(&handler);
        if written.form == Form::Value {
            self.stack.push(Item::Answer);
            return match self.start(&written.function, vec![effect.share()]) {
                Mode::Come(Ok(returned)) if matches!(returned.datum(), Datum::Node(Node::Pass | Node::Delegate)) => {
                    self.stack.pop();
                    let chain = self.capture(at, None);
                    self.stack.push(Item::Clause(Clause { effect, k: None, chain, prompt, settled: false }));
                    value(returned)
                }
                mode => mode,
            };
        }
        let control = written.form == Form::Control;
        let k = control.then(|| {
            let token = Token { chain: self.captures + 1, used: AtomicBool::new(false), kept: AtomicBool::new(false) };
            Value::new(Datum::Token(token))
        });
        let chain = self.capture(at, k.as_ref());
        let mut arguments = vec![effect.share()];
        arguments.extend(k.as_ref().map(Value::share));
        self.stack.push(Item::Clause(Clause { effect, k, chain, prompt, settled: false }));
        self.start(&written.function, arguments)
    }

    fn capture(&mut self, at: usize, k: Option<&Value>) -> u64 {
        self.captures += 1;
        let chain = self.stack.split_off(at);
        self.chains.insert(self.captures, (chain, k.map(Value::share)));
        self.captures
    }

    /// Puts a chain back on the stack.
    fn attach(&mut self, chain: u64) {
        let (items, _) = self.chains.remove(&chain).expect("a chain is used once");
        self.stack.extend(items);
    }

    /// Takes a continuation for its one use.
    fn take(&mut self, k: &Value) -> Option<u64> {
        let token = token(k);
        (!token.used.swap(true, Ordering::Relaxed) && self.chains.contains_key(&token.chain)).then_some(token.chain)
    }

    fn resume(&mut self, k: &Value, with: Answered) -> Mode {
        match self.take(k) {
            Some(chain) => {
                self.attach(chain);
                Mode::Come(with)
            }
            None => refused("ContinuationError"),
        }
    }

    fn discontinue(&mut self, k: &Value) -> Mode {
        match self.take(k) {
            Some(chain) => self.unwind(chain, Value::unit()),
            None => refused("ContinuationError"),
        }
    }

    fn unwind(&mut self, chain: u64, then: Value) -> Mode {
        let thrown = Error::new("Discontinued", "");
        self.stack.push(Item::Unwinding { thrown: thrown.share(), then: Then::Deliver(then) });
        self.attach(chain);
        raise(thrown)
    }

    fn clause(&self, at: usize) -> &Clause {
        match &self.stack[at] {
            Item::Clause(clause) | Item::Unwinding { then: Then::Leave(clause, _), .. } => clause,
            _ => panic!("a clause was found there"),
        }
    }

    /// Whether the clause has handed its effect outward, and only its open blocks are being run.
    fn passes(&self, at: usize) -> bool {
        matches!(self.stack[at], Item::Unwinding { then: Then::Leave(_, Leaving::Pass), .. })
    }

    fn nearest_clause(&self) -> Option<usize> {
        let mut crossed = HashSet::new();
        for (at, item) in self.stack.iter().enumerate().rev() {
            match item {
                Item::Prompt { id, .. } => {
                    crossed.insert(*id);
                }
                Item::Wall(_) => return None,
                Item::Clause(clause) | Item::Unwinding { then: Then::Leave(clause, _), .. }
                    if !crossed.contains(&clause.prompt) =>
                {
                    return Some(at);
                }
                _ => {}
            }
        }
        None
    }

    /// Only a clause's transfer to its own `k` is played.
    fn transfer(&mut self, k: &Value, with: Answered) -> Mode {
        match self.nearest_clause() {
            Some(at) if !token(k).used.swap(true, Ordering::Relaxed) => self.depart(at, Leaving::Own(with)),
            _ => refused("ContinuationError"),
        }
    }

    fn depart(&mut self, at: usize, leaving: Leaving) -> Mode {
        let thrown = Error::new("Discontinued", "");
        // What a clause was about to do is given up for what its clean-up says.
        let item = std::mem::replace(&mut self.stack[at], Item::Try);
        let (Item::Clause(clause) | Item::Unwinding { then: Then::Leave(clause, _), .. }) = item else {
            panic!("a clause was found there");
        };
        self.stack[at] = Item::Unwinding { thrown: thrown.share(), then: Then::Leave(clause, leaving) };
        raise(thrown)
    }

    fn leave(&mut self, clause: Clause, leaving: Leaving) -> Mode {
        match leaving {
            Leaving::Own(with) => {
                self.attach(clause.chain);
                Mode::Come(with)
            }
            Leaving::Pass => self.pass(&clause),
        }
    }

    fn pass(&mut self, clause: &Clause) -> Mode {
        let outside = self.stack.len();
        self.attach(clause.chain);
        self.dispatch(outside, clause.effect.share())
    }

    fn clause_returned(&mut self, mut clause: Clause, returned: Value) -> Mode {
        if !clause.settled && ends(&clause, &returned) {
            clause.settled = true;
            let Datum::Node(node) = returned.datum() else { panic!("what ends a clause is a node") };
            return match node {
                Node::Pass if use_fresh(&clause) => self.pass(&clause),
                Node::Pass => refused("ContinuationError"),
                Node::Resume(k, with) | Node::Transfer(k, with) => self.resume(k, Ok(with.share())),
                Node::ResumeThrow(k, error) | Node::TransferThrow(k, error) => self.resume(k, Err(error.share())),
                _ => {
                    self.stack.push(Item::Clause(clause));
                    // `Delegate()` of a clause that returned it is this clause's, whatever was crossed.
                    self.evaluate(&returned)
                }
            };
        }
        match &clause.k {
            None => {
                self.attach(clause.chain);
                value(returned)
            }
            Some(_) if use_fresh(&clause) => self.unwind(clause.chain, returned),
            Some(_) => value(returned),
        }
    }

    fn clause_raised(&mut self, clause: Clause, error: Error) -> Mode {
        if use_fresh(&clause) {
            self.attach(clause.chain);
        }
        raise(error)
    }

    /// The kept chains that nobody let go, in the order of capture; later, while their clause is at work in another.
    fn left(&self) -> Vec<u64> {
        let items = self.chains.values().flat_map(|(items, _)| items);
        let at_work: HashSet<u64> = items
            .filter_map(|item| match item {
                Item::Clause(clause) | Item::Unwinding { then: Then::Leave(clause, _), .. } => Some(clause.chain),
                _ => None,
            })
            .collect();
        let kept = self.chains.iter().filter(|(_, (_, k))| {
            k.as_ref().is_some_and(|k| token(k).kept.load(Ordering::Relaxed) && !token(k).used.load(Ordering::Relaxed))
        });
        let (later, mut first): (Vec<_>, Vec<_>) = kept.map(|(chain, _)| *chain).partition(|one| at_work.contains(one));
        if first.is_empty() {
            return later;
        }
        if self.chains.keys().any(|chain| at_work.contains(chain)) {
            // What it lets go may come before the next one.
            first.truncate(1);
        }
        first
    }

    /// The next chain to unwind at the end of the run; `plan` is what is left of the last look.
    fn next_left(&mut self, plan: &mut Vec<u64>) -> Option<u64> {
        loop {
            if plan.is_empty() {
                *plan = self.left();
                plan.reverse();
            }
            let chain = plan.pop()?;
            let unused = |k: &Value| !token(k).used.swap(true, Ordering::Relaxed);
            if self.chains.get(&chain).is_some_and(|(_, k)| k.as_ref().is_some_and(unused)) {
                return Some(chain);
            }
        }
    }
}

/// Runs a program, and gives its result and the classes of the unobserved errors.
pub fn run(program: Value) -> (Answered, Vec<String>) {
    let mut model = Model::default();
    let mut mode = Mode::Evaluate(program);
    let mut result: Option<Answered> = None;
    let (mut unobserved, mut plan) = (Vec::new(), Vec::new());
    loop {
        match mode {
            Mode::Come(came) if model.stack.is_empty() => {
                match (&result, came) {
                    (None, came) => result = Some(came),
                    (Some(_), Err(error)) if error.is_exception() => unobserved.push(error.class().to_owned()),
                    (Some(_), Err(error)) => result = Some(Err(error)),
                    (Some(_), Ok(_)) => {}
                }
                let Some(chain) = model.next_left(&mut plan) else { break };
                mode = model.unwind(chain, Value::unit());
            }
            going => mode = model.turn(going),
        }
    }
    assert!(model.chains.is_empty(), "the model leaves no chain behind");
    (result.expect("a run has a result"), unobserved)
}
