//! Values, errors and classes. None has `Clone`: a second owner is `share`d by user code, and cloned by the host for the
//! machine, which counts it.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use segue::core::continuation::ContinuationCell;
use segue::effects::Handle;

use super::host::Scripted;
use super::ledger;
use super::script::{Function, Installable};

/// What a generator ends with, and what a yield gives it.
pub type Answered = Result<Value, Error>;

/// An effect's class: its place in the table of [`class`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Class(pub usize);

/// The classes that tests perform, and the table of their parents.
pub mod class {
    use super::Class;

    pub const PING: Class = Class(0);
    pub const LOUD_PING: Class = Class(1);
    pub const LOUDEST_PING: Class = Class(2);
    pub const PONG: Class = Class(3);
    pub const TELL: Class = Class(4);
    pub const READ: Class = Class(5);
    pub const WRITE: Class = Class(6);
    /// The first of ten classes that have nothing to do with each other.
    pub const OTHERS: usize = 7;

    /// Each class: its name, and the class that it derives from.
    pub const TABLE: [(&str, Option<Class>); 45] = [
        ("Ping", None),
        ("LoudPing", Some(PING)),
        ("LoudestPing", Some(LOUD_PING)),
        ("Pong", None),
        ("Tell", None),
        ("Read", None),
        ("Write", None),
        ("Other0", None),
        ("Other1", None),
        ("Other2", None),
        ("Other3", None),
        ("Other4", None),
        ("Other5", None),
        ("Other6", None),
        ("Other7", None),
        ("Other8", None),
        ("Other9", None),
        ("Spawn", None),
        ("Wait", None),
        ("Gather", None),
        ("Race", None),
        ("Cancel", None),
        ("Yield", None),
        ("CurrentTask", None),
        ("CreatePromise", None),
        ("CompletePromise", None),
        ("FailPromise", None),
        ("CreateExternalPromise", None),
        ("CreateSemaphore", None),
        ("CreateLock", None),
        ("Acquire", None),
        ("Release", None),
        ("CreateEvent", None),
        ("SetEvent", None),
        ("ClearEvent", None),
        ("CreateChannel", None),
        ("Send", None),
        ("Receive", None),
        ("CloseChannel", None),
        ("Sleep", None),
        ("Now", None),
        ("Deadline", None),
        ("OpenScope", None),
        ("CloseScope", None),
        ("CancelScope", None),
    ];

    /// The effects of the scheduler, in the order of its clauses.
    pub const SCHEDULED: std::ops::Range<usize> = 17..45;
}

impl Class {
    /// The class and what it derives from, the nearest first.
    pub fn mro(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |one| class::TABLE[one.0].1)
    }

    pub fn name(self) -> &'static str {
        class::TABLE[self.0].0
    }
}

/// What a value is.
pub enum Datum {
    Unit,
    Int(i64),
    Text(String),
    Pair(Value, Value),
    List(Mutex<Vec<Value>>),
    /// It never changes.
    Fixed(Vec<Value>),
    Mapping(Mutex<Vec<(Value, Value)>>),
    Classes(Vec<Class>),
    Effect(Class, Vec<Value>),
    Function(Function),
    Handler(Arc<Installable>),
    Node(Node),
    K(ContinuationCell<Scripted>),
    /// A continuation of the reference model.
    Token(Token),
    Thunk(Mutex<Thunk>),
    Okay(Value),
    Failed(Error),
    /// What a native handler made; behind a table of functions, since values drop one in another on a small stack.
    Object(Box<dyn Deref<Target = Handle<Scripted>> + Send + Sync>),
    /// Leads to another one as long as that has an owner.
    Weak(Weak<Self>),
    /// A number that is not whole.
    Float(f64),
    /// What a request gives for a key that is not there.
    Missing,
}

/// A continuation of the reference model: which chain, and what became of it.
pub struct Token {
    pub chain: u64,
    pub used: AtomicBool,
    pub kept: AtomicBool,
}

/// How far a lazy value is.
pub enum Thunk {
    Fresh(Value),
    Running(Value),
    Done(Value),
}

/// A control node.
pub enum Node {
    Pure(Value),
    Map(Value, Value),
    FlatMap(Value, Value),
    Call(Value, Vec<Value>),
    Do(Value, Vec<Value>),
    WithHandler(Value, Value),
    WithIntercept(Value, Value),
    Seal(Value, Value),
    Try(Value),
    Bracket(Value, Value, Value),
    Resume(Value, Value),
    ResumeThrow(Value, Error),
    Transfer(Value, Value),
    TransferThrow(Value, Error),
    Discontinue(Value),
    Delegate,
    Pass,
    GetContinuation,
    GetHandlers(Option<Value>),
    GetExecutionContext,
    CreateContinuation(Value),
    Inherit(Value, Value),
    Escape(Value),
}

/// An owner of a datum.
pub struct Value(Arc<Datum>);

impl Value {
    pub fn new(datum: Datum) -> Self {
        ledger::made();
        Self(Arc::new(datum))
    }

    /// Does not keep it alive.
    pub fn downgrade(&self) -> Weak<Datum> {
        Arc::downgrade(&self.0)
    }

    /// A further owner, if there is one still.
    pub fn upgrade(weak: &Weak<Datum>) -> Option<Self> {
        let datum = weak.upgrade()?;
        ledger::made();
        Some(Self(datum))
    }

    /// A second owner, taken by user code or by the host.
    pub fn share(&self) -> Self {
        ledger::made();
        Self(Arc::clone(&self.0))
    }

    pub fn datum(&self) -> &Datum {
        &self.0
    }

    pub fn unit() -> Self {
        Self::new(Datum::Unit)
    }

    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many hold it, weakly or not.
    pub fn owners(&self) -> usize {
        Arc::strong_count(&self.0) + Arc::weak_count(&self.0)
    }

    pub fn int(&self) -> i64 {
        match self.datum() {
            Datum::Int(number) => *number,
            _ => panic!("a number was expected, not {self}"),
        }
    }

    /// The fields of an effect, where they stand.
    pub fn fields(&self) -> &[Self] {
        if let Datum::Effect(_, fields) = self.datum() { fields } else { &[] }
    }

    /// A field of an effect, an entry of a pair or list.
    pub fn at(&self, index: usize) -> Self {
        match (self.datum(), index) {
            (Datum::Effect(_, fields), _) => fields[index].share(),
            (Datum::Pair(first, _), 0) => first.share(),
            (Datum::Pair(_, second), 1) => second.share(),
            (Datum::List(entries), _) => locked(entries)[index].share(),
            (Datum::Fixed(entries), _) => entries[index].share(),
            _ => panic!("{self} has no part {index}"),
        }
    }

    pub fn cell(&self) -> &ContinuationCell<Scripted> {
        match self.datum() {
            Datum::K(cell) => cell,
            _ => panic!("a continuation was expected, not {self}"),
        }
    }

    /// `k.keep()`.
    pub fn keep(&self) -> Result<Self, Error> {
        if let Datum::Token(token) = self.datum() {
            if token.used.load(Ordering::Relaxed) {
                return Err(Error::new("ContinuationError", "used"));
            }
            token.kept.store(true, Ordering::Relaxed);
            return Ok(self.share());
        }
        match self.cell().keep(super::host::Label::share) {
            Ok(()) => Ok(self.share()),
            Err(refusal) => Err(super::drive::refused(&refusal)),
        }
    }

    /// Whether two plain values are equal.
    pub fn equals(&self, other: &Self) -> bool {
        match (self.datum(), other.datum()) {
            (Datum::Int(one), Datum::Int(other)) => one == other,
            (Datum::Text(one), Datum::Text(other)) => one == other,
            (Datum::Unit, Datum::Unit) => true,
            _ => self.same(other),
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        ledger::dropped(|| format!("value {self}"));
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::new(Datum::Int(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::new(Datum::Float(number))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(Datum::Text(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::new(Datum::Text(text))
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::unit()
    }
}

impl From<&Self> for Value {
    fn from(value: &Self) -> Self {
        value.share()
    }
}

impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for Value {
    fn from((first, second): (A, B)) -> Self {
        Self::new(Datum::Pair(first.into(), second.into()))
    }
}

impl Value {
    pub fn fixed(entries: Vec<Self>) -> Self {
        Self::new(Datum::Fixed(entries))
    }
}

impl<A: Into<Self>> From<Vec<A>> for Value {
    fn from(entries: Vec<A>) -> Self {
        Self::new(Datum::List(Mutex::new(entries.into_iter().map(Into::into).collect())))
    }
}

/// What a test's lock holds; a test that failed elsewhere does not make others fail.
pub fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn list<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.datum() {
            Datum::Unit => f.write_str("None"),
            Datum::Int(number) => write!(f, "{number}"),
            Datum::Text(text) => write!(f, "'{text}'"),
            Datum::Pair(first, second) => write!(f, "({first}, {second})"),
            Datum::List(entries) => write!(f, "[{}]", list(locked(entries).iter())),
            Datum::Fixed(entries) => write!(f, "[{}]", list(entries)),
            Datum::Mapping(entries) => {
                let lines: Vec<_> = locked(entries).iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{{}}}", lines.join(", "))
            }
            Datum::Classes(classes) => {
                write!(f, "{{{}}}", classes.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "))
            }
            Datum::Effect(class, fields) => write!(f, "{}({})", class.name(), list(fields)),
            Datum::Function(function) => write!(f, "<{}>", function.name),
            Datum::Handler(handler) => write!(f, "<handler {}>", handler.name),
            Datum::Node(node) => node.fmt(f),
            Datum::K(_) | Datum::Token(_) => f.write_str("<k>"),
            Datum::Thunk(_) => f.write_str("<lazy>"),
            Datum::Object(_) => f.write_str("<object>"),
            Datum::Weak(_) => write!(f, "<weak>"),
            Datum::Float(number) => write!(f, "{number}"),
            Datum::Missing => f.write_str("<missing>"),
            Datum::Okay(value) => write!(f, "Ok({value})"),
            Datum::Failed(error) => write!(f, "Err({error})"),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pure(value) => write!(f, "Pure({value})"),
            Self::Map(program, function) => write!(f, "Map({program}, {function})"),
            Self::FlatMap(program, function) => write!(f, "FlatMap({program}, {function})"),
            Self::Call(function, arguments) => write!(f, "Call({function}; {})", list(arguments)),
            Self::Do(function, arguments) => write!(f, "{function}({})", list(arguments)),
            Self::WithHandler(handler, program) => write!(f, "WithHandler({handler}, {program})"),
            Self::WithIntercept(function, program) => write!(f, "WithIntercept({function}, {program})"),
            Self::Seal(allow, program) => write!(f, "Seal({allow}, {program})"),
            Self::Try(program) => write!(f, "Try({program})"),
            Self::Bracket(..) => f.write_str("Bracket(...)"),
            Self::Resume(_, value) => write!(f, "Resume(k, {value})"),
            Self::ResumeThrow(_, error) => write!(f, "ResumeThrow(k, {error})"),
            Self::Transfer(_, value) => write!(f, "Transfer(k, {value})"),
            Self::TransferThrow(_, error) => write!(f, "TransferThrow(k, {error})"),
            Self::Discontinue(_) => f.write_str("Discontinue(k)"),
            Self::Delegate => f.write_str("Delegate()"),
            Self::Pass => f.write_str("Pass()"),
            Self::GetContinuation => f.write_str("GetContinuation()"),
            Self::GetHandlers(None) => f.write_str("GetHandlers()"),
            Self::GetHandlers(Some(_)) => f.write_str("GetHandlers(k)"),
            Self::GetExecutionContext => f.write_str("GetExecutionContext()"),
            Self::CreateContinuation(program) => write!(f, "CreateContinuation({program})"),
            Self::Inherit(_, program) => write!(f, "Inherit(k, {program})"),
            Self::Escape(action) => write!(f, "Escape({action})"),
        }
    }
}

/// A raised exception.
pub struct Error(Arc<Failure>);

/// What an exception is.
pub struct Failure {
    pub class: &'static str,
    pub text: String,
    pub context: Mutex<Option<Error>>,
}

/// The exceptions that are no `Exception`s.
const NOT_FOR_PROGRAMS: [&str; 4] = ["Cancelled", "Discontinued", "KeyboardInterrupt", "LimitExceeded"];

impl Error {
    pub fn new(class: &'static str, text: impl Into<String>) -> Self {
        ledger::made();
        Self(Arc::new(Failure { class, text: text.into(), context: Mutex::new(None) }))
    }

    pub fn share(&self) -> Self {
        ledger::made();
        Self(Arc::clone(&self.0))
    }

    pub fn is(&self, class: &str) -> bool {
        self.0.class == class
    }

    pub fn is_exception(&self) -> bool {
        !NOT_FOR_PROGRAMS.contains(&self.0.class)
    }

    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn class(&self) -> &'static str {
        self.0.class
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    pub fn context(&self) -> Option<Self> {
        locked(&self.0.context).as_ref().map(Self::share)
    }

    /// Makes `earlier` the context; gives it back when there is one already.
    pub fn chain(&self, earlier: Self) -> Option<Self> {
        let mut context = locked(&self.0.context);
        if context.is_some() || self.same(&earlier) {
            return Some(earlier);
        }
        *context = Some(earlier);
        None
    }
}

/// A new exception.
pub fn error(class: &'static str, text: &str) -> Error {
    Error::new(class, text)
}

impl Drop for Error {
    fn drop(&mut self) {
        ledger::dropped(|| format!("error {self}"));
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.text.is_empty() { f.write_str(self.0.class) } else { write!(f, "{}: {}", self.0.class, self.0.text) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
