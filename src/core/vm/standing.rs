//! Who stands how, of those whose bodies native handlers hold.

use super::Vm;
use crate::core::host::{Host, World};
use crate::core::standing::{Stance, Standing};
use crate::core::trace;

impl<W: World> Vm<W> {
    /// The bodies of the handlers whose blocks are open, in the order in which each handler was given them.
    pub fn standings(&mut self, host: &mut impl Host<W>) -> Vec<Standing<W>> {
        let mut all = Vec::new();
        for shared in self.natives.iter_mut().flatten().filter(|shared| shared.open) {
            shared.native.standings(host, &mut all);
        }
        self.find_places(host, &mut all);
        all
    }

    /// What programs hold of the body that runs: the innermost one, when one holds others.
    pub fn running(&mut self, host: &mut impl Host<W>) -> Option<W::Value> {
        let mut open = self.natives.iter_mut().flatten().filter(|shared| shared.open);
        let first = open.next()?;
        if open.next().is_none() {
            return first.native.running(host);
        }
        match self.holder() {
            Some((_, native)) => self.native(native).running(host),
            // A clause outside of the blocks is at work, and holds all of them.
            None => {
                let open = self.natives.iter_mut().flatten().filter(|shared| shared.open);
                open.map(|shared| shared.native.running(host)).next()?
            }
        }
    }

    /// Where each of them is suspended, or runs.
    pub(super) fn find_places(&self, host: &mut impl Host<W>, all: &mut [Standing<W>]) {
        for one in all {
            let head = match (&one.stance, one.body) {
                (Stance::Running, None) => Some(self.current_segment),
                // Who has the turn already is no longer detached.
                (_, Some(body)) => Some(self.segments[body].head.unwrap_or(self.current_segment)),
                _ => None,
            };
            one.place = head.and_then(|head| trace::origin(&self.segments, host, head));
        }
    }
}
