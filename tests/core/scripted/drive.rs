//! The driver: advances, runs the user code that the machine asks for, feeds the outcome, empties the trash. At the end
//! of a run it checks the books.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use segue::core::arena::LIVE_SEGMENTS;
use segue::core::dispatch::LIVE_CONTINUATIONS;
use segue::core::fault::{Cause, Fault, Refusal};
use segue::core::host::Form;
use segue::core::limits::Bounds;
use segue::core::native::Stance;
use segue::core::segment::Hooks;
use segue::core::step::{Event, Hook, Installation, Outcome, PythonCall, Remains, StepKind, Watch};
use segue::core::vm::Vm;

mod short;

use super::host::{Clones, Handler, Scripted, ScriptedHost};
use super::ledger;
use super::script::{Generator, Installable, Move};
use super::store::fulfil;
use super::value::{Datum, Error, Node, Value};

/// One machine at a time in this process, so that the process-wide counts are this test's.
static ALONE: Mutex<()> = Mutex::new(());

/// Held by whoever makes segments; a thread that has it may take it again.
pub type Turnstile = MutexGuard<'static, ()>;

thread_local! {
    static INSIDE: RefCell<Weak<Turnstile>> = const { RefCell::new(Weak::new()) };
}

/// Waits until no other thread makes segments.
pub fn alone() -> Rc<Turnstile> {
    INSIDE.with_borrow_mut(|inside| {
        inside.upgrade().unwrap_or_else(|| {
            let turnstile = Rc::new(ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            *inside = Rc::downgrade(&turnstile);
            turnstile
        })
    })
}

/// How a run ended, or why it stopped for the test.
pub enum Stop {
    Done(Value),
    Failed(Error),
    Exhausted,
    Async(Value),
    Attention,
    Idle(Option<Duration>),
}

/// A machine and its host.
pub struct Machine {
    pub vm: Vm<Scripted>,
    pub host: ScriptedHost,
    /// What the machine asked for and what came of it, and its steps.
    pub listing: Vec<String>,
    segments_before: usize,
    continuations_before: usize,
    /// What came of the last call, for the next turn.
    came: Option<Outcome<Scripted>>,
    /// What the machine asked for while a generator went on at once.
    next: Option<Event<Scripted>>,
    _alone: Rc<Turnstile>,
}

impl Machine {
    pub fn new(program: Value, bounds: Bounds, stepping: bool) -> Self {
        let alone = alone();
        let segments_before = LIVE_SEGMENTS.load(Ordering::Relaxed);
        let continuations_before = LIVE_CONTINUATIONS.load(Ordering::Relaxed);
        let vm = Vm::new(program, bounds, if stepping { Watch::Notes } else { Watch::Nothing });
        let (host, listing) = (ScriptedHost::default(), Vec::new());
        Self { vm, host, listing, segments_before, continuations_before, came: None, next: None, _alone: alone }
    }

    /// The segments of this machine that live (and of those that started after it).
    pub fn live_segments(&self) -> usize {
        LIVE_SEGMENTS.load(Ordering::Relaxed) - self.segments_before
    }

    /// The chains that are detached, of this machine (and of those that started after it).
    pub fn detached(&self) -> usize {
        LIVE_CONTINUATIONS.load(Ordering::Relaxed) - self.continuations_before
    }

    /// One event, and what comes of it.
    pub fn turn(&mut self) -> Option<Stop> {
        let event = match (self.next.take(), self.came.take()) {
            (Some(event), _) => event,
            (None, Some(outcome)) => ledger::inside(|| self.vm.advance_with(&mut self.host, outcome)),
            (None, None) => ledger::inside(|| self.vm.advance(&mut self.host)),
        };
        self.vm.publish();
        self.host.trash.clear();
        let (line, outcome) = match event {
            Event::Python(call) => {
                let (line, outcome) = Self::python(call);
                self.listing.push(line);
                return match self.reply(outcome) {
                    Ok(outcome) => {
                        self.came = Some(outcome);
                        None
                    }
                    Err(short::Stop::Await(action)) => self.stop("async", Stop::Async(action)),
                    Err(short::Stop::Went(flow)) => {
                        self.next = flow.break_value();
                        None
                    }
                };
            }
            Event::Fault(fault) => {
                let error = exception(fault);
                (format!("fault {error}"), Outcome::Raised(error))
            }
            Event::Stepped(note) => {
                let note = note.expect("notes are asked for");
                let kind = match note.kind {
                    StepKind::Enter => "enter",
                    StepKind::Exit => "exit",
                };
                let line =
                    format!("step {} {kind} {} depth={} {}", note.step, note.mode, note.dispatch_depth, note.subject);
                self.listing.push(line);
                return None;
            }
            Event::Sweep => {
                self.listing.push("sweep".to_owned());
                return None;
            }
            Event::Idle(at_most) => return self.stop("idle", Stop::Idle(at_most)),
            Event::Async(action) | Event::Await(action) => return self.stop("async", Stop::Async(action)),
            Event::Attention => return self.stop("attention", Stop::Attention),
            Event::Done(value) => return self.stop(&format!("done {value}"), Stop::Done(value)),
            Event::Failed(error) => return self.stop(&format!("failed {error}"), Stop::Failed(error)),
            Event::Exhausted => return self.stop("exhausted", Stop::Exhausted),
        };
        self.listing.push(line);
        self.came = Some(outcome);
        None
    }

    /// Feeds an outcome.
    pub fn feed(&mut self, outcome: Outcome<Scripted>) {
        ledger::inside(|| self.vm.receive(&mut self.host, outcome));
        self.vm.publish();
        self.host.trash.clear();
    }

    /// Turns until the run stops.
    pub fn go(&mut self) -> Stop {
        loop {
            if let Some(stop) = self.turn() {
                return stop;
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the tail of each arm that stops")]
    fn stop(&mut self, line: &str, stop: Stop) -> Option<Stop> {
        self.listing.push(line.to_owned());
        Some(stop)
    }

    fn python(call: PythonCall<Scripted>) -> (String, Outcome<Scripted>) {
        match call {
            PythonCall::Send(mut code, value) => {
                let line = format!("send {} <- {value}", code.name);
                let moved = code.send(value);
                moved_on(line, code, moved)
            }
            PythonCall::Throw(mut code, error) => {
                let line = format!("throw {} <- {error}", code.name);
                let moved = code.throw(error);
                moved_on(line, code, moved)
            }
            PythonCall::Start(call) => start("start", &call.function, call.arguments),
            PythonCall::Call(call) => returned("call", &call.function, call.arguments),
            PythonCall::Apply(function, argument) => returned("apply", &function, vec![argument]),
            PythonCall::Clause { handler, clause, effect, k } => {
                let clause = &handler.0.clauses[clause.index()];
                let mut arguments = vec![effect.share()];
                arguments.extend(k);
                match clause.form {
                    Form::Value => {
                        let (line, outcome) = returned("clause", &clause.function, arguments);
                        match outcome {
                            Outcome::Returned(node)
                                if matches!(node.datum(), Datum::Node(Node::Pass | Node::Delegate)) =>
                            {
                                (line, Outcome::Forwarded(node, effect))
                            }
                            outcome => (line, outcome),
                        }
                    }
                    _ => start("clause", &clause.function, arguments),
                }
            }
            PythonCall::Install(node) => match node.datum() {
                Datum::Node(Node::WithHandler(handler, _)) => install("install", handler),
                _ => panic!("{node} installs nothing"),
            },
            PythonCall::Hook(handler, hook, argument) => {
                let hook = match hook {
                    Hook::Enter => Hooks::ENTER,
                    Hook::Result => Hooks::RESULT,
                    Hook::Exit => Hooks::EXIT,
                    Hook::Fork => Hooks::FORK,
                };
                start("hook", method(&handler, hook), argument.into_iter().collect())
            }
            PythonCall::ErrorHook(handler, error) => {
                start("hook", method(&handler, Hooks::ERROR), vec![Value::new(Datum::Failed(error))])
            }
            PythonCall::Adopt(_, forked) => install("adopt", &forked),
            PythonCall::Request(request) => {
                let line = format!("request {}", request.key);
                match fulfil(request) {
                    Ok(value) => (format!("{line} => return {value}"), Outcome::Returned(value)),
                    Err(error) => (format!("{line} => raise {error}"), Outcome::Raised(error)),
                }
            }
        }
    }

    /// Closes what is left without effects, as after the grace, and gives the names of the closed generators and installations.
    pub fn close(&mut self) -> Vec<String> {
        if let Some(came) = self.came.take() {
            self.feed(came);
        }
        let remains = ledger::inside(|| self.vm.abandon(&mut self.host));
        self.host.trash.clear();
        let name = |left: Remains<Scripted>| match left {
            Remains::Code(code) => code.close(),
            Remains::Exit(handler) => format!("exit of {}", handler.0.name),
        };
        remains.into_iter().map(name).collect()
    }

    /// Ends a run that stopped, and checks the books.
    pub fn finish(mut self, stop: Stop) -> Report {
        let mut closed = Vec::new();
        let (result, exhausted) = match stop {
            Stop::Done(value) => (Ok(value), false),
            Stop::Failed(error) => (Err(error), false),
            Stop::Exhausted => {
                closed = self.close();
                (Err(Error::new("LimitExceeded", "the grace is used up")), true)
            }
            Stop::Async(_) | Stop::Attention | Stop::Idle(_) => panic!("the run has not ended"),
        };
        let unobserved = self.vm.take_unobserved().into_iter().map(|one| Unobserved {
            error: match one.cause {
                Cause::Error(error) => error,
                Cause::Fault(fault) => exception(fault),
            },
            origin: one.origin.map(|origin| origin.to_string()),
        });
        let unobserved = unobserved.collect();
        if !exhausted {
            assert_eq!(self.detached(), 0, "no chain is left detached (semantics 3)");
            assert_eq!(self.live_segments(), 1, "only the root is left of a run that ended (semantics 3)");
        }
        let meter = self.vm.meter();
        let report = Report {
            result,
            unobserved,
            closed,
            steps: meter.steps(),
            peak_calls: meter.peak_calls(),
            peak_segments: meter.peak_segments(),
            clones: self.host.clones.get(),
            selections: self.host.selections.get(),
            listing: std::mem::take(&mut self.listing),
        };
        let (segments_before, continuations_before) = (self.segments_before, self.continuations_before);
        let Self { vm, host, _alone: alone, .. } = self;
        drop(vm);
        drop(host);
        assert_eq!(LIVE_SEGMENTS.load(Ordering::Relaxed), segments_before, "a machine that is gone leaves no segment");
        let detached = LIVE_CONTINUATIONS.load(Ordering::Relaxed);
        assert_eq!(detached, continuations_before, "a machine that is gone leaves no detached chain");
        drop(alone);
        let dropped = ledger::take_dropped_inside();
        assert!(dropped.is_empty(), "dropped while the machine ran (architecture, rule 5): {dropped:#?}");
        let suspended = ledger::take_left_suspended();
        assert!(suspended.is_empty(), "left suspended (semantics 3): {suspended:?}");
        report
    }
}

fn method(handler: &Handler, hook: Hooks) -> &Value {
    let found = handler.0.methods.iter().find(|(known, _)| *known == hook);
    &found.expect("a method is called that the handler has").1
}

fn moved_on(line: String, code: Box<Generator>, moved: Move) -> (String, Outcome<Scripted>) {
    match moved {
        Move::Yielded(value) => (format!("{line} => yield {value}"), Outcome::Yielded(code, value)),
        Move::Returned(value) => (format!("{line} => return {value}"), Outcome::Returned(value)),
        Move::Raised(error) => (format!("{line} => raise {error}"), Outcome::Raised(error)),
    }
}

fn started(function: &Value, arguments: Vec<Value>) -> (Box<Generator>, Move) {
    let Datum::Function(known) = function.datum() else {
        panic!("a function was expected, not {function}");
    };
    let mut code = Box::new(known.generator(arguments));
    let moved = code.start();
    (code, moved)
}

fn start(verb: &str, function: &Value, arguments: Vec<Value>) -> (String, Outcome<Scripted>) {
    let line = shown(verb, function, &arguments);
    let (code, moved) = started(function, arguments);
    moved_on(line, code, moved)
}

/// Runs a plain function.
pub fn call_plain(function: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    match started(function, arguments).1 {
        Move::Yielded(value) => panic!("{function} is no plain function: it yielded {value}"),
        Move::Returned(value) => Ok(value),
        Move::Raised(error) => Err(error),
    }
}

fn returned(verb: &str, function: &Value, arguments: Vec<Value>) -> (String, Outcome<Scripted>) {
    let line = shown(verb, function, &arguments);
    match call_plain(function, arguments) {
        Ok(value) => (format!("{line} => return {value}"), Outcome::Returned(value)),
        Err(error) => (format!("{line} => raise {error}"), Outcome::Raised(error)),
    }
}

fn shown(verb: &str, function: &Value, arguments: &[Value]) -> String {
    let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    format!("{verb} {function}({})", arguments.join(", "))
}

fn install(verb: &str, handler: &Value) -> (String, Outcome<Scripted>) {
    match handler.datum() {
        Datum::Handler(installable) => {
            let installable: &std::sync::Arc<Installable> = installable;
            let native = installable.native.as_ref().map(|fresh| fresh());
            let ready = Installation { handler: Handler::new(installable), native, hooks: installable.hooks };
            (format!("{verb} {handler}"), Outcome::Installed(ready))
        }
        _ => {
            let error = Error::new("TypeError", format!("{handler} is no handler"));
            (format!("{verb} => raise {error}"), Outcome::Raised(error))
        }
    }
}

/// The exception for a continuation that cannot be used.
pub fn refused(refusal: &Refusal<Scripted>) -> Error {
    let text = match refusal {
        Refusal::Used(fate, by) => match by {
            Some(label) => format!("{fate:?} by {}", label.0),
            None => format!("{fate:?}"),
        },
        Refusal::Finished => "its run is over".to_owned(),
        Refusal::Foreign => "it belongs to another run".to_owned(),
    };
    Error::new("ContinuationError", text)
}

fn exception(fault: Fault<Scripted>) -> Error {
    let (class, text) = match fault {
        Fault::Unhandled { effect, handlers, walled } => {
            let handlers: Vec<_> = handlers.iter().map(|label| label.0.as_str()).collect();
            let wall = if walled { ", at a wall" } else { "" };
            ("UnhandledEffectError", format!("{effect} in [{}]{wall}", handlers.join(", ")))
        }
        Fault::NotProgram(value, place) => ("TypeError", format!("{value} at {place:?}")),
        Fault::Refused(refusal) => return refused(&refusal),
        Fault::OutsideClause(node) => ("ContinuationError", format!("{node} outside a clause")),
        Fault::NoContinuation => ("ContinuationError", "a value clause has no k".to_owned()),
        Fault::PassAfterUse => ("ContinuationError", "Pass after k was used or kept".to_owned()),
        Fault::FirstValue(value) => ("TypeError", format!("the first value is {value}")),
        Fault::NotRunning => ("ContinuationError", "not a body of this handler".to_owned()),
        Fault::Closed => ("RunClosedError", String::new()),
        Fault::Cancelled(_) => ("Cancelled", String::new()),
        Fault::TaskCancelled(_) => ("TaskCancelledError", String::new()),
        Fault::Again(again) if again.later.is_empty() => return again.error,
        Fault::Again(again) => (again.error.class(), format!("{} and {} later", again.error.text(), again.later.len())),
        Fault::Deadlock(stuck) => {
            let told = stuck.iter().map(|one| {
                let at = one.place.as_ref().map_or_else(String::new, |place| format!(" at {place}"));
                let Stance::Waiting(effect) = &one.stance else { panic!("who is stuck waits") };
                format!("{effect}{at}")
            });
            ("DeadlockError", told.collect::<Vec<_>>().join("; "))
        }
        Fault::Unfinished(_) => ("UnfinishedTaskError", String::new()),
        Fault::Completed(_) => ("PromiseCompletedError", String::new()),
        Fault::Broken(_) => ("BrokenPromiseError", String::new()),
        Fault::HeldAlready(_) => ("LockError", "held already".to_owned()),
        Fault::NotHeld(_) => ("LockError", "not held".to_owned()),
        Fault::ChannelClosed(_) => ("ChannelClosedError", String::new()),
        Fault::Unfit(effect) => ("TypeError", effect.to_string()),
        Fault::TaskEnded(value) => ("TaskEndedError", value.to_string()),
        Fault::MissingKey { key, .. } => ("MissingKeyError", key.to_string()),
        Fault::Cycle(_) => ("CycleError", String::new()),
        Fault::Exceeded(bound) => ("LimitExceeded", format!("{bound:?}")),
        Fault::Memory => ("MemoryError", String::new()),
        Fault::Internal(text) => ("InternalError", text.to_owned()),
    };
    Error::new(class, text)
}

/// An error that nobody waits for.
pub struct Unobserved {
    pub error: Error,
    pub origin: Option<String>,
}

/// What is known of a run that ended.
pub struct Report {
    pub result: Result<Value, Error>,
    pub unobserved: Vec<Unobserved>,
    pub closed: Vec<String>,
    pub steps: u64,
    pub peak_calls: usize,
    pub peak_segments: usize,
    pub clones: Clones,
    pub selections: usize,
    pub listing: Vec<String>,
}

impl Report {
    /// The value or the error, as text.
    pub fn shown(&self) -> String {
        match &self.result {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub fn error(&self) -> &Error {
        self.result.as_ref().expect_err("the run failed")
    }
}

/// A run under construction.
pub struct Run {
    program: Value,
    bounds: Bounds,
    stepping: bool,
}

impl Run {
    pub fn new(program: impl Into<Value>) -> Self {
        // A machine that goes round in circles fails a test, and does not hang it.
        let bounds = Bounds { steps: Some(1_000_000), segments: Some(20_000), grace: 10_000, ..Bounds::default() };
        Self { program: program.into(), bounds, stepping: false }
    }

    pub fn bounds(mut self, change: impl FnOnce(&mut Bounds)) -> Self {
        change(&mut self.bounds);
        self
    }

    /// Every step is an event.
    pub fn stepping(mut self) -> Self {
        self.stepping = true;
        self
    }

    pub fn machine(self) -> Machine {
        Machine::new(self.program, self.bounds, self.stepping)
    }

    pub fn go(self) -> Report {
        let mut machine = self.machine();
        loop {
            match machine.go() {
                Stop::Attention => {}
                Stop::Idle(at_most) => {
                    machine.vm.mailbox().wait(at_most.unwrap_or(Duration::from_secs(5)));
                    machine.feed(Outcome::Returned(Value::unit()));
                }
                Stop::Async(action) => machine.feed(Outcome::Returned(action)),
                stop => return machine.finish(stop),
            }
        }
    }
}

/// Runs the program, and checks the books.
pub fn run(program: impl Into<Value>) -> Report {
    Run::new(program).go()
}
