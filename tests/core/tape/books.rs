//! What user code opened, and whether it was closed.

use crate::scripted::Report;

/// Counts of what comes in pairs, over a run and the runs inside it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Books {
    /// Generators that began, and those that came to their own end.
    pub begun: usize,
    pub ended: usize,
    /// Blocks whose `enter` came to a value, and those whose `exit` began.
    pub entered: usize,
    pub exited: usize,
    /// Resources that were acquired, and those whose release began.
    pub acquired: usize,
    pub released: usize,
    /// What a run that used up its grace closed without effects: generators, and blocks whose `exit` had not begun.
    closed: usize,
    left: usize,
    exhausted: bool,
}

impl Books {
    /// Enters what a run reports.
    pub fn enter(&mut self, report: &Report) {
        let left = report.closed.iter().filter(|name| name.starts_with("exit of ")).count();
        self.left += left;
        self.closed += report.closed.len() - left;
        self.exhausted |= report.listing.last().is_some_and(|line| line == "exhausted");
    }

    /// Semantics 2 and 3: no frame is left suspended; `exit` and `release` run last, once, however the block is left. A
    /// resource of a run that used up its grace is nobody's any more.
    ///
    /// # Panics
    /// When something is still open, or was closed twice.
    pub fn balance(&self) {
        assert_eq!(self.begun, self.ended + self.closed, "each generator ends once, or is closed: {self:?}");
        assert_eq!(self.entered, self.exited + self.left, "each block that was entered is left once: {self:?}");
        let lost = self.acquired.checked_sub(self.released).expect("a resource is released once");
        assert!(lost == 0 || self.exhausted, "each resource is released: {self:?}");
    }
}
