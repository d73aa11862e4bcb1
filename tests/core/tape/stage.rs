//! What all user code of a tape shares: the tape, the values that it put aside, the run that it is in, and the books.

use std::sync::{Arc, Mutex};

use segue::core::limits::Bounds;
use segue::core::mailbox::Mailbox;

use super::books::Books;
use super::tasks::complete;
use crate::scripted::value::{Datum, locked};
use crate::scripted::{Report, Value};

/// Runs inside runs, at most.
const NESTED: usize = 3;
/// What a run without small bounds may do: more than any tape of a few hundred bytes asks for.
const AMPLE: Bounds = Bounds {
    steps: Some(50_000),
    segments: Some(2_000),
    depth: None,
    tasks: None,
    promises: None,
    time: None,
    grace: 5_000,
};

#[derive(Default)]
struct Tape {
    bytes: Vec<u8>,
    read: usize,
}

#[derive(Default)]
struct Shared {
    tape: Tape,
    kept: Vec<Value>,
    handles: Vec<Value>,
    runs: Vec<Arc<Mailbox>>,
    names: usize,
    books: Books,
}

#[derive(Clone)]
pub struct Stage(Arc<Mutex<Shared>>);

impl Stage {
    pub fn new(bytes: &[u8]) -> Self {
        let tape = Tape { bytes: bytes.to_vec(), read: 0 };
        Self(Arc::new(Mutex::new(Shared { tape, ..Shared::default() })))
    }

    fn with<R>(&self, act: impl FnOnce(&mut Shared) -> R) -> R {
        act(&mut locked(&self.0))
    }

    /// The next byte, while there is one.
    pub fn read(&self) -> Option<u8> {
        self.with(|shared| {
            let byte = shared.tape.bytes.get(shared.tape.read).copied();
            shared.tape.read += usize::from(byte.is_some());
            byte
        })
    }

    /// The next byte; past the end of the tape it is 0, which is the choice that ends soonest.
    pub fn next(&self) -> u8 {
        self.read().unwrap_or(0)
    }

    /// A name that nothing else on this stage has.
    pub fn name(&self, what: &str) -> String {
        self.with(|shared| {
            shared.names += 1;
            format!("{what}{}", shared.names)
        })
    }

    pub fn books(&self, note: impl FnOnce(&mut Books)) {
        self.with(|shared| note(&mut shared.books));
    }

    /// The bounds of a run, and whether its steps are noted.
    pub fn bounds(&self) -> (Bounds, bool) {
        let byte = self.next();
        let bounds = match byte % 8 {
            4 => Bounds { tasks: Some((self.next() % 8).into()), promises: Some((self.next() % 8).into()), ..AMPLE },
            5 => Bounds { steps: Some(self.next().into()), grace: self.next().into(), ..AMPLE },
            6 => Bounds { depth: Some((self.next() % 16).into()), ..AMPLE },
            7 => Bounds { segments: Some((1 + self.next() % 16).into()), grace: self.next().into(), ..AMPLE },
            _ => AMPLE,
        };
        (bounds, byte & 8 != 0)
    }

    /// A run begins, inside the one that it is started from.
    pub fn enter(&self, run: &Arc<Mailbox>) {
        self.with(|shared| shared.runs.push(run.clone()));
    }

    /// The innermost run is over.
    pub fn leave(&self, report: &Report) {
        self.with(|shared| {
            shared.runs.pop();
            shared.books.enter(report);
        });
    }

    pub fn may_nest(&self) -> bool {
        self.with(|shared| shared.runs.len() < NESTED)
    }

    /// Ctrl-C reaches the innermost run.
    pub fn interrupt(&self) {
        self.with(|shared| {
            if let Some(run) = shared.runs.last() {
                run.interrupt();
            }
        });
    }

    /// Puts a continuation aside.
    pub fn put(&self, k: Value) {
        self.with(|shared| shared.kept.push(k));
    }

    /// One of the continuations that were put aside.
    pub fn pick(&self) -> Option<Value> {
        let at = usize::from(self.next());
        self.with(|shared| {
            let kept = &shared.kept;
            (!kept.is_empty()).then(|| kept[at % kept.len()].share())
        })
    }

    /// Takes one of them out.
    pub fn take(&self) -> Option<Value> {
        let at = usize::from(self.next());
        self.with(|shared| {
            let kept = &mut shared.kept;
            (!kept.is_empty()).then(|| kept.swap_remove(at % kept.len()))
        })
    }

    /// Puts a handle aside: a task, a promise, a lock.
    pub fn put_handle(&self, handle: Value) {
        self.with(|shared| shared.handles.push(handle));
    }

    /// One of the handles that were put aside; nothing when there is none.
    pub fn handle(&self) -> Value {
        let at = usize::from(self.next());
        self.with(|shared| {
            let handles = &shared.handles;
            if handles.is_empty() { Value::unit() } else { handles[at % handles.len()].share() }
        })
    }

    /// Takes one of them out.
    pub fn take_handle(&self) -> Option<Value> {
        let at = usize::from(self.next());
        self.with(|shared| {
            let handles = &mut shared.handles;
            (!handles.is_empty()).then(|| handles.swap_remove(at % handles.len()))
        })
    }

    /// Somebody outside completes an external promise, if the tape says so and there is one.
    pub fn complete_one(&self) -> bool {
        let byte = self.next();
        let handles: Vec<_> = self.with(|shared| shared.handles.iter().map(Value::share).collect());
        byte.is_multiple_of(2) && handles.iter().any(|handle| complete(handle, byte & 2 != 0))
    }

    /// All runs are over: no `K` that is still held can be used, and the books balance.
    ///
    /// # Panics
    /// When one of that is not so.
    pub fn settle(&self) {
        let (kept, handles) =
            self.with(|shared| (std::mem::take(&mut shared.kept), std::mem::take(&mut shared.handles)));
        drop(handles);
        let usable = kept.iter().filter(|k| matches!(k.datum(), Datum::K(cell) if !cell.is_used())).count();
        assert_eq!(usable, 0, "a continuation of a run that is over is used (semantics 3)");
        self.with(|shared| shared.books.balance());
    }
}
