//! Who gets an effect. Laws: semantics 2 (dispatch, walls).

use segue::core::arena::Arena;
use segue::core::arena::Slot;

use crate::scripted::class::{LOUD_PING, OTHERS, PING, PONG, TELL};
use crate::scripted::{
    Class, Log, Run, Shelf, Value, answering, asks, get_execution_context, get_handlers, handler, handlers_in, keeping,
    loud_ping, nest, pass, perform, ping, pong, program, pure, resume, run, seal, tell, teller, with_handler,
    with_intercept,
};

/// A program that performs each of the effects, and lists the answers.
fn lists(effects: impl Fn() -> Vec<Value> + Send + Sync + 'static) -> Value {
    program("lists", async move |y| {
        let mut answers = Vec::new();
        for effect in effects() {
            answers.push(y.yields(effect).await?);
        }
        Ok(answers.into())
    })
}

/// Semantics 2: nobody who accepts is an error at the perform, which names the handlers from innermost to outermost.
#[test]
fn an_unhandled_effect_names_the_handlers_from_innermost_to_outermost() {
    let (outer, inner) = (answering("outer", 1), answering("inner", 2));
    let body = program("body", async |y| Ok(y.yields(pong(3)).await.unwrap_err().to_string().into()));
    let expected = "'UnhandledEffectError: Pong(3) in [inner, outer]'";
    assert_eq!(run(nest(&[&outer, &inner], body)).shown(), expected);
}

/// Semantics 2, `Seal`: only effects of exactly the listed classes get past a wall; a subclass does not (C05).
#[test]
fn a_wall_lets_exactly_the_listed_classes_pass() {
    let outer = answering("outer", 1);
    let body = program("body", async |y| {
        let passed = y.yields(ping(0)).await?;
        let stopped = y.yields(loud_ping(0)).await.unwrap_err();
        Ok((passed, stopped.to_string()).into())
    });
    let expected = "(1, 'UnhandledEffectError: LoudPing(0) in [], at a wall')";
    assert_eq!(run(with_handler(&outer, seal(&[PING], body))).shown(), expected);
    let inside = with_handler(&answering("inner", 2), asks(0));
    assert_eq!(run(with_handler(&outer, seal(&[], inside))).shown(), "2", "a wall is no matter to what is inside it");
}

/// Semantics 2: an effect passes each of several walls, or is stopped at the first that does not list it.
#[test]
fn each_wall_on_the_way_is_asked() {
    let outer = answering("outer", 1);
    let through = seal(&[PING, PONG], seal(&[PING], asks(0)));
    assert_eq!(run(with_handler(&outer, through)).shown(), "1");
    let stopped = seal(&[PONG], seal(&[PING], asks(0)));
    assert_eq!(run(with_handler(&outer, stopped)).shown(), "UnhandledEffectError: Ping(0) in [], at a wall");
}

/// Semantics 2: exceptions pass a wall, and so does the result.
#[test]
fn results_and_exceptions_pass_a_wall() {
    assert_eq!(run(seal(&[], pure(5))).shown(), "5");
    let fails = program("fails", async |_| Err(crate::scripted::error("KeyError", "x")));
    assert_eq!(run(seal(&[], fails)).shown(), "KeyError: x");
}

/// Semantics 2: a wall also stops `GetHandlers`, `GetExecutionContext` and `Pass`.
#[test]
fn a_wall_stops_queries_and_pass() {
    let (outer, inner) = (answering("outer", 1), answering("inner", 2));
    let inside = lists(|| vec![get_handlers(), get_execution_context()]);
    let walled = program("walled", async move |y| {
        let inside = seal(&[], with_handler(&inner, &inside));
        y.yields(inside).await
    });
    let expected = "[[<handler inner>], ['lists', 'handler inner']]";
    assert_eq!(run(with_handler(&outer, walled)).shown(), expected);

    let passes = handler("passes").answers(&[PING], |_| Ok(pass())).done();
    let report = run(with_handler(&outer, seal(&[PONG], with_handler(&passes, asks(0)))));
    assert_eq!(report.shown(), "UnhandledEffectError: Ping(0) in [passes], at a wall");
    let report = run(with_handler(&outer, seal(&[PING], with_handler(&passes, asks(0)))));
    assert_eq!(report.shown(), "1");
}

/// Semantics 2: a kept continuation resumed inside a wall does not widen it: its effects meet the wall.
#[test]
fn a_continuation_resumed_inside_a_wall_does_not_widen_it() {
    let (shelf, log) = (Shelf::new(), Log::new());
    let keeps = keeping(&shelf, "later");
    let body = program("body", async |y| {
        y.yields(tell("before")).await?;
        y.yields(ping(0)).await?;
        y.yields(tell("after")).await
    });
    let block = program("block", async move |y| {
        y.yields(with_handler(&keeps, &body)).await?;
        y.yields(seal(&[], resume(&shelf.take(), ()))).await
    });
    let expected = "UnhandledEffectError: Tell('after') in [keeps], at a wall";
    assert_eq!(run(with_handler(&teller(&log), block)).shown(), expected);
}

/// Semantics 2: `GetHandlers()` is what is visible from here, innermost first; `GetHandlers(k)` what `k` contains.
#[test]
fn handlers_are_listed_innermost_first_from_here_or_inside_k() {
    let (outer, inner) = (answering("outer", 1), handler("inner").answers(&[PONG], |_| Ok(().into())).done());
    let looks = handler("looks").control(&[TELL], async |y, _, k| {
        let here = y.yields(get_handlers()).await?;
        let inside = y.yields(handlers_in(&k)).await?;
        Ok((here, inside).into())
    });
    let report = run(nest(&[&outer, &looks.done(), &inner], tell(0)));
    assert_eq!(report.shown(), "([<handler outer>], [<handler inner>, <handler looks>])");
}

/// Semantics 2: a look-up is remembered by the segment; the walk is made once a class (architecture: cached look-ups).
#[test]
fn a_walk_is_made_once_a_class() {
    let inner = handler("inner").answers(&[PONG], |_| Ok(().into())).done();
    let handlers = [&answering("outer", 1), &inner, &inner, &inner];
    let report = run(nest(&handlers, lists(|| (0..50).map(ping).collect())));
    assert_eq!(report.selections, 4);
}

/// The look-ups of more classes than a segment remembers are right all the same.
#[test]
fn more_classes_than_are_remembered_are_told_apart() {
    let others = || (OTHERS..OTHERS + 10).map(|number| perform(Class(number), vec![]));
    let mut names = handler("names");
    for number in OTHERS..OTHERS + 10 {
        names = names.answers(&[Class(number)], move |_| Ok(i64::try_from(number).unwrap().into()));
    }
    let report = run(with_handler(&names.done(), lists(move || others().chain(others()).collect())));
    let expected: Vec<_> = (OTHERS..OTHERS + 10).chain(OTHERS..OTHERS + 10).map(|n| n.to_string()).collect();
    assert_eq!(report.shown(), format!("[{}]", expected.join(", ")));
}

/// A remembered look-up does not outlive the place of its chain: resumed elsewhere, the body finds what is there, also
/// when it stands in the very slot of what was there before.
#[test]
fn remembered_look_ups_are_forgotten_when_the_chain_moved() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "later");
    let first = handler("first").answers(&[TELL], |_| Ok("first".into())).done();
    let second = handler("second").answers(&[PONG], |_| Ok("wrong".into())).answers(&[TELL], |_| Ok("second".into()));
    let second = second.done();
    let body = program("body", async |y| {
        let before = y.yields(tell(0)).await?;
        y.yields(ping(0)).await?;
        let after = y.yields(tell(0)).await?;
        Ok((before, after).into())
    });
    let block = program("block", async move |y| {
        y.yields(nest(&[&first, &keeps], &body)).await?;
        y.yields(with_handler(&second, resume(&shelf.take(), ()))).await
    });
    assert_eq!(run(block).shown(), "('first', 'second')");
}

/// The same when only an outer part of the chain moved: what stands inside of it looks again too.
#[test]
fn remembered_look_ups_inside_of_a_chain_that_moved_are_forgotten() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "later");
    let who = |name: &'static str| handler(name).answers(&[TELL], move |_| Ok(name.into())).done();
    let (first, second) = (who("first"), who("second"));
    let inner = handler("inner").answers(&[PONG], |_| Ok(().into())).done();
    let deep = program("deep", async |y| {
        let before = y.yields(tell(0)).await?;
        y.yields(ping(0)).await?;
        Ok((before, y.yields(tell(0)).await?).into())
    });
    let block = program("block", async move |y| {
        y.yields(nest(&[&first, &keeps, &inner, &inner], &deep)).await?;
        y.yields(with_handler(&second, resume(&shelf.take(), ()))).await
    });
    assert_eq!(run(block).shown(), "('first', 'second')");
}

/// A slot that another handler lives in now is not taken for the one that was remembered.
#[test]
fn remembered_look_ups_stay_right_after_slots_are_reused() {
    let shelf = Shelf::new();
    let keeps = keeping(&shelf, "later");
    let first = handler("first").answers(&[TELL], |_| Ok("first".into())).done();
    let last = handler("last").answers(&[TELL], |_| Ok("last".into())).done();
    let others: Vec<Value> = (0..4).map(|_| handler("other").answers(&[PONG], |_| Ok("wrong".into())).done()).collect();
    let body = program("body", async |y| {
        y.yields(tell(0)).await?;
        y.yields(ping(0)).await?;
        y.yields(tell(0)).await
    });
    let block = program("block", async move |y| {
        y.yields(nest(&[&first, &keeps], &body)).await?;
        // Whatever slots are free now, these live in them.
        let others: Vec<&Value> = others.iter().collect();
        y.yields(nest(&others, resume(&shelf.take(), ()))).await
    });
    assert_eq!(run(with_handler(&last, block)).shown(), "'last'");
}

/// What was remembered before an interceptor came does not hide it, and holds again when it is gone.
#[test]
fn remembered_look_ups_do_not_hide_an_interceptor() {
    let seen = Log::new();
    let log = seen.clone();
    let watch = crate::scripted::function("watch", async move |_, mut arguments| {
        log.say(&arguments[0]);
        Ok(arguments.remove(0))
    });
    let body = program("body", async move |y| {
        y.yields(ping(1)).await?;
        y.yields(with_intercept(&watch, ping(2))).await?;
        y.yields(ping(3)).await
    });
    assert_eq!(run(with_handler(&answering("h", 1), body)).shown(), "1");
    assert_eq!(seen.text(), "Ping(2)");
}

/// Semantics 5: thousands of handlers nest and are walked without the native stack (D04).
#[test]
fn thousands_of_handlers_nest() {
    let n = if cfg!(miri) { 20 } else { 10_000 };
    let inner = handler("inner").answers(&[PONG], |_| Ok(().into())).done();
    let deep = (0..n).fold(asks(0), |inside, _| {
        let inner = inner.share();
        program("layer", async move |y| y.yields(with_handler(&inner, &inside)).await)
    });
    let report = run(with_handler(&answering("outer", 1), deep));
    assert_eq!((report.shown().as_str(), report.peak_segments), ("1", n + 2));
}

/// Semantics 2 (D06): a chain of clauses that each delegate makes one walk each.
#[test]
fn a_chain_of_delegating_clauses_is_walked_once_a_clause() {
    let n = if cfg!(miri) { 10 } else { 1_000 };
    let delegates = handler("delegates").control(&[], async |y, _, k| {
        let answer = y.yields(crate::scripted::delegate()).await?;
        Ok(resume(&k, answer))
    });
    let delegates = delegates.done();
    let handlers: Vec<&Value> = std::iter::repeat_n(&delegates, n).collect();
    let report = run(with_handler(&answering("outer", 1), nest(&handlers, asks(0))));
    assert_eq!((report.shown().as_str(), report.selections), ("1", n + 1));
}

#[derive(Default)]
struct Room(u32);

impl Slot for Room {
    fn vacate(&mut self) {
        self.0 = 0;
    }
}

/// A freed slot is given again, vacant, and its birth tells the new segment from the old.
#[test]
fn a_reused_slot_is_told_from_its_former_life() {
    // While this machine lives no other does, and their counts of segments stay their own.
    let _alone = Run::new(pure(0)).machine();
    let mut arena = Arena::<Room>::new();
    let first = arena.open();
    let second = arena.open();
    arena[first].0 = 7;
    let birth = arena.birth(first);
    arena.close(first);
    assert!(!arena.holds(first, birth), "nobody lives there");
    let again = arena.open();
    assert_eq!((again, arena[again].0, arena.live()), (first, 0, 2));
    assert!(!arena.holds(first, birth), "somebody else lives there");
    assert!(arena.holds(again, arena.birth(again)));
    let living: Vec<_> = arena.iter().map(|(id, _)| id).collect();
    assert_eq!(living, [first, second]);
}

/// Semantics 2: a class that derives from a listed one is remembered apart from it.
#[test]
fn a_subclass_is_remembered_apart_from_its_base() {
    let h = handler("h").answers(&[PING], |_| Ok(1.into())).done();
    let body = lists(|| vec![ping(0), loud_ping(0), ping(0)]);
    assert_eq!(run(with_handler(&h, seal(&[PING, LOUD_PING], body))).shown(), "[1, 1, 1]");
}
