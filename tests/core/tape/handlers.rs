//! Handlers and interceptors whose clauses, hooks and functions are read off the tape.

use segue::effects::{Reader, State, Writer};

use super::play::{MODIFY, body, failure, function_of, key, program_of};
use super::stage::Stage;
use super::tasks::scheduler;
use crate::scripted::class::{LOUD_PING, PING, PONG, READ, TELL, WRITE};
use crate::scripted::script::Building;
use crate::scripted::{Answered, Class, Value, delegate, function, handler, lazy, mapping, pass};

/// A handler of one or two clauses, native ones too, with a life cycle or without.
pub fn handler_of(stage: &Stage) -> Value {
    let shape = stage.next();
    let building = handler(&stage.name("h"));
    let building = match shape % 16 {
        0 => plain(stage, building, &[PING]),
        1 => plain(stage, program_clause(stage, building, &[PONG]), &[LOUD_PING]),
        2 => program_clause(stage, building, &[PING]),
        3 => native(stage, building),
        4..=6 => control(stage, building, &[PONG]),
        7 => control(stage, building, &[]),
        8 => control(stage, plain(stage, building, &[PONG]), &[PING]),
        9 => control(stage, building, &[READ, TELL]),
        14 | 15 => scheduler(stage, building),
        _ => control(stage, building, &[PING]),
    };
    let known = |wanted: u8| if shape & wanted == 0 { None } else { Some(stage.clone()) };
    let building = match known(16) {
        Some(stage) => in_a_block(&stage, building),
        None => building,
    };
    let building = match known(32) {
        Some(stage) => building.result(async move |y, _| body(&y, &stage, None).await),
        None => building,
    };
    let building = match known(64) {
        Some(stage) => building.error(async move |y, _| body(&y, &stage, None).await),
        None => building,
    };
    let building = match known(128) {
        Some(stage) => building.fork(async move |y, _| {
            body(&y, &stage, None).await?;
            Ok(if stage.next().is_multiple_of(8) { Value::unit() } else { handler_of(&stage) })
        }),
        None => building,
    };
    building.done()
}

/// `enter` and `exit`, which come in pairs.
fn in_a_block(stage: &Stage, building: Building) -> Building {
    let (enters, exits) = (stage.clone(), stage.clone());
    let building = building.enter(async move |y, _| {
        body(&y, &enters, None).await?;
        enters.books(|books| books.entered += 1);
        Ok(Value::unit())
    });
    building.exit(async move |y, _| {
        exits.books(|books| books.exited += 1);
        body(&y, &exits, None).await
    })
}

fn plain(stage: &Stage, building: Building, classes: &[Class]) -> Building {
    let stage = stage.clone();
    building.answers(classes, move |_| -> Answered {
        match stage.next() % 8 {
            0..=4 => Ok(8.into()),
            5 => Ok(pass()),
            6 => Ok(delegate()),
            _ => Err(failure(&stage)),
        }
    })
}

fn program_clause(stage: &Stage, building: Building, classes: &[Class]) -> Building {
    let stage = stage.clone();
    building.answers_by(classes, async move |y, _| body(&y, &stage, None).await)
}

fn control(stage: &Stage, building: Building, classes: &[Class]) -> Building {
    let stage = stage.clone();
    building.control(classes, async move |y, _, k| body(&y, &stage, Some(&k)).await)
}

/// A built-in handler, with settings of its own for each installation.
fn native(stage: &Stage, building: Building) -> Building {
    let choice = stage.next();
    let stage = stage.clone();
    let entries = move || mapping(vec![(key(0), 9.into()), (key(1), lazy(program_of(&stage)))]);
    match choice % 5 {
        0 | 1 => building.native(&[READ, WRITE, MODIFY], move || State::new(entries())),
        2 => building.native(&[READ], move || Reader::new(entries())),
        3 => building.native(&[READ], move || Reader::overrides(entries())),
        _ => building.native(&[TELL], || Writer::tee(Vec::<Value>::new().into())),
    }
}

/// What an interceptor makes of an effect: a program that performs it again, the effect itself, or something else.
pub fn interceptor_of(stage: &Stage) -> Value {
    let known = stage.clone();
    function("intercepts", async move |_, mut arguments| match known.next() % 4 {
        0 => Ok(arguments.remove(0)),
        1 | 2 => Ok(program_of(&known)),
        _ => function_result(&known),
    })
}

/// A function's result that is no program, or none at all.
fn function_result(stage: &Stage) -> Answered {
    if stage.next().is_multiple_of(2) { Ok(function_of(stage, "no program")) } else { Err(failure(stage)) }
}
