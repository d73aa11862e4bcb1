//! The engine under `run`, `async_run` and `PyVM`: the machine, its trash, and the loop between the two.

use std::cell::Cell;
use std::time::Duration;

use pyo3::exceptions::{PyBaseException, PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyAny;
use pyo3::{PyTraverseError, PyVisit};

use super::classes::link::Scope;
use super::classes::nodes;
use super::classes::result::RunResult;
use super::classes::text::safe_repr;
use super::contained::contained;
use super::desks::Seat;
use super::entered::Away;
use super::errands::Errands;
use super::found::name;
use super::names::{library_code, names};
use super::roots::Roots;
use super::world::{HostState, PyWorld};
use super::{call, context, error, leaving, os_fork, reserve, signals, stack};
use crate::core::fault::Fault;
use crate::core::limits::Bounds;
use crate::core::native::Standing;
use crate::core::step::{Event, Outcome, Remains, StepKind, StepNote, Watch};
use crate::core::vm::Vm;

/// A host for one visit to the machine.
macro_rules! host {
    ($machine:expr, $py:expr) => {
        &mut $crate::py::world::PyHost { py: $py, state: &mut $machine.host }
    };
}

mod awaits;
mod calls;
mod ending;
mod interrupts;
mod setting;
mod switches;

pub use setting::{Given, NONE_GIVEN, Setting};

use calls::Stop;
use ending::{attach, tell};
use setting::{root_handlers, root_program};
use switches::Switches;

/// A run: the machine and what belongs to it in Python.
pub struct Machine {
    vm: Vm<PyWorld>,
    host: HostState,
    roots: Roots,
    /// It waits for what comes from outside, and whoever drives knows.
    idle: bool,
    trace: Option<Vec<Py<PyAny>>>,
    /// What a handler of signals raised, until a yield gets it.
    signal: Option<PyErr>,
    /// What ends the run when its grace is used up: a bound that it passed, or its closing.
    exceeded: Option<Py<PyBaseException>>,
    /// Nobody waits for it any more: it is unwound at once.
    closing: bool,
    /// A Ctrl-C was raised in the program: the next one ends the run.
    interrupted: bool,
    /// Turns of the loop so far.
    turns: u64,
    /// Its place among those that can be asked how their tasks stand.
    seat: Option<Seat>,
    switches: Switches,
}

/// Why the loop stopped.
pub enum Turn {
    /// A step was made.
    Stepped,
    /// Somebody has to await what this action makes.
    Async(Py<PyAny>),
    /// Nobody can go on before that long, or before something arrives.
    Idle(Option<Duration>),
    /// It could go on; others have their turn.
    Busy,
    /// The run is over.
    Ended(Result<Py<PyAny>, Py<PyBaseException>>),
}

/// Steps for the clean-up of a run without bounds that is closed.
const GRACE: u64 = 10_000;
/// How often signals and the bounds of what makes no step are looked at, in turns of the loop.
const LOOK_TURNS: u64 = 64;

impl Machine {
    /// A run of `program` inside `handlers`, the first outermost.
    ///
    /// # Errors
    /// When the arguments are wrong.
    pub fn new(py: Python<'_>, program: &Bound<'_, PyAny>, setting: &Setting<'_, '_>) -> PyResult<Self> {
        os_fork::begun();
        reserve::hold();
        // Where an error is told there may be no memory to look this up.
        library_code(py)?;
        let root = root_program(program)?;
        let mut roots = Roots::default();
        let handlers = root_handlers(py, setting, &mut roots)?;
        let program = nodes::nest(py, root, &handlers)?;
        let unbounded = Bounds { grace: GRACE, ..Bounds::default() };
        let bounds = setting.limits.map_or(unbounded, |limits| Bounds {
            steps: limits.steps,
            depth: limits.depth,
            segments: limits.segments,
            tasks: limits.tasks,
            promises: limits.promises,
            time: limits.seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
            grace: limits.grace,
        });
        let watch = match (setting.trace, setting.stepping) {
            (true, _) => Watch::Notes,
            (false, true) => Watch::Steps,
            (false, false) => Watch::Nothing,
        };
        let mut vm = Vm::new(program, bounds, watch);
        if setting.driven {
            vm.be_driven();
        }
        Ok(Self {
            vm,
            host: HostState::new(names(py)?.discontinued.clone_ref(py), setting.driven),
            roots,
            idle: false,
            trace: setting.trace.then(Vec::new),
            signal: None,
            exceeded: None,
            closing: false,
            interrupted: false,
            turns: 0,
            seat: None,
            switches: Switches::default(),
        })
    }

    /// Goes on until the run is over, or somebody has to await; with `stepping`, until the next step.
    pub fn turn(&mut self, py: Python<'_>, stepping: bool) -> Turn {
        self.turn_within(py, stepping, u64::MAX)
    }

    /// The same for so many turns of the loop. A wait that was told is over: whoever waited comes back.
    fn turn_within(&mut self, py: Python<'_>, stepping: bool, turns: u64) -> Turn {
        if std::mem::take(&mut self.idle) {
            let outcome = self.waited(py);
            self.vm.receive(host!(self, py), outcome);
        }
        if stepping || self.host.errands.driven {
            self.sit_down();
        }
        let turn = contained(py, || Ok(self.advance(py, stepping, turns)));
        self.seat = None;
        self.vm.publish();
        let left = self.host.entered.leave(py);
        turn.and_then(|turn| left.map(|()| turn)).unwrap_or_else(|error| {
            reserve::release();
            Turn::Ended(Err(error.into_value(py)))
        })
    }

    /// The same for somebody else's loop, where the root may run, or away from there.
    pub fn turn_beside(&mut self, py: Python<'_>, away: Option<Away>, turns: u64) -> Turn {
        self.host.errands.keeps_root = away.is_some();
        self.host.entered.away = away;
        let turn = self.turn_within(py, false, turns);
        let away = self.host.entered.away.take();
        drop(away);
        turn
    }

    fn advance(&mut self, py: Python<'_>, stepping: bool, turns: u64) -> Turn {
        let last = self.turns.saturating_add(turns);
        if turns == 0 {
            return Turn::Busy;
        }
        let mut event = self.vm.advance(host!(self, py));
        loop {
            self.sweep(py);
            self.turns += 1;
            if self.turns.is_multiple_of(LOOK_TURNS) {
                self.look_around(py);
            }
            let outcome = match event {
                Event::Python(call) => {
                    self.vm.publish();
                    match self.call(py, call) {
                        Ok(outcome) | Err(Stop::Long(outcome)) => Some(outcome),
                        Err(Stop::Await(rest)) => return Turn::Async(rest),
                        Err(Stop::Went(next)) => {
                            event = next;
                            continue;
                        }
                    }
                }
                event => match self.meet(py, event, stepping) {
                    Ok(outcome) => outcome,
                    Err(turn) => return turn,
                },
            };
            if let Some(Outcome::Raised(error)) = &outcome {
                leaving::stand_still(py);
                // What an unwinding throws takes nothing along from where it was: the frame goes now.
                if self.host.passage.throws(error) {
                    context::forget_traceback(error.bind(py));
                }
                if error.bind(py).is_instance_of::<PyMemoryError>() {
                    reserve::release();
                }
            }
            event = match outcome {
                Some(outcome) if self.turns < last => self.vm.advance_with(host!(self, py), outcome),
                None if self.turns < last => self.vm.advance(host!(self, py)),
                outcome => {
                    if let Some(outcome) = outcome {
                        self.vm.receive(host!(self, py), outcome);
                    }
                    return Turn::Busy;
                }
            };
        }
    }

    /// Does what is not user code, and happens seldom: gives what came of it, if anything, or why the loop stops.
    #[inline(never)]
    fn meet(
        &mut self,
        py: Python<'_>,
        event: Event<PyWorld>,
        stepping: bool,
    ) -> Result<Option<Outcome<PyWorld>>, Turn> {
        let outcome = match event {
            Event::Python(_) => unreachable!("the loop makes calls itself"),
            Event::Fault(fault) => Outcome::Raised(self.fault(py, fault)),
            Event::Attention => match self.interrupt(py) {
                Some(error) => self.interrupted_by(py, error).map_err(|ended| Turn::Ended(Err(ended)))?,
                None => return Ok(None),
            },
            Event::Sweep => return Ok(None),
            Event::Stepped(note) => {
                self.record(py, note);
                return if stepping { Err(Turn::Stepped) } else { Ok(None) };
            }
            Event::Await(awaitable) if self.closing => match awaits::made(py, awaitable) {
                Ok(action) => self.at_once(py, &action),
                Err(error) => Outcome::Raised(error.into_value(py)),
            },
            Event::Await(awaitable) => self.begin_await(py, awaitable).map_err(Turn::Async)?,
            Event::Async(action) if self.closing => self.at_once(py, &action),
            Event::Async(action) => self.begin(py, action).map_err(Turn::Async)?,
            Event::Idle(at_most) => {
                let at_most = [at_most, self.vm.may_wait()].into_iter().flatten().min();
                if self.host.errands.driven {
                    self.idle = true;
                    return Err(Turn::Idle(at_most));
                }
                self.sit_down();
                match self.idle(py, at_most) {
                    Ok(()) => self.waited(py),
                    Err(error) => self.interrupted_by(py, error).map_err(|ended| Turn::Ended(Err(ended)))?,
                }
            }
            Event::Done(value) => {
                // What came too late for the program is not lost.
                let late = self.signal.take().map(|signal| signal.into_value(py));
                return Err(Turn::Ended(late.map_or(Ok(value), Err)));
            }
            Event::Failed(error) => return Err(Turn::Ended(Err(error))),
            Event::Exhausted => return Err(Turn::Ended(Err(self.abandon(py)))),
        };
        Ok(Some(outcome))
    }

    /// What is to be done beside the run.
    pub const fn errands(&mut self) -> &mut Errands {
        &mut self.host.errands
    }

    /// Feeds what came of an action.
    pub fn feed(&mut self, py: Python<'_>, outcome: Result<Py<PyAny>, Py<PyBaseException>>) {
        let outcome = match outcome {
            Ok(value) => Outcome::Returned(value),
            Err(error) => Outcome::Raised(error),
        };
        self.vm.receive(host!(self, py), outcome);
        self.look_at_time();
    }

    /// Unwinds what is suspended, at once: nothing can wait any more.
    pub fn close(&mut self, py: Python<'_>) {
        let Ok(error) =
            self.host.discontinued.bind(py).call0().and_then(|made| Ok(made.cast_into::<PyBaseException>()?))
        else {
            return;
        };
        self.closing = true;
        self.idle = false;
        // There is no other place any more.
        self.host.errands.keeps_root = false;
        self.vm.begin_closing();
        let thrown = error.clone().unbind();
        self.exceeded = Some(thrown.clone_ref(py));
        self.vm.receive(host!(self, py), Outcome::Raised(error.unbind()));
        if let Turn::Ended(Err(error)) = self.turn(py, false)
            && !error.is(&thrown)
        {
            tell(py, &error);
        }
        self.sweep(py);
        self.let_go(py);
    }

    /// Nobody asks for the result any more: what it would have shown is told.
    pub fn let_go(&mut self, py: Python<'_>) {
        for lost in self.vm.take_unobserved() {
            tell(py, &self.lost(py, lost).0);
        }
    }

    /// Drops what is dead: user code may run, and may leave more behind.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "most often nothing is, and each effect asks")]
    fn sweep(&mut self, py: Python<'_>) {
        if !self.host.trash.is_empty() {
            self.sweep_all(py);
        }
    }

    #[inline(never)]
    fn sweep_all(&mut self, py: Python<'_>) {
        // Most often there is one.
        if self.host.trash.len() == 1
            && let Some(dead) = self.host.trash.pop()
        {
            dead.let_go(py);
        }
        while !self.host.trash.is_empty() {
            let mut dead = std::mem::take(&mut self.host.trash);
            dead.drain(..).for_each(|dead| dead.let_go(py));
            if self.host.trash.is_empty() {
                self.host.trash = dead;
                break;
            }
        }
    }

    fn fault(&mut self, py: Python<'_>, fault: Fault<PyWorld>) -> Py<PyBaseException> {
        let exceeded = matches!(fault, Fault::Exceeded(_));
        let is_new = !matches!(fault, Fault::Again(_));
        let error = error::raise(py, fault, self.vm.meter().bounds());
        if is_new {
            // It is raised at a yield: what is handled where the run began is no context of it.
            error.set_context(py, None);
        }
        let error = error.into_value(py);
        if exceeded {
            self.exceeded = Some(error.clone_ref(py));
        }
        error
    }

    fn record(&mut self, py: Python<'_>, note: Option<StepNote<PyWorld>>) {
        let (Some(trace), Some(note)) = (&mut self.trace, note) else { return };
        let text = safe_repr(note.subject.bind(py));
        let (event, pending, result) = match note.kind {
            StepKind::Enter => ("enter", text, String::new()),
            StepKind::Exit => ("exit", String::new(), text),
        };
        let entry = names(py).and_then(|names| {
            let class = names.result.bind(py).getattr(name!(c"TraceEntry"))?;
            class.call1((note.step, event, note.mode, pending, note.dispatch_depth, result))
        });
        if let Ok(entry) = entry {
            trace.push(entry.unbind());
        }
    }

    /// The grace is used up: what is left is closed without effects, innermost first, by what ends the run.
    fn abandon(&mut self, py: Python<'_>) -> Py<PyBaseException> {
        let ending = match self.exceeded.take() {
            Some(error) => error,
            None => error::internal(py, "a grace was used up that no bound gave").into_value(py),
        };
        let told = PyErr::from_value(ending.bind(py).clone().into_any());
        let (traceback, context) = (told.traceback(py), told.context(py));
        for left in self.vm.abandon(host!(self, py)) {
            match left {
                Remains::Code(code) => call::close(py, code, &ending),
                Remains::Exit(handler) => call::exit(py, &handler, &ending),
            }
        }
        self.sweep(py);
        // Where it was raised again is nobody's business.
        told.set_traceback(py, traceback);
        told.set_context(py, context);
        ending
    }

    /// How its tasks stand.
    pub fn standings(&mut self, py: Python<'_>) -> Vec<Standing<PyWorld>> {
        self.vm.standings(host!(self, py))
    }

    /// Answers those who asked how its tasks stand.
    fn answer(&mut self, py: Python<'_>) {
        for question in self.seat.as_ref().map(Seat::questions).unwrap_or_default() {
            question.answer(self.standings(py));
        }
    }

    /// The task that runs.
    fn running_task(&mut self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.vm.running(host!(self, py))
    }

    /// From now on, until this turn is over, others may ask how its tasks stand.
    fn sit_down(&mut self) {
        if self.seat.is_none() {
            self.seat = Some(Seat::take(self.vm.mailbox()));
        }
    }

    /// The machine, for the collector.
    #[must_use]
    pub const fn vm(&self) -> &Vm<PyWorld> {
        &self.vm
    }

    /// What is held beside the machine, for the collector.
    ///
    /// # Errors
    /// What the visitor raises to stop the traversal.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for entry in self.trace.iter().flatten() {
            visit.call(entry)?;
        }
        visit.call(&self.exceeded)?;
        self.host.errands.traverse(visit)?;
        self.switches.traverse(visit)?;
        self.roots.traverse(visit)
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When the arguments are wrong, and what is no `Exception`.
pub fn run(py: Python<'_>, program: &Bound<'_, PyAny>, setting: &Setting<'_, '_>) -> PyResult<Py<RunResult>> {
    let _inside = leaving::enter(py);
    let _level = level()?;
    let _drops = Scope::enter();
    let mut made = None;
    contained(py, || make(py, program, setting, &mut made))?;
    let machine = made.as_mut().expect("it was made");
    let guard = signals::guard(py, machine.vm.mailbox());
    let ended = loop {
        match machine.turn(py, false) {
            Turn::Ended(ended) => break ended,
            Turn::Stepped | Turn::Busy | Turn::Idle(_) => {}
            Turn::Async(action) => {
                let error = PyTypeError::new_err(format!(
                    "run() cannot await {}: use async_run, or a handler that owns an event loop",
                    safe_repr(action.bind(py))
                ));
                machine.feed(py, Err(error.into_value(py)));
            }
        }
    };
    let late = guard.map_or(Ok(()), |guard| guard.leave(py));
    let (result, raised) = contained(py, || finish(py, &mut made, ended))?;
    let error = match (raised, late) {
        (None, Ok(())) => return Ok(result),
        (Some(error), Ok(())) => error,
        (earlier, Err(late)) => {
            let late = late.into_value(py);
            attach(py, &late, &result);
            if let Some(earlier) = earlier {
                context::chain(py, &late, &earlier);
            }
            late
        }
    };
    Err(PyErr::from_value(error.into_bound(py).into_any()))
}

/// Runs stand inside each other on the native stack: what moves a machine does so in a frame that is gone by then.
#[inline(never)]
fn make(
    py: Python<'_>,
    program: &Bound<'_, PyAny>,
    setting: &Setting<'_, '_>,
    place: &mut Option<Machine>,
) -> PyResult<()> {
    *place = Some(Machine::new(py, program, setting)?);
    Ok(())
}

/// As in [`make`].
#[inline(never)]
fn finish(
    py: Python<'_>,
    place: &mut Option<Machine>,
    ended: Result<Py<PyAny>, Py<PyBaseException>>,
) -> PyResult<(Py<RunResult>, Option<Py<PyBaseException>>)> {
    place.take().expect("it was made").finish(py, ended)
}

thread_local! {
    /// Runs inside each other.
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// A run, or a step of a VM, goes one level deeper into the native stack.
///
/// # Errors
/// `RecursionError` when the stack is nearly used up.
pub fn level() -> PyResult<stack::Level> {
    stack::deeper(&RUNS, "yield the inner program instead of running it")
}
