//! What a byte of the tape means to the user code that reads it.

use super::handlers::{handler_of, interceptor_of};
use super::stage::Stage;
use super::tasks;
use crate::scripted::script::Yielder;
use crate::scripted::value::Datum;
use crate::scripted::{
    Answered, Class, Error, Value, attempt, bracket, class, create_continuation, delegate, discontinue, error, escape,
    flat_map, function, get_continuation, get_execution_context, get_handlers, handlers_in, inherit, map, pass,
    perform, program, pure, resume, resume_throw, seal, transfer, transfer_throw, with_handler, with_intercept,
};

/// The class of the effect that changes state by a function.
pub const MODIFY: Class = Class(class::OTHERS);

/// One operation. What it works on is read from the tape when its turn comes.
#[derive(Clone, Copy)]
enum Operation {
    /// Return what the last operation came to.
    Return,
    /// Return a node, which ends a clause when it is for its own `k`.
    ReturnNode,
    /// Raise an exception, or one that is not for programs.
    Raise,
    Perform,
    Call,
    Try,
    Seal,
    Handle,
    Intercept,
    Map,
    FlatMap,
    Bracket,
    /// Use a continuation in one of the ways there are.
    Use,
    /// Say that the clause's own `k` is let go later.
    Keep,
    /// Put the clause's own `k` aside without saying so.
    Share,
    /// Lose a continuation that was put aside.
    Drop,
    /// Let the nearest clause act: `Delegate`, `Pass`, `GetContinuation`.
    Clause,
    /// Look at what is in scope.
    Look,
    /// Make an unstarted continuation, and put it aside.
    Create,
    Escape,
    Interrupt,
    /// A whole run inside this one.
    Nest,
    /// Yield what is no program.
    Mistake,
    /// Perform an effect of a scheduler.
    Task,
    /// Lose a handle that was put aside.
    LetGo,
    /// Somebody outside completes a promise.
    Outside,
}

use Operation as O;

/// Operations that open scopes, use continuations and perform for a scheduler come up more often.
const OPERATIONS: [Operation; 48] = [
    O::Return,
    O::Perform,
    O::Handle,
    O::Use,
    O::Keep,
    O::Raise,
    O::Perform,
    O::Handle,
    O::Use,
    O::ReturnNode,
    O::Call,
    O::Try,
    O::Seal,
    O::Intercept,
    O::Map,
    O::FlatMap,
    O::Bracket,
    O::Share,
    O::Drop,
    O::Clause,
    O::Look,
    O::Create,
    O::Escape,
    O::Interrupt,
    O::Nest,
    O::Mistake,
    O::Perform,
    O::Handle,
    O::Use,
    O::Keep,
    O::ReturnNode,
    O::Clause,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Task,
    O::Perform,
    O::Handle,
    O::LetGo,
    O::Outside,
];

/// Plain effects, those of the built-in handlers, and one that nobody handles.
fn effect(stage: &Stage) -> Value {
    let key = || if stage.next().is_multiple_of(4) { Value::from(1) } else { key(stage.next()).into() };
    match stage.next() % 8 {
        0 | 1 => perform(class::PING, vec![1.into()]),
        2 => perform(class::LOUD_PING, vec![2.into()]),
        3 => perform(class::PONG, vec![3.into()]),
        4 => perform(class::READ, vec![key()]),
        5 => perform(class::WRITE, vec![key(), 4.into()]),
        6 => perform(MODIFY, vec![key(), function_of(stage, "modifies")]),
        _ => perform(class::TELL, vec!["told".into()]),
    }
}

/// A key of the built-in mappings; one of them stands for a lazy value.
pub fn key(byte: u8) -> &'static str {
    ["plain", "lazy", "missing"][usize::from(byte) % 3]
}

pub fn failure(stage: &Stage) -> Error {
    match stage.next() % 4 {
        0..=2 => error("ValueError", "raised"),
        _ => error("KeyboardInterrupt", "raised"),
    }
}

/// A program that does what is on the tape when it runs.
pub fn program_of(stage: &Stage) -> Value {
    let known = stage.clone();
    program(&stage.name("p"), async move |y| body(&y, &known, None).await)
}

/// A plain function: what it gives is read when it is called.
pub fn function_of(stage: &Stage, name: &str) -> Value {
    let known = stage.clone();
    function(name, async move |_, mut arguments| match known.next() % 8 {
        0..=2 => Ok(arguments.pop().unwrap_or_else(Value::unit)),
        3..=5 => Ok(program_of(&known)),
        6 => Ok(effect(&known)),
        _ => Err(failure(&known)),
    })
}

/// One body: its operations, until it returns, or raises, or the tape is at its end. The books know of each.
pub async fn body(y: &Yielder, stage: &Stage, own: Option<&Value>) -> Answered {
    stage.books(|books| books.begun += 1);
    let came = operations(y, stage, own).await;
    stage.books(|books| books.ended += 1);
    came
}

async fn operations(y: &Yielder, stage: &Stage, own: Option<&Value>) -> Answered {
    let mut last = Value::unit();
    while let Some(byte) = stage.read() {
        let node = match OPERATIONS[usize::from(byte) % OPERATIONS.len()] {
            O::Return => return Ok(last),
            O::ReturnNode => return Ok(if stage.next().is_multiple_of(4) { clause(stage) } else { usage(stage, own) }),
            O::Raise => return Err(failure(stage)),
            O::Drop => {
                drop(stage.take());
                continue;
            }
            O::Share => {
                if let Some(k) = own {
                    stage.put(k.share());
                }
                continue;
            }
            O::Keep => {
                match own.map(Value::keep) {
                    Some(Ok(k)) => stage.put(k),
                    Some(Err(refused)) => last = refused.class().into(),
                    None => {}
                }
                continue;
            }
            O::Interrupt => {
                stage.interrupt();
                continue;
            }
            O::LetGo => {
                drop(stage.take_handle());
                continue;
            }
            O::Outside => {
                stage.complete_one();
                continue;
            }
            O::Nest => {
                if stage.may_nest() {
                    last = super::drive(stage).shown().into();
                }
                continue;
            }
            O::Perform => effect(stage),
            O::Call => program_of(stage),
            O::Try => attempt(program_of(stage)),
            O::Seal => seal(&[class::PING, class::PONG][..usize::from(stage.next() % 3)], program_of(stage)),
            O::Handle => with_handler(&handler_of(stage), program_of(stage)),
            O::Intercept => with_intercept(&interceptor_of(stage), program_of(stage)),
            O::Map => map(program_of(stage), &function_of(stage, "maps")),
            O::FlatMap => flat_map(program_of(stage), &function_of(stage, "then")),
            O::Bracket => resource(stage),
            O::Use => usage(stage, own),
            O::Clause => clause(stage),
            O::Look if stage.next().is_multiple_of(2) => get_handlers(),
            O::Look => get_execution_context(),
            O::Create => create_continuation(program_of(stage)),
            O::Escape => escape("action"),
            O::Mistake => 7.into(),
            O::Task => tasks::effect(stage),
        };
        match y.yields(node).await {
            Ok(came) => last = came,
            Err(met) => match stage.next() % 4 {
                0 | 1 => return Err(met),
                2 => last = met.class().into(),
                // A clean-up that performs; what it meets takes the place of the error.
                _ => {
                    y.yields(effect(stage)).await?;
                    return Err(met);
                }
            },
        }
        match last.datum() {
            Datum::K(_) => stage.put(std::mem::replace(&mut last, Value::unit())),
            Datum::Object(_) => stage.put_handle(std::mem::replace(&mut last, Value::unit())),
            _ => {}
        }
    }
    Ok(last)
}

/// A use of a continuation: the clause's own, or one that was put aside.
fn usage(stage: &Stage, own: Option<&Value>) -> Value {
    let byte = stage.next();
    let k = if byte & 8 == 0 { own.map(Value::share) } else { None };
    let Some(k) = k.or_else(|| stage.pick()) else {
        return pure(0);
    };
    match byte % 8 {
        0 => resume(&k, 5),
        1 => resume(&k, ()),
        2 => resume_throw(&k, failure(stage)),
        3 => transfer(&k, 6),
        4 => transfer_throw(&k, failure(stage)),
        5 => discontinue(&k),
        6 => inherit(&k, program_of(stage)),
        _ => handlers_in(&k),
    }
}

fn clause(stage: &Stage) -> Value {
    match stage.next() % 3 {
        0 => pass(),
        1 => delegate(),
        _ => get_continuation(),
    }
}

/// A bracket whose three parts are programs of the tape. The books know what was acquired and released.
fn resource(stage: &Stage) -> Value {
    let known = stage.clone();
    let acquire = program("acquires", async move |y| {
        let resource = body(&y, &known, None).await?;
        known.books(|books| books.acquired += 1);
        Ok(resource)
    });
    let known = stage.clone();
    let releases = function("releases", async move |_, _| {
        known.books(|books| books.released += 1);
        Ok(program_of(&known))
    });
    bracket(acquire, &function_of(stage, "uses"), &releases)
}
