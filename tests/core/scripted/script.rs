//! User code: generators made of `async` blocks, functions, and handlers.
//!
//! `y.yields(x).await` is `yield x`: it gives what the machine delivers, or the error that it throws. `?` lets an error
//! pass; a clean-up is what stands between the yield and the `?`.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use segue::core::host::Form;
use segue::core::native::Native;
use segue::core::segment::Hooks;

use super::host::Scripted;
use super::ledger;
use super::value::{Answered, Class, Datum, Error, Node, Value, locked};

type Body = Pin<Box<dyn Future<Output = Answered>>>;

#[derive(Default)]
struct Exchange {
    yielded: Option<Value>,
    given: Option<Answered>,
}

/// A generator's own end: what it yields with.
pub struct Yielder(Rc<RefCell<Exchange>>);

impl Yielder {
    /// `yield x`.
    pub async fn yields(&self, value: impl Into<Value>) -> Answered {
        self.0.borrow_mut().yielded = Some(value.into());
        std::future::poll_fn(|_| match self.0.borrow_mut().given.take() {
            Some(given) => Poll::Ready(given),
            None => Poll::Pending,
        })
        .await
    }
}

/// What a generator does next.
pub enum Move {
    Yielded(Value),
    Returned(Value),
    Raised(Error),
}

/// A generator. It is dropped when it ended, or was found to let an unwinding pass, never before: no user frame is left
/// suspended (semantics 3).
pub struct Generator {
    pub name: String,
    exchange: Rc<RefCell<Exchange>>,
    body: Body,
    ended: bool,
    is_blank: bool,
    passed: Cell<bool>,
}

impl Generator {
    /// Whether it has no block at all, and is about to be let go for it.
    pub fn lets_pass(&self) -> bool {
        self.passed.set(self.is_blank);
        self.is_blank
    }

    fn go(&mut self, given: Option<Answered>) -> Move {
        assert!(!self.ended, "a generator that ended is not continued");
        self.exchange.borrow_mut().given = given;
        let polled = self.body.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let yielded = self.exchange.borrow_mut().yielded.take();
        match (polled, yielded) {
            (Poll::Pending, Some(value)) => Move::Yielded(value),
            (Poll::Pending, None) => panic!("{} waits for something else than a yield", self.name),
            (Poll::Ready(end), _) => {
                self.ended = true;
                match end {
                    Ok(value) => Move::Returned(value),
                    Err(error) => Move::Raised(error),
                }
            }
        }
    }

    pub fn start(&mut self) -> Move {
        self.go(None)
    }

    pub fn send(&mut self, value: Value) -> Move {
        self.go(Some(Ok(value)))
    }

    pub fn throw(&mut self, error: Error) -> Move {
        self.go(Some(Err(error)))
    }

    /// Closes it without effects, as `close()` does.
    pub fn close(mut self) -> String {
        self.ended = true;
        std::mem::take(&mut self.name)
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        ledger::dropped(|| format!("generator {}", self.name));
        if !self.ended && !self.passed.get() && !std::thread::panicking() {
            ledger::left_suspended(&self.name);
        }
    }
}

/// A function of user code. When it yields, it is a generator function.
pub struct Function {
    pub name: String,
    is_blank: bool,
    run: Box<dyn Fn(Yielder, Vec<Value>) -> Body + Send + Sync>,
}

impl Function {
    pub fn new<F>(name: &str, run: F) -> Self
    where
        F: AsyncFn(Yielder, Vec<Value>) -> Answered + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        Self {
            name: name.to_owned(),
            is_blank: false,
            run: Box::new(move |y, arguments| {
                let run = Arc::clone(&run);
                Box::pin(async move { run(y, arguments).await })
            }),
        }
    }

    pub fn generator(&self, arguments: Vec<Value>) -> Generator {
        ledger::made();
        let exchange = Rc::new(RefCell::new(Exchange::default()));
        let body = (self.run)(Yielder(Rc::clone(&exchange)), arguments);
        let (name, is_blank, passed) = (self.name.clone(), self.is_blank, Cell::new(false));
        Generator { name, exchange, body, ended: false, is_blank, passed }
    }
}

/// A function value; `call` makes a program of it.
pub fn function<F>(name: &str, run: F) -> Value
where
    F: AsyncFn(Yielder, Vec<Value>) -> Answered + Send + Sync + 'static,
{
    Value::new(Datum::Function(Function::new(name, run)))
}

/// `f(*args)` of a `@do` function.
pub fn call(function: &Value, arguments: Vec<Value>) -> Value {
    Value::new(Datum::Node(Node::Do(function.share(), arguments)))
}

/// A `@do` program without arguments.
pub fn program<F>(name: &str, run: F) -> Value
where
    F: AsyncFn(Yielder) -> Answered + Send + Sync + 'static,
{
    call(&function(name, async move |y, _| run(y).await), Vec::new())
}

/// The same without a block that an unwinding would open: all errors pass.
pub fn blank_program<F>(name: &str, run: F) -> Value
where
    F: AsyncFn(Yielder) -> Answered + Send + Sync + 'static,
{
    let function = Function::new(name, async move |y, _| run(y).await);
    call(&Value::new(Datum::Function(Function { is_blank: true, ..function })), Vec::new())
}

/// A clause: the classes that it takes (none: every effect), how it runs, and its function.
pub struct Clause {
    pub classes: Vec<Class>,
    pub form: Form,
    pub function: Value,
}

/// How a native installation is made.
pub type Fresh = Box<dyn Fn() -> Box<dyn Native<Scripted>> + Send + Sync>;

/// What `WithHandler` installs.
pub struct Installable {
    pub name: String,
    pub clauses: Vec<Clause>,
    pub hooks: Hooks,
    pub methods: Vec<(Hooks, Value)>,
    pub native: Option<Fresh>,
}

/// A handler under construction.
pub struct Building(Installable);

/// A handler of that name.
pub fn handler(name: &str) -> Building {
    let (clauses, methods) = (Vec::new(), Vec::new());
    Building(Installable { name: name.to_owned(), clauses, hooks: Hooks::none(), methods, native: None })
}

impl Building {
    fn clause(mut self, classes: &[Class], form: Form, function: Function) -> Self {
        let classes = classes.to_vec();
        self.0.clauses.push(Clause { classes, form, function: Value::new(Datum::Function(function)) });
        self
    }

    fn clause_name(&self, classes: &[Class]) -> String {
        let class = classes.first().map_or("any", |class| class.name());
        format!("{}.{}", self.0.name, class.to_lowercase())
    }

    /// A control clause `(effect, k)`.
    pub fn control<F>(self, classes: &[Class], run: F) -> Self
    where
        F: AsyncFn(Yielder, Value, Value) -> Answered + Send + Sync + 'static,
    {
        let name = self.clause_name(classes);
        let run = async move |y, mut arguments: Vec<Value>| {
            let k = arguments.pop().expect("a control clause is given its k");
            let effect = arguments.pop().expect("a clause is given its effect");
            run(y, effect, k).await
        };
        self.clause(classes, Form::Control, Function::new(&name, run))
    }

    /// A plain value clause of one argument.
    pub fn answers<F>(self, classes: &[Class], run: F) -> Self
    where
        F: Fn(Value) -> Answered + Send + Sync + 'static,
    {
        let name = self.clause_name(classes);
        let run = async move |_, mut arguments: Vec<Value>| run(arguments.pop().expect("a clause is given its effect"));
        self.clause(classes, Form::Value, Function::new(&name, run))
    }

    /// A value clause that is a program.
    pub fn answers_by<F>(self, classes: &[Class], run: F) -> Self
    where
        F: AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static,
    {
        let name = self.clause_name(classes);
        let run = async move |y, mut arguments: Vec<Value>| {
            run(y, arguments.pop().expect("a clause is given its effect")).await
        };
        self.clause(classes, Form::ValueProgram, Function::new(&name, run))
    }

    /// Native clauses, one a class; the installation's state is made by `fresh`.
    pub fn native<N: Native<Scripted> + 'static>(
        mut self,
        classes: &[Class],
        fresh: impl Fn() -> N + Send + Sync + 'static,
    ) -> Self {
        for class in classes {
            let name = self.clause_name(&[*class]);
            let never = async |_: Yielder, _: Vec<Value>| panic!("a native clause is no user code");
            self = self.clause(&[*class], Form::Native, Function::new(&name, never));
        }
        self.0.native = Some(Box::new(move || Box::new(fresh())));
        self
    }

    fn method<F>(mut self, hook: Hooks, name: &str, run: F) -> Self
    where
        F: AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static,
    {
        let name = format!("{}.{name}", self.0.name);
        let run = async move |y, mut arguments: Vec<Value>| run(y, arguments.pop().unwrap_or_else(Value::unit)).await;
        self.0.hooks = self.0.hooks.with(hook);
        self.0.methods.push((hook, Value::new(Datum::Function(Function::new(&name, run)))));
        self
    }

    /// `enter()`.
    pub fn enter(self, run: impl AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static) -> Self {
        self.method(Hooks::ENTER, "enter", run)
    }

    /// `result(value)`.
    pub fn result(self, run: impl AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static) -> Self {
        self.method(Hooks::RESULT, "result", run)
    }

    /// `error(exc)`; the argument is `Err(exc)`.
    pub fn error(self, run: impl AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static) -> Self {
        self.method(Hooks::ERROR, "error", run)
    }

    /// `exit()`.
    pub fn exit(self, run: impl AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static) -> Self {
        self.method(Hooks::EXIT, "exit", run)
    }

    /// `fork()`: what it gives is the handler that a child gets.
    pub fn fork(self, run: impl AsyncFn(Yielder, Value) -> Answered + Send + Sync + 'static) -> Self {
        self.method(Hooks::FORK, "fork", run)
    }

    pub fn done(self) -> Value {
        Value::new(Datum::Handler(Arc::new(self.0)))
    }
}

/// Where user code writes what it sees.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn say(&self, line: impl ToString) {
        locked(&self.0).push(line.to_string());
    }

    /// The lines so far.
    pub fn text(&self) -> String {
        locked(&self.0).join(" ")
    }
}

/// Where user code keeps a value for later.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<Vec<Value>>>);

impl Shelf {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&self, value: Value) {
        locked(&self.0).push(value);
    }

    /// Takes what was put there last.
    pub fn take(&self) -> Value {
        self.try_take().expect("something is on the shelf")
    }

    /// Takes what was put there last, when there is something.
    pub fn try_take(&self) -> Option<Value> {
        locked(&self.0).pop()
    }

    /// Drops what is there.
    pub fn clear(&self) {
        let dropped = std::mem::take(&mut *locked(&self.0));
        drop(dropped);
    }
}

/// A program that performs `Ping(n)` and returns the answer.
pub fn asks(n: i64) -> Value {
    program("asks", async move |y| y.yields(super::ping(n)).await)
}

/// A handler that writes what is told to the log.
pub fn teller(log: &Log) -> Value {
    let log = log.clone();
    let tell = move |effect: Value| {
        log.say(effect.at(0).to_string().trim_matches('\''));
        Ok(Value::unit())
    };
    handler("teller").answers(&[super::class::TELL], tell).done()
}

/// A handler whose clause for `Ping` answers with that number.
pub fn answering(name: &str, n: i64) -> Value {
    handler(name).answers(&[super::class::PING], move |_| Ok(n.into())).done()
}

/// A handler whose clause for `Ping` keeps its `k` on the shelf, and ends with that value.
pub fn keeping(shelf: &Shelf, value: &'static str) -> Value {
    let shelf = shelf.clone();
    let keep = async move |_: Yielder, _, k: Value| {
        shelf.put(k.keep()?);
        Ok(value.into())
    };
    handler("keeps").control(&[super::class::PING], keep).done()
}
