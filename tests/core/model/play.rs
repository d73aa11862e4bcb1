//! Random programs: what a body does, and how it is played as a generator.

use std::future::Future;
use std::pin::Pin;

use proptest::prelude::*;

use crate::scripted::class::{LOUD_PING, PING, PONG};
use crate::scripted::script::{Building, Yielder};
use crate::scripted::value::Datum;
use crate::scripted::{
    Answered, Class, Log, Shelf, Value, attempt, delegate, discontinue, error, handler, pass, perform, program, resume,
    resume_throw, seal, transfer, transfer_throw, with_handler,
};

/// What a body does. It writes what each yield gave it, and after an error goes on or not.
#[derive(Clone, Debug)]
pub enum Act {
    Perform(u8),
    Raise,
    /// What comes is caught, `Discontinued` too, and the body goes on.
    CatchAll(Vec<Self>),
    /// Exceptions are caught, and the body goes on.
    Catch(Vec<Self>),
    /// The acts, and then the others whatever happened.
    Finally(Vec<Self>, Vec<Self>),
    Call(Vec<Self>),
    Try(Vec<Self>),
    Wall(Vec<u8>, Vec<Self>),
    Under(Box<Handling>, Vec<Self>),
    ResumeKept,
    ThrowIntoKept,
    DiscontinueKept,
    Delegate,
    Pass,
}

/// A handler of one clause.
#[derive(Clone, Debug)]
pub struct Handling {
    pub class: u8,
    pub form: u8,
    pub acts: Vec<Act>,
    pub end: End,
}

/// How a clause ends, after its acts.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Return,
    Raise,
    ReturnResume,
    YieldResume,
    YieldResumeThenRaise,
    ReturnThrow,
    YieldTransfer,
    YieldTransferThrow,
    Keep,
    KeepAndRaise,
    /// Kept before the clause's acts: it is still at work when its `k` may be used, or left.
    KeepFirst,
    ReturnDiscontinue,
    YieldDiscontinue,
    ReturnPass,
    ReturnDelegate,
    ResumeTwice,
}

const CLASSES: [Class; 3] = [PING, LOUD_PING, PONG];

fn class(number: u8) -> Class {
    CLASSES[usize::from(number) % CLASSES.len()]
}

fn ends() -> impl Strategy<Value = End> {
    prop::sample::select(vec![
        End::Return,
        End::Raise,
        End::ReturnResume,
        End::ReturnResume,
        End::YieldResume,
        End::YieldResume,
        End::YieldResumeThenRaise,
        End::ReturnThrow,
        End::YieldTransfer,
        End::YieldTransferThrow,
        End::Keep,
        End::Keep,
        End::KeepAndRaise,
        End::KeepFirst,
        End::KeepFirst,
        End::ReturnDiscontinue,
        End::YieldDiscontinue,
        End::ReturnPass,
        End::ReturnDelegate,
        End::ResumeTwice,
    ])
}

fn several(act: impl Strategy<Value = Act> + 'static) -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act, 0..4)
}

/// The acts of a program.
pub fn bodies() -> impl Strategy<Value = Vec<Act>> {
    let leaf = prop_oneof![
        6 => (0..3_u8).prop_map(Act::Perform),
        1 => Just(Act::Raise),
        2 => Just(Act::ResumeKept),
        1 => Just(Act::ThrowIntoKept),
        1 => Just(Act::DiscontinueKept),
        1 => Just(Act::Delegate),
        1 => Just(Act::Pass),
    ];
    let act = leaf.prop_recursive(5, 48, 4, |act| {
        let acts = || several(act.clone());
        prop_oneof![
            8 => (0..3_u8, 0..6_u8, acts(), ends(), acts()).prop_map(|(class, form, own, end, body)| {
                Act::Under(Box::new(Handling { class, form, acts: own, end }), body)
            }),
            1 => acts().prop_map(Act::Call),
            1 => acts().prop_map(Act::Try),
            1 => acts().prop_map(Act::Catch),
            1 => acts().prop_map(Act::CatchAll),
            2 => (acts(), acts()).prop_map(|(acts, finally)| Act::Finally(acts, finally)),
            1 => (prop::collection::vec(0..3_u8, 0..3), acts()).prop_map(|(allow, acts)| Act::Wall(allow, acts)),
        ]
    });
    prop::collection::vec(act, 1..5)
}

/// What all bodies of a run share.
#[derive(Clone)]
pub struct Stage {
    pub log: Log,
    pub shelf: Shelf,
}

/// The program of these acts.
pub fn main(acts: &[Act], stage: &Stage) -> Value {
    played("m", acts, stage)
}

fn played(path: &str, acts: &[Act], stage: &Stage) -> Value {
    let (acts, stage, name) = (acts.to_vec(), stage.clone(), path.to_owned());
    program(path, async move |y| play(&y, &name, &acts, &stage).await)
}

fn play<'a>(
    y: &'a Yielder,
    path: &'a str,
    acts: &'a [Act],
    stage: &'a Stage,
) -> Pin<Box<dyn Future<Output = Answered> + 'a>> {
    Box::pin(async move {
        let mut last = Value::from(0);
        for (number, act) in acts.iter().enumerate() {
            let here = format!("{path}{number}");
            last = one(y, &here, act, stage).await?;
        }
        Ok(last)
    })
}

/// A value as it is compared: of an error only the class.
pub fn shown(value: &Value) -> String {
    match value.datum() {
        Datum::Okay(value) => format!("Ok({})", shown(value)),
        Datum::Failed(error) => format!("Err({})", error.class()),
        _ => value.to_string(),
    }
}

fn say(stage: &Stage, here: &str, came: &Answered) {
    match came {
        Ok(value) => stage.log.say(format!("{here}={}", shown(value))),
        Err(met) => stage.log.say(format!("{here}!{}", met.class())),
    }
}

async fn one(y: &Yielder, here: &str, act: &Act, stage: &Stage) -> Answered {
    let node = match act {
        Act::Raise => return Err(error("ValueError", here)),
        Act::CatchAll(acts) => {
            let came = play(y, &format!("{here}c"), acts, stage).await;
            return came.or_else(|met| Ok(met.class().into()));
        }
        Act::Catch(acts) => {
            let came = play(y, &format!("{here}e"), acts, stage).await;
            return came.or_else(|met| if met.is_exception() { Ok(met.class().into()) } else { Err(met) });
        }
        Act::Finally(acts, finally) => {
            let came = play(y, &format!("{here}t"), acts, stage).await;
            play(y, &format!("{here}f"), finally, stage).await?;
            return came;
        }
        Act::Perform(number) => perform(class(*number), vec![here.into()]),
        Act::Call(acts) => played(&format!("{here}d"), acts, stage),
        Act::Try(acts) => attempt(played(&format!("{here}y"), acts, stage)),
        Act::Wall(allow, acts) => {
            let allow: Vec<_> = allow.iter().map(|number| class(*number)).collect();
            seal(&allow, played(&format!("{here}w"), acts, stage))
        }
        Act::Under(handling, acts) => {
            with_handler(&handles(&format!("{here}h"), handling, stage), played(&format!("{here}b"), acts, stage))
        }
        Act::ResumeKept | Act::ThrowIntoKept | Act::DiscontinueKept => {
            let Some(k) = stage.shelf.try_take() else {
                return Ok(().into());
            };
            match act {
                Act::ResumeKept => resume(&k, here),
                Act::ThrowIntoKept => resume_throw(&k, error("KeyError", here)),
                _ => discontinue(&k),
            }
        }
        Act::Delegate => delegate(),
        Act::Pass => pass(),
    };
    let came = y.yields(node).await;
    say(stage, here, &came);
    came
}

fn handles(name: &str, handling: &Handling, stage: &Stage) -> Value {
    let (acts, stage, end, here) = (handling.acts.clone(), stage.clone(), handling.end, name.to_owned());
    let class = [class(handling.class)];
    let building: Building = handler(name);
    let building = match handling.form {
        0 => building.answers(&class, move |_| {
            stage.log.say(&here);
            match end {
                End::Raise => Err(error("ValueError", &here)),
                End::ReturnPass => Ok(pass()),
                End::ReturnDelegate => Ok(delegate()),
                _ => Ok(here.as_str().into()),
            }
        }),
        1 => building.answers_by(&class, async move |y, _| {
            play(&y, &here, &acts, &stage).await?;
            match end {
                End::Raise => Err(error("ValueError", &here)),
                End::ReturnPass => Ok(pass()),
                End::ReturnDelegate => Ok(delegate()),
                _ => Ok(here.as_str().into()),
            }
        }),
        _ => building.control(&class, async move |y, _, k| {
            if matches!(end, End::KeepFirst) {
                stage.shelf.put(k.keep()?);
            }
            play(&y, &here, &acts, &stage).await?;
            let answer = || format!("{here}a");
            let came = match end {
                End::Return | End::KeepFirst => return Ok(answer().into()),
                End::Raise => return Err(error("ValueError", &here)),
                End::ReturnResume => return Ok(resume(&k, answer())),
                End::ReturnThrow => return Ok(resume_throw(&k, error("KeyError", &here))),
                End::ReturnDiscontinue => return Ok(discontinue(&k)),
                End::ReturnPass => return Ok(pass()),
                End::ReturnDelegate => return Ok(delegate()),
                End::Keep => {
                    stage.shelf.put(k.keep()?);
                    return Ok(answer().into());
                }
                End::KeepAndRaise => {
                    stage.shelf.put(k.keep()?);
                    return Err(error("ValueError", &here));
                }
                End::YieldResume | End::YieldResumeThenRaise | End::ResumeTwice => y.yields(resume(&k, answer())).await,
                End::YieldTransfer => y.yields(transfer(&k, answer())).await,
                End::YieldTransferThrow => y.yields(transfer_throw(&k, error("KeyError", &here))).await,
                End::YieldDiscontinue => y.yields(discontinue(&k)).await,
            };
            say(&stage, &here, &came);
            match end {
                End::YieldResumeThenRaise => Err(error("ValueError", &here)),
                End::ResumeTwice => {
                    let again = y.yields(resume(&k, answer())).await;
                    say(&stage, &here, &again);
                    again
                }
                _ => came,
            }
        }),
    };
    building.done()
}
