//! What native handlers ask of the scripted world: the operations on values.

use std::any::Any;

use segue::core::host::Host;
use segue::core::native::{Errand, Load, Seen, Store, Thunk as Thunked};
use segue::effects::Handle;

use super::host::{Request, Scripted, ScriptedHost};
use super::value::{Datum, Error, Thunk, Value, locked};

impl Store<Scripted> for ScriptedHost {
    fn discard(&mut self, value: Value) {
        self.throw_away(value);
    }

    fn discard_error(&mut self, error: Error) {
        self.throw_away(error);
    }

    fn clone_error(&self, error: &Error) -> Error {
        self.count(|clones| clones.errors += 1);
        error.share()
    }

    fn is_exception(&self, error: &Error) -> bool {
        error.is_exception()
    }

    fn cancelled_scope(&self, error: &Error) -> Option<Value> {
        error.is("Cancelled").then(Value::unit)
    }

    fn trace_of(&self, _error: &Error) -> Value {
        Value::unit()
    }

    fn as_error(&self, value: &Value) -> Option<Error> {
        match value.datum() {
            Datum::Failed(error) => Some(error.share()),
            _ => None,
        }
    }

    fn sequence(&mut self, values: Vec<Value>) -> Value {
        values.into()
    }

    fn items<'v>(&self, sequence: &'v Value) -> &'v [Value] {
        if let Datum::Fixed(entries) = sequence.datum() { entries } else { &[] }
    }

    fn is_atom(&self, value: &Value) -> bool {
        matches!(value.datum(), Datum::Int(_))
    }

    fn integer(&self, value: &Value) -> Option<i64> {
        match value.datum() {
            Datum::Int(number) => Some(*number),
            _ => None,
        }
    }

    fn float(&self, value: &Value) -> Option<f64> {
        match value.datum() {
            Datum::Float(number) => Some(*number),
            Datum::Int(number) => Some(f64::from(i32::try_from(*number).expect("a small number"))),
            _ => None,
        }
    }

    fn make_float(&mut self, number: f64) -> Value {
        number.into()
    }

    fn flag(&self, value: &Value) -> Option<bool> {
        match value.datum() {
            Datum::Int(number) => Some(*number == 1),
            _ => None,
        }
    }

    fn is_text(&self, value: &Value) -> bool {
        matches!(value.datum(), Datum::Text(_))
    }

    fn make_flag(&mut self, flag: bool) -> Value {
        i64::from(flag).into()
    }

    fn make_object(&mut self, object: Handle<Scripted>) -> Value {
        Value::new(Datum::Object(Box::new(Box::new(object))))
    }

    fn object<'v>(&self, value: &'v Value) -> Seen<'v, Scripted> {
        match value.datum() {
            Datum::Object(object) => Seen::Object(&***object),
            _ => Seen::Other,
        }
    }

    fn send(&mut self, errand: Errand<Scripted>) {
        self.trash.push(Box::new(errand));
    }

    fn keeps_root(&self) -> bool {
        false
    }

    fn is_program(&self, value: &Value) -> bool {
        matches!(value.datum(), Datum::Node(_) | Datum::Effect(..))
    }

    fn share(&self, value: &Value) -> Value {
        self.clone_value(value)
    }

    fn weak(&mut self, value: &Value) -> Value {
        Value::new(Datum::Weak(value.downgrade()))
    }

    fn strong(&self, weak: &Value) -> Option<Value> {
        match weak.datum() {
            Datum::Weak(weak) => Value::upgrade(weak),
            _ => panic!("{weak} is no weak value"),
        }
    }

    fn unit(&self) -> Value {
        Value::unit()
    }

    fn is_unit(&self, value: &Value) -> bool {
        matches!(value.datum(), Datum::Unit)
    }

    fn fields<'v>(&self, effect: &'v Value) -> &'v [Value] {
        effect.fields()
    }

    fn field(&self, effect: &Value, index: usize) -> Value {
        effect.at(index)
    }

    fn load(&mut self, mapping: &Value, key: &Value) -> Load<Scripted> {
        let Datum::Mapping(entries) = mapping.datum() else {
            panic!("a mapping was expected, not {mapping}");
        };
        match locked(entries).iter().find(|(known, _)| known.equals(key)) {
            Some((_, value)) => Load::Found(value.share()),
            // Only user code can tell whether a number is there: it has a `__hash__` of its own.
            None if matches!(key.datum(), Datum::Int(_)) => {
                Load::Request(Request { mapping: mapping.share(), key: key.share(), function: None })
            }
            None => Load::Missing,
        }
    }

    fn peek(&mut self, mapping: &Value, key: &Value) -> Option<Value> {
        match self.load(mapping, key) {
            Load::Found(value) => Some(value),
            Load::Missing => None,
            Load::Request(request) => {
                self.throw_away(request);
                None
            }
        }
    }

    fn poke(&mut self, mapping: &Value, key: &Value, value: &Value) -> bool {
        self.store(mapping, key.share(), value.share()).is_none()
    }

    fn replace(&mut self, mapping: &Value, key: &Value, value: &Value) -> bool {
        self.poke(mapping, key, value)
    }

    fn is_same(&self, one: &Value, other: &Value) -> bool {
        one.equals(other)
    }

    fn store(&mut self, mapping: &Value, key: Value, value: Value) -> Option<Request> {
        if let Some((old, key)) = put(mapping, key, value) {
            self.throw_away((old, key));
        }
        None
    }

    fn modify(&mut self, mapping: &Value, key: Value, function: Value) -> Request {
        Request { mapping: mapping.share(), key, function: Some(function) }
    }

    fn is_missing(&self, value: &Value) -> bool {
        matches!(value.datum(), Datum::Missing)
    }

    fn copy(&mut self, mapping: &Value) -> Value {
        let Datum::Mapping(entries) = mapping.datum() else {
            panic!("a mapping was expected, not {mapping}");
        };
        let copied = locked(entries).iter().map(|(key, value)| (key.share(), value.share())).collect();
        Value::new(Datum::Mapping(std::sync::Mutex::new(copied)))
    }

    fn append(&mut self, list: &Value, value: Value) {
        match list.datum() {
            Datum::List(entries) => locked(entries).push(value),
            _ => panic!("a list was expected, not {list}"),
        }
    }

    fn pair(&mut self, first: Value, second: Value) -> Value {
        (first, second).into()
    }

    fn thunk(&mut self, value: &Value) -> Thunked<Scripted> {
        match value.datum() {
            Datum::Thunk(thunk) => match &*locked(thunk) {
                Thunk::Fresh(program) => Thunked::Fresh(program.share()),
                Thunk::Running(_) => Thunked::Running,
                Thunk::Done(result) => Thunked::Done(result.share()),
            },
            _ => Thunked::Plain,
        }
    }

    fn start_thunk(&mut self, thunk: &Value) {
        turn_thunk(thunk, |program| Thunk::Running(program.share()), &mut self.trash);
    }

    fn settle_thunk(&mut self, thunk: &Value, value: Option<Value>) {
        turn_thunk(
            thunk,
            |program| match value {
                Some(result) => Thunk::Done(result),
                None => Thunk::Fresh(program.share()),
            },
            &mut self.trash,
        );
    }
}

fn turn_thunk(thunk: &Value, next: impl FnOnce(&Value) -> Thunk, trash: &mut Vec<Box<dyn Any>>) {
    let Datum::Thunk(state) = thunk.datum() else {
        panic!("a thunk was expected, not {thunk}");
    };
    let mut state = locked(state);
    let next = match &*state {
        Thunk::Fresh(program) | Thunk::Running(program) | Thunk::Done(program) => next(program),
    };
    trash.push(Box::new(std::mem::replace(&mut *state, next)));
}

/// Puts a value under a key; gives the old one, and the key that is not needed.
pub fn put(mapping: &Value, key: Value, value: Value) -> Option<(Value, Value)> {
    let Datum::Mapping(entries) = mapping.datum() else {
        panic!("a mapping was expected, not {mapping}");
    };
    let mut entries = locked(entries);
    match entries.iter_mut().find(|(known, _)| known.equals(&key)) {
        Some((_, slot)) => Some((std::mem::replace(slot, value), key)),
        None => {
            entries.push((key, value));
            None
        }
    }
}

/// A request of a native handler, done by the driver.
pub fn fulfil(request: Request) -> Result<Value, Error> {
    let Request { mapping, key, function } = request;
    let Datum::Mapping(entries) = mapping.datum() else {
        panic!("a mapping was expected, not {mapping}");
    };
    let found = locked(entries).iter().find(|(known, _)| known.equals(&key)).map(|(_, value)| value.share());
    match (found, function) {
        (Some(old), Some(function)) => {
            let new = super::drive::call_plain(&function, vec![old.share()])?;
            put(&mapping, key, new);
            Ok(old)
        }
        (Some(old), None) => Ok(old),
        (None, Some(_)) => Err(Error::new("KeyError", key.to_string())),
        (None, None) => Ok(Value::new(Datum::Missing)),
    }
}
