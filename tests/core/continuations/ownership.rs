//! The model: what stands where is a table of continuations and a number of performs for each block; a resume is a call.

use super::{Act, End, Script, Use};

/// What became of a continuation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Fresh,
    Kept,
    Used(&'static str),
}

struct Owned {
    block: usize,
    state: State,
    /// Whether `keep` was ever called.
    kept: bool,
    /// It is on the table.
    on_table: bool,
    /// Its clause is at work, and has it too.
    at_work: bool,
}

struct Block {
    number: usize,
    left: u8,
    script: Script,
}

/// What a block, a clause or a use comes to: a value, or the class of an error.
type Came = Result<String, &'static str>;

#[derive(Default)]
pub struct Model {
    log: Vec<String>,
    blocks: Vec<Block>,
    table: Vec<Owned>,
    lost: Vec<usize>,
}

/// What a use comes to where it is done.
enum Done {
    /// The user goes on.
    Goes,
    /// The clause is over, and this is what stands in its place.
    Departed(Came),
}

/// Plays the list.
pub fn play(acts: &[Act]) -> Model {
    let mut model = Model::default();
    for (number, act) in acts.iter().enumerate() {
        match act {
            Act::Open(script) => {
                model.stop();
                model.blocks.push(Block { number, left: script.performs, script: script.clone() });
                let came = model.perform(model.blocks.len() - 1);
                model.say(&format!("open{number}"), &came);
            }
            Act::Use(what) => {
                model.does(*what, None);
            }
        }
    }
    model.stop();
    for at in 0..model.table.len() {
        if model.unused(at) {
            model.unwind(at, "its");
        }
    }
    model
}

impl Model {
    pub fn log(&self) -> String {
        self.log.join(" ")
    }

    pub fn captures(&self) -> usize {
        self.table.len()
    }

    pub fn is_kept(&self, at: usize) -> bool {
        self.table[at].kept
    }

    pub fn fate(&self, at: usize) -> &'static str {
        match self.table[at].state {
            State::Used(fate) => fate,
            State::Fresh | State::Kept => "unused",
        }
    }

    fn say(&mut self, what: &str, came: &Came) {
        self.log.push(match came {
            Ok(value) => format!("{what}={value}"),
            Err(class) => format!("{what}!{class}"),
        });
    }

    fn unused(&self, at: usize) -> bool {
        !matches!(self.table[at].state, State::Used(_))
    }

    /// Takes it for its one use.
    fn take(&mut self, at: usize, fate: &'static str) -> Result<(), &'static str> {
        match self.table[at].state {
            State::Used(earlier) => Err(earlier),
            State::Fresh | State::Kept => {
                self.table[at].state = State::Used(fate);
                Ok(())
            }
        }
    }

    /// The machine is back: what was lost meanwhile is unwound first, in the order of capture.
    fn stop(&mut self) {
        let mut lost = std::mem::take(&mut self.lost);
        lost.sort_unstable();
        for at in lost {
            self.unwind(at, "Unwound");
        }
    }

    /// An owner let go; the last one loses it.
    fn let_go(&mut self, at: usize) {
        let one = &self.table[at];
        if !one.on_table && !one.at_work && self.unused(at) {
            self.lost.push(at);
        }
    }

    fn unwind(&mut self, at: usize, fate: &'static str) {
        self.table[at].state = State::Used(fate);
        let unwound = self.goes_on(at, Err("Discontinued"));
        assert_eq!(unwound, Err("Discontinued"), "a body lets its unwinding pass");
    }

    /// The body of a continuation that was taken goes on.
    fn goes_on(&mut self, at: usize, with: Came) -> Came {
        let block = self.table[at].block;
        let name = format!("b{}", self.blocks[block].number);
        self.say(&name, &with);
        if with.is_err() {
            self.stop();
            return with;
        }
        self.blocks[block].left -= 1;
        if self.blocks[block].left > 0 {
            return self.perform(block);
        }
        self.stop();
        Ok(name)
    }

    fn capture(&mut self, block: usize) -> usize {
        let (state, kept) = (State::Fresh, false);
        self.table.push(Owned { block, state, kept, on_table: true, at_work: true });
        self.table.len() - 1
    }

    /// The body of a block performs: a capture, and its clause.
    fn perform(&mut self, block: usize) -> Came {
        self.stop();
        let own = self.capture(block);
        let script = self.blocks[block].script.clone();
        for what in &script.uses {
            if let Done::Departed(came) = self.does(*what, Some(own)) {
                return came;
            }
        }
        let end = if self.table[own].on_table { script.end } else { End::Return };
        let gone = !self.table[own].on_table;
        if matches!(end, End::Keep) {
            match self.keep(own) {
                Ok(()) => {}
                Err(fate) => {
                    self.stop();
                    return self.finished(own, Err(fate));
                }
            }
        }
        self.stop();
        match end {
            End::Return => self.finished(own, Ok(if gone { "dropped" } else { "returned" }.to_owned())),
            End::Keep => self.finished(own, Ok("kept".to_owned())),
            End::Raise if self.table[own].state == State::Fresh => {
                self.table[own].state = State::Used("Raised");
                self.finishes(own);
                self.goes_on(own, Err("ValueError"))
            }
            End::Raise => self.finished(own, Err("ValueError")),
            End::Resume => {
                let taken = self.take(own, "Resumed");
                self.finishes(own);
                match taken {
                    Ok(()) => self.goes_on(own, Ok("tail".to_owned())),
                    Err(fate) => self.refused(fate),
                }
            }
            End::Discontinue => {
                if let Err(fate) = self.take(own, "Discontinued") {
                    return self.finished(own, Err(fate));
                }
                let _unwound = self.goes_on(own, Err("Discontinued"));
                self.finished(own, Ok("None".to_owned()))
            }
            End::Pass if self.table[own].state == State::Fresh => {
                self.table[own].state = State::Used("Passed");
                self.finishes(own);
                self.goes_on(own, Err("UnhandledEffectError"))
            }
            End::Pass => {
                self.finishes(own);
                self.refused("Pass")
            }
        }
    }

    /// The clause's frame is gone, and its `k` with it.
    fn finishes(&mut self, own: usize) {
        self.table[own].at_work = false;
        self.let_go(own);
    }

    /// A clause is over, with what the block comes to unless its own `k` is fresh: then the body ends first.
    fn finished(&mut self, own: usize, came: Came) -> Came {
        if self.table[own].state == State::Fresh {
            self.unwind(own, "Ended");
        }
        self.finishes(own);
        came
    }

    /// An error of the library comes where it is noticed, and what was lost meanwhile before it.
    fn refused(&mut self, fate: &'static str) -> Came {
        self.stop();
        Err(fate)
    }

    fn keep(&mut self, at: usize) -> Result<(), &'static str> {
        match self.table[at].state {
            State::Used(fate) => Err(fate),
            State::Fresh | State::Kept => {
                self.table[at].state = State::Kept;
                self.table[at].kept = true;
                Ok(())
            }
        }
    }

    /// What a clause (`own` is its continuation) or the program outside does.
    fn does(&mut self, what: Use, own: Option<usize>) -> Done {
        let (Use::Resume(number)
        | Use::Throw(number)
        | Use::Transfer(number)
        | Use::Discontinue(number)
        | Use::Keep(number)
        | Use::Drop(number)) = what;
        if self.table.is_empty() {
            return Done::Goes;
        }
        let at = usize::from(number) % self.table.len();
        if !self.table[at].on_table {
            return Done::Goes;
        }
        let came = match what {
            Use::Keep(_) => {
                let came = self.keep(at).map(|()| "kept".to_owned());
                self.say(&format!("keep{at}"), &came);
                return Done::Goes;
            }
            Use::Drop(_) => {
                self.table[at].on_table = false;
                self.let_go(at);
                return Done::Goes;
            }
            Use::Resume(_) => {
                self.stop();
                self.take(at, "Resumed").and_then(|()| self.goes_on(at, Ok(format!("r{at}"))))
            }
            Use::Throw(_) => {
                self.stop();
                self.take(at, "ThrownInto").and_then(|()| self.goes_on(at, Err("KeyError")))
            }
            Use::Discontinue(_) => {
                self.stop();
                self.take(at, "Discontinued").map(|()| {
                    let _unwound = self.goes_on(at, Err("Discontinued"));
                    "None".to_owned()
                })
            }
            Use::Transfer(_) => {
                self.stop();
                match own {
                    None => Err("Transfer"),
                    Some(own) => match self.take(at, "Transferred") {
                        Err(fate) => Err(fate),
                        Ok(()) => {
                            self.stop();
                            if self.table[own].state == State::Fresh {
                                self.unwind(own, "Ended");
                            }
                            self.finishes(own);
                            return Done::Departed(self.goes_on(at, Ok(format!("t{at}"))));
                        }
                    },
                }
            }
        };
        self.say(&format!("use{at}"), &came);
        Done::Goes
    }
}
