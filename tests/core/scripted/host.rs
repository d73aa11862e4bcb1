//! What the machine asks of the scripted world. No answer drops anything: what is dead goes to the trash.

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

use segue::core::continuation::ContinuationCell;
use segue::core::ctrl::Ctrl;
use segue::core::frame::Resumption;
use segue::core::host::{Form, Host, Plain, World};
use segue::core::ids::ClauseId;
use segue::effects::Handle;

use super::ledger;
use super::script::{Generator, Installable};
use super::value::{Class, Datum, Error, Node, Value};

/// The scripted world.
pub struct Scripted;

impl World for Scripted {
    type Value = Value;
    type Error = Error;
    type Code = Box<Generator>;
    type ClassId = Class;
    type Class = HeldClass;
    type Handler = Handler;
    type Call = Box<Calling>;
    type Label = Label;
    type Request = Request;
    type Object = Handle<Self>;
}

macro_rules! counted {
    ($name:ident, $shown:expr) => {
        impl Drop for $name {
            fn drop(&mut self) {
                let shown: fn(&Self) -> String = $shown;
                ledger::dropped(|| format!("{} {}", stringify!($name), shown(self)));
            }
        }
    };
}

/// What keeps a class alive.
pub struct HeldClass(Class);
counted!(HeldClass, |held| held.0.name().to_owned());

/// An installed handler.
pub struct Handler(pub Arc<Installable>);
counted!(Handler, |handler| handler.0.name.clone());

impl Handler {
    pub fn new(installable: &Arc<Installable>) -> Self {
        ledger::made();
        Self(Arc::clone(installable))
    }
}

/// A name.
#[derive(Debug)]
pub struct Label(pub String);
counted!(Label, |label| label.0.clone());

impl Label {
    fn new(name: &str) -> Self {
        ledger::made();
        Self(name.to_owned())
    }

    pub fn share(&self) -> Self {
        Self::new(&self.0)
    }
}

/// A function with its arguments.
pub struct Calling {
    pub function: Value,
    pub arguments: Vec<Value>,
}

/// Work for the driver: replace what stands under a key by a function of it, and give the old value.
pub struct Request {
    pub mapping: Value,
    pub key: Value,
    pub function: Option<Value>,
}

/// How often the machine took a second owner.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Clones {
    pub values: usize,
    pub errors: usize,
    pub handlers: usize,
}

/// The scripted host.
#[derive(Default)]
pub struct ScriptedHost {
    /// What is dead, for the driver to drop.
    pub trash: Vec<Box<dyn Any>>,
    /// Second owners taken.
    pub clones: Cell<Clones>,
    /// Handlers asked for a clause.
    pub selections: Cell<usize>,
}

impl ScriptedHost {
    pub(super) fn count(&self, count: impl FnOnce(&mut Clones)) {
        let mut clones = self.clones.get();
        count(&mut clones);
        self.clones.set(clones);
    }

    pub(super) fn throw_away(&mut self, dead: impl Any) {
        self.trash.push(Box::new(dead));
    }
}

fn effect_class(effect: &Value) -> Class {
    match effect.datum() {
        Datum::Effect(class, _) => *class,
        _ => panic!("an effect was expected, not {effect}"),
    }
}

fn shared(values: &[Value]) -> Vec<Value> {
    values.iter().map(Value::share).collect()
}

fn calling(function: &Value, arguments: &[Value]) -> Calling {
    Calling { function: function.share(), arguments: shared(arguments) }
}

fn with(value: &Value) -> Resumption<Scripted> {
    Resumption::Value(value.share())
}

fn raising(error: &Error) -> Resumption<Scripted> {
    Resumption::Error(error.share())
}

impl Host<Scripted> for ScriptedHost {
    fn classify(&mut self, value: Value) -> Ctrl<Scripted> {
        let ctrl = match value.datum() {
            Datum::Effect(..) => return Ctrl::Perform(value),
            Datum::Node(Node::WithHandler(_, program)) => {
                let program = program.share();
                return Ctrl::WithHandler { node: value, program };
            }
            Datum::Node(node) => match node {
                Node::Pure(result) => Ctrl::Pure(result.share()),
                Node::Map(program, function) => Ctrl::Map(program.share(), function.share()),
                Node::FlatMap(program, function) => Ctrl::FlatMap(program.share(), function.share()),
                Node::Call(function, arguments) => Ctrl::Call(Box::new(calling(function, arguments))),
                Node::Do(function, arguments) => Ctrl::Do(Box::new(calling(function, arguments))),
                Node::WithHandler(..) => unreachable!("the arm above"),
                Node::WithIntercept(function, program) => Ctrl::WithIntercept(function.share(), program.share()),
                Node::Seal(allow, program) => Ctrl::Seal(allow.share(), program.share()),
                Node::Try(program) => Ctrl::Try(program.share()),
                Node::Bracket(acquire, usage, release) => {
                    Ctrl::Bracket { acquire: acquire.share(), usage: usage.share(), release: release.share() }
                }
                Node::Resume(k, result) => Ctrl::Resume(k.share(), with(result)),
                Node::ResumeThrow(k, error) => Ctrl::Resume(k.share(), raising(error)),
                Node::Transfer(k, result) => Ctrl::Transfer(k.share(), with(result)),
                Node::TransferThrow(k, error) => Ctrl::Transfer(k.share(), raising(error)),
                Node::Discontinue(k) => Ctrl::Discontinue(k.share()),
                Node::Delegate => Ctrl::Delegate,
                Node::Pass => Ctrl::Pass,
                Node::GetContinuation => Ctrl::GetContinuation,
                Node::GetHandlers(k) => Ctrl::GetHandlers(k.as_ref().map(Value::share)),
                Node::GetExecutionContext => Ctrl::GetExecutionContext,
                Node::CreateContinuation(program) => Ctrl::CreateContinuation(program.share()),
                Node::Inherit(k, program) => Ctrl::Inherit(k.share(), program.share()),
                Node::Escape(action) => Ctrl::Escape(action.share()),
            },
            _ => return Ctrl::NotProgram(value),
        };
        self.throw_away(value);
        ctrl
    }

    fn class_of(&self, value: &Value) -> Class {
        match value.datum() {
            Datum::Effect(class, _) => *class,
            _ => Class(usize::MAX),
        }
    }

    fn hold_class(&self, effect: &Value) -> HeldClass {
        ledger::made();
        HeldClass(effect_class(effect))
    }

    fn select(&self, handler: &Handler, effect: &Value) -> Option<ClauseId> {
        self.selections.set(self.selections.get() + 1);
        let clauses = &handler.0.clauses;
        let by_class = |class| clauses.iter().position(|clause| clause.classes.contains(&class));
        let found = effect_class(effect).mro().find_map(by_class);
        let found = found.or_else(|| clauses.iter().position(|clause| clause.classes.is_empty()))?;
        Some(ClauseId(u32::try_from(found).expect("a test's handler has few clauses")))
    }

    fn form(&self, handler: &Handler, clause: ClauseId) -> Form {
        handler.0.clauses[clause.index()].form
    }

    fn allows(&self, allow: &Value, effect: &Value) -> bool {
        match allow.datum() {
            Datum::Classes(classes) => classes.contains(&effect_class(effect)),
            _ => panic!("a wall was built of {allow}"),
        }
    }

    fn ends_clause(&self, value: &Value, own: Option<&Value>) -> bool {
        match value.datum() {
            Datum::Node(Node::Pass | Node::Delegate) => true,
            Datum::Node(
                Node::Resume(k, _)
                | Node::Transfer(k, _)
                | Node::ResumeThrow(k, _)
                | Node::TransferThrow(k, _)
                | Node::Discontinue(k),
            ) => own.is_some_and(|own| own.same(k)),
            _ => false,
        }
    }

    fn clone_value(&self, value: &Value) -> Value {
        self.count(|clones| clones.values += 1);
        value.share()
    }

    fn clone_handler(&self, handler: &Handler) -> Handler {
        self.count(|clones| clones.handlers += 1);
        Handler::new(&handler.0)
    }

    fn label(&self, handler: &Handler, clause: ClauseId) -> Label {
        match handler.0.clauses[clause.index()].function.datum() {
            Datum::Function(function) => Label::new(&function.name),
            _ => unreachable!("clauses are functions"),
        }
    }

    fn same_error(&self, one: &Error, other: &Error) -> bool {
        one.same(other)
    }

    fn discontinued(&mut self) -> Error {
        Error::new("Discontinued", "")
    }

    fn lets_pass(&mut self, code: &Box<Generator>, error: &Error) -> bool {
        error.to_string() == "Discontinued" && code.lets_pass()
    }

    fn is_full(&self) -> bool {
        self.trash.len() > 1
    }

    fn chain_context(&mut self, error: &Error, earlier: Error) {
        if let Some(not_needed) = error.chain(earlier) {
            self.throw_away(not_needed);
        }
    }

    fn clone_label(&self, label: &Label) -> Label {
        label.share()
    }

    fn same_value(&self, one: &Value, other: &Value) -> bool {
        one.same(other)
    }

    fn make_k(&mut self, cell: ContinuationCell<Scripted>) -> Value {
        Value::new(Datum::K(cell))
    }

    fn cell<'a>(&'a self, k: &'a Value) -> &'a ContinuationCell<Scripted> {
        k.cell()
    }

    fn plain(&self, node: &Value) -> Plain<Scripted> {
        match node.datum() {
            Datum::Effect(..) => Plain::Effect,
            Datum::Node(Node::Do(..)) => Plain::Do,
            Datum::Node(Node::Delegate) => Plain::Delegate,
            Datum::Node(Node::Pass) => Plain::Pass,
            Datum::Node(Node::Resume(k, value)) => Plain::Resume(self.clone_value(k), self.clone_value(value)),
            _ => Plain::Other,
        }
    }

    fn delegates(&self, node: &Value) -> bool {
        matches!(node.datum(), Datum::Node(Node::Delegate))
    }

    fn is_ours(&self, k: &Value) -> bool {
        k.owners() == 1
    }

    fn resumed_with(&self, node: &Value, k: &Value) -> Option<Value> {
        match node.datum() {
            Datum::Node(Node::Resume(own, value)) if own.same(k) => Some(self.clone_value(value)),
            _ => None,
        }
    }

    fn resumes(&mut self, node: Value, k: &Value) -> Result<Value, Value> {
        let value = match node.datum() {
            Datum::Node(Node::Resume(own, value)) if own.same(k) && (node.owners(), k.owners()) == (1, 2) => {
                self.clone_value(value)
            }
            _ => return Err(node),
        };
        ledger::outside(node);
        Ok(value)
    }

    fn ok(&mut self, value: Value) -> Value {
        Value::new(Datum::Okay(value))
    }

    fn err(&mut self, error: Error) -> Value {
        Value::new(Datum::Failed(error))
    }

    fn handler_object(&self, handler: &Handler) -> Option<Value> {
        Some(Value::new(Datum::Handler(Arc::clone(&handler.0))))
    }

    fn describe_code(&mut self, code: &Box<Generator>) -> Value {
        code.name.as_str().into()
    }

    fn mark_place(&mut self, code: &Box<Generator>) -> Value {
        code.name.as_str().into()
    }

    fn performs_in(&mut self, _context: Option<&Value>) {}

    fn fork_context(&mut self, of: Option<&Value>) -> Value {
        format!("context of {}", of.map_or_else(|| "the run".to_owned(), ToString::to_string)).into()
    }

    fn describe_clause(&mut self, label: Option<Label>, effect: &Value) -> Value {
        let name = label.as_ref().map_or("a clause that is gone", |label| label.0.as_str());
        let line = format!("{name} for {effect}");
        if let Some(label) = label {
            self.discard_label(label);
        }
        line.into()
    }

    fn describe_handler(&mut self, handler: &Handler) -> Value {
        format!("handler {}", handler.0.name).into()
    }

    fn handler_label(&self, handler: &Handler) -> Label {
        Label::new(&handler.0.name)
    }

    fn show_call(&self, call: &Box<Calling>) -> Value {
        call.function.to_string().into()
    }

    fn discard_call(&mut self, call: Box<Calling>) {
        self.throw_away(call);
    }

    fn discard_code(&mut self, code: Box<Generator>) {
        self.throw_away(code);
    }

    fn discard_handler(&mut self, handler: Handler) {
        self.throw_away(handler);
    }

    fn discard_class(&mut self, class: HeldClass) {
        self.throw_away(class);
    }

    fn discard_label(&mut self, label: Label) {
        self.throw_away(label);
    }
}
