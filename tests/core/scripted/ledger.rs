//! Who drops what. The machine hands what is dead to the host (`discard*`), so nothing is dropped while it runs: a drop
//! may run user code, and the machine is borrowed (architecture, rule 5).

use std::cell::{Cell, RefCell};

thread_local! {
    static OWNERS: Cell<i64> = const { Cell::new(0) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static DROPPED_INSIDE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static LEFT_SUSPENDED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// An owner of something counted came to be.
pub fn made() {
    OWNERS.set(OWNERS.get() + 1);
}

/// An owner is gone.
pub fn dropped(what: impl FnOnce() -> String) {
    OWNERS.set(OWNERS.get() - 1);
    if INSIDE.get() {
        let mut line = what();
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            line = format!("{line}\n{}", std::backtrace::Backtrace::force_capture());
        }
        DROPPED_INSIDE.with_borrow_mut(|lines| lines.push(line));
    }
}

/// A generator was dropped before it ended.
pub fn left_suspended(name: &str) {
    LEFT_SUSPENDED.with_borrow_mut(|names| names.push(name.to_owned()));
}

/// How many owners there are on this thread.
pub fn owners() -> i64 {
    OWNERS.get()
}

/// Runs the machine: until it is back, no owner may be dropped.
pub fn inside<R>(machine: impl FnOnce() -> R) -> R {
    struct Outside;
    impl Drop for Outside {
        fn drop(&mut self) {
            INSIDE.set(false);
        }
    }
    assert!(!INSIDE.replace(true), "the machine is not entered twice");
    let _outside = Outside;
    machine()
}

/// Drops what the host gives up by itself, knowing that nothing of the user's dies with it.
pub fn outside<T>(given_up: T) {
    let was_inside = INSIDE.replace(false);
    drop(given_up);
    INSIDE.set(was_inside);
}

/// Takes what was dropped while the machine ran.
pub fn take_dropped_inside() -> Vec<String> {
    DROPPED_INSIDE.take()
}

/// Takes the names of the generators that were dropped before they ended.
pub fn take_left_suspended() -> Vec<String> {
    LEFT_SUSPENDED.take()
}
