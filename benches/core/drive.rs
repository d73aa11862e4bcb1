//! The scripted world's driver without its books: it writes no listing and counts nothing, so that what is measured is the
//! machine, the scripted host and the generators of `async` blocks.

use segue::core::host::Form;
use segue::core::limits::Bounds;
use segue::core::step::{Event, Installation, Outcome, PythonCall, Watch};
use segue::core::vm::Vm;

use crate::scripted::drive::call_plain;
use crate::scripted::host::{Handler, Scripted, ScriptedHost};
use crate::scripted::script::{Function, Generator, Move};
use crate::scripted::value::{Datum, Node};
use crate::scripted::{Error, Value};

/// Runs a program to its end.
pub fn drive(program: Value) -> Result<Value, Error> {
    let mut host = ScriptedHost::default();
    let mut vm = Vm::<Scripted>::new(program, Bounds::default(), Watch::Nothing);
    let mut event = vm.advance(&mut host);
    loop {
        host.trash.clear();
        let outcome = match event {
            Event::Python(call) => user_code(call),
            Event::Done(value) => return Ok(value),
            Event::Failed(error) => return Err(error),
            _ => panic!("a benchmark waits for nothing and makes no mistake"),
        };
        event = vm.advance_with(&mut host, outcome);
        host.trash.clear();
    }
}

/// U, without a machine: the generator is started, and sent one number until it returns.
pub fn floor(program: &Value, answer: i64) -> Result<Value, Error> {
    let Datum::Node(Node::Do(function, _)) = program.datum() else { panic!("the floor drives a `@do` program") };
    let mut code = known(function).generator(Vec::new());
    let mut moved = code.start();
    loop {
        moved = match moved {
            Move::Yielded(_) => code.send(answer.into()),
            Move::Returned(value) => return Ok(value),
            Move::Raised(error) => return Err(error),
        }
    }
}

fn user_code(call: PythonCall<Scripted>) -> Outcome<Scripted> {
    match call {
        PythonCall::Send(mut code, value) => {
            let moved = code.send(value);
            outcome(code, moved)
        }
        PythonCall::Start(call) => start(&call.function, call.arguments),
        PythonCall::Clause { handler, clause, effect, k } => {
            let clause = &handler.0.clauses[clause.index()];
            let mut arguments = vec![effect.share()];
            arguments.extend(k);
            match clause.form {
                Form::Value => answered(&clause.function, arguments, effect),
                _ => start(&clause.function, arguments),
            }
        }
        PythonCall::Install(node) => install(&node),
        _ => panic!("a benchmark's programs have no such part"),
    }
}

fn known(function: &Value) -> &Function {
    let Datum::Function(known) = function.datum() else { panic!("a function was expected, not {function}") };
    known
}

fn start(function: &Value, arguments: Vec<Value>) -> Outcome<Scripted> {
    let mut code = Box::new(known(function).generator(arguments));
    let moved = code.start();
    outcome(code, moved)
}

fn outcome(code: Box<Generator>, moved: Move) -> Outcome<Scripted> {
    match moved {
        Move::Yielded(value) => Outcome::Yielded(code, value),
        Move::Returned(value) => Outcome::Returned(value),
        Move::Raised(error) => Outcome::Raised(error),
    }
}

fn answered(function: &Value, arguments: Vec<Value>, effect: Value) -> Outcome<Scripted> {
    match call_plain(function, arguments) {
        Ok(node) if matches!(node.datum(), Datum::Node(Node::Pass | Node::Delegate)) => {
            Outcome::Forwarded(node, effect)
        }
        Ok(value) => Outcome::Returned(value),
        Err(error) => Outcome::Raised(error),
    }
}

fn install(node: &Value) -> Outcome<Scripted> {
    let Datum::Node(Node::WithHandler(handler, _)) = node.datum() else { panic!("{node} installs nothing") };
    let Datum::Handler(installable) = handler.datum() else { panic!("{handler} is no handler") };
    let native = installable.native.as_ref().map(|fresh| fresh());
    Outcome::Installed(Installation { handler: Handler::new(installable), native, hooks: installable.hooks })
}
