//! The control nodes and effects, as tests write them.

use std::sync::Mutex;

use super::value::{Class, Datum, Error, Node, Thunk, Value, class};

fn node(node: Node) -> Value {
    Value::new(Datum::Node(node))
}

pub fn perform(class: Class, fields: Vec<Value>) -> Value {
    Value::new(Datum::Effect(class, fields))
}

pub fn ping(n: i64) -> Value {
    perform(class::PING, vec![n.into()])
}

pub fn loud_ping(n: i64) -> Value {
    perform(class::LOUD_PING, vec![n.into()])
}

pub fn pong(n: i64) -> Value {
    perform(class::PONG, vec![n.into()])
}

pub fn tell(entry: impl Into<Value>) -> Value {
    perform(class::TELL, vec![entry.into()])
}

pub fn read(key: impl Into<Value>) -> Value {
    perform(class::READ, vec![key.into()])
}

pub fn write(key: impl Into<Value>, value: impl Into<Value>) -> Value {
    perform(class::WRITE, vec![key.into(), value.into()])
}

/// An effect of the scheduler, by its name.
pub fn scheduled(name: &str, fields: Vec<Value>) -> Value {
    let class = class::SCHEDULED.map(Class).find(|class| class.name() == name);
    perform(class.expect("a class of that name"), fields)
}

pub fn mapping(entries: Vec<(&str, Value)>) -> Value {
    Value::new(Datum::Mapping(Mutex::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())))
}

pub fn lazy(program: Value) -> Value {
    Value::new(Datum::Thunk(Mutex::new(Thunk::Fresh(program))))
}

pub fn pure(value: impl Into<Value>) -> Value {
    node(Node::Pure(value.into()))
}

pub fn map(program: Value, function: &Value) -> Value {
    node(Node::Map(program, function.share()))
}

pub fn flat_map(program: Value, function: &Value) -> Value {
    node(Node::FlatMap(program, function.share()))
}

/// `Call(f, *args)`: what the function gives is evaluated.
pub fn call_node(function: &Value, arguments: Vec<Value>) -> Value {
    node(Node::Call(function.share(), arguments))
}

pub fn with_handler(handler: &Value, program: impl Into<Value>) -> Value {
    node(Node::WithHandler(handler.share(), program.into()))
}

/// `run(p, handlers=[...])`: the last is innermost.
pub fn nest(handlers: &[&Value], program: impl Into<Value>) -> Value {
    handlers.iter().rev().fold(program.into(), |inner, handler| with_handler(handler, inner))
}

pub fn with_intercept(function: &Value, program: impl Into<Value>) -> Value {
    node(Node::WithIntercept(function.share(), program.into()))
}

pub fn seal(allow: &[Class], program: impl Into<Value>) -> Value {
    node(Node::Seal(Value::new(Datum::Classes(allow.to_vec())), program.into()))
}

pub fn attempt(program: impl Into<Value>) -> Value {
    node(Node::Try(program.into()))
}

pub fn bracket(acquire: Value, usage: &Value, release: &Value) -> Value {
    node(Node::Bracket(acquire, usage.share(), release.share()))
}

pub fn resume(k: &Value, value: impl Into<Value>) -> Value {
    node(Node::Resume(k.share(), value.into()))
}

pub fn resume_throw(k: &Value, error: Error) -> Value {
    node(Node::ResumeThrow(k.share(), error))
}

pub fn transfer(k: &Value, value: impl Into<Value>) -> Value {
    node(Node::Transfer(k.share(), value.into()))
}

pub fn transfer_throw(k: &Value, error: Error) -> Value {
    node(Node::TransferThrow(k.share(), error))
}

pub fn discontinue(k: &Value) -> Value {
    node(Node::Discontinue(k.share()))
}

pub fn delegate() -> Value {
    node(Node::Delegate)
}

pub fn pass() -> Value {
    node(Node::Pass)
}

pub fn get_continuation() -> Value {
    node(Node::GetContinuation)
}

pub fn get_handlers() -> Value {
    node(Node::GetHandlers(None))
}

pub fn handlers_in(k: &Value) -> Value {
    node(Node::GetHandlers(Some(k.share())))
}

pub fn get_execution_context() -> Value {
    node(Node::GetExecutionContext)
}

pub fn create_continuation(program: Value) -> Value {
    node(Node::CreateContinuation(program))
}

pub fn inherit(k: &Value, program: Value) -> Value {
    node(Node::Inherit(k.share(), program))
}

pub fn escape(action: impl Into<Value>) -> Value {
    node(Node::Escape(action.into()))
}
