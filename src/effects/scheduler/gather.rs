//! Waiting for several: for all of them, for the first (semantics 7).

use thin_vec::ThinVec;

use super::handle::{Settled, Thing};
use super::table::{Many, Wait, Wake};
use super::waits::came_to;
use super::{Not, Scheduler, TaskWorld};
use crate::core::fault::Fault;
use crate::core::host::World;
use crate::core::native::{Answer, Store};

impl<W: TaskWorld> Scheduler<W> {
    /// Looks at all targets of a `Gather` or a `Race`: it waits, unless all is decided already.
    pub(super) fn wait_for_many(&mut self, store: &mut dyn Store<W>, effect: &W::Value, race: bool) -> Answer<W> {
        let targets = targets(store, effect);
        if race && targets.is_empty() {
            return Answer::Fault(Fault::Unfit(store.share(effect)));
        }
        let mut refused = None;
        let mut open = 0;
        for target in targets {
            let seen = self.behind(store, target, |_, _, thing| match thing {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Ok(settling.settled.is_none()),
                _ => Err(Not::Fit),
            });
            match seen {
                Ok(waits) => open += usize::from(waits),
                Err(not) => {
                    refused = Some(not);
                    break;
                }
            }
        }
        match refused {
            Some(not) => Self::refuse(store, effect, &not),
            None if open == 0 && !race && self.settled_among(store, targets, true).is_empty() => {
                Answer::Value(self.all_results(store, targets))
            }
            None => Answer::Suspend,
        }
    }

    /// Those of the targets that settled, or (`failed`) that failed, in the order in which that happened.
    fn settled_among(&self, store: &mut dyn Store<W>, targets: &[W::Value], failed: bool) -> Vec<u32> {
        let mut settled: Vec<(u32, u32)> = Vec::new();
        for (slot, target) in (0..).zip(targets) {
            let order = self.behind(store, target, |_, _, thing| match thing {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => Ok(match &settling.settled {
                    None => None,
                    Some(Settled::Value(_)) if failed => None,
                    Some(_) => Some(settling.order),
                }),
                _ => Err(Not::Fit),
            });
            if let Ok(Some(order)) = order {
                settled.push((order, slot));
            }
        }
        settled.sort_unstable();
        settled.into_iter().map(|(_, slot)| slot).collect()
    }

    fn all_results(&self, store: &mut dyn Store<W>, targets: &[W::Value]) -> W::Value {
        let mut results = Vec::with_capacity(targets.len());
        for target in targets {
            let result = self.behind(store, target, |store, value, thing| match thing {
                Thing::Task { settling, .. } | Thing::Promise { settling, .. } => {
                    came_to(store, value, settling).map_err(|_| Not::Fit)
                }
                _ => Err(Not::Fit),
            });
            results.push(result.unwrap_or_else(|_| store.unit()));
        }
        store.sequence(results)
    }

    /// All that was gathered is there.
    pub(super) fn results(&self, store: &mut dyn Store<W>, effect: Option<&W::Value>) -> Result<W::Value, Fault<W>> {
        let effect = effect.ok_or(Fault::Internal("a task gathers without an effect"))?;
        let targets = targets(store, effect);
        Ok(self.all_results(store, targets))
    }

    /// What the target in that place came to, and those that failed after it.
    pub(super) fn decided(
        &mut self,
        store: &mut dyn Store<W>,
        effect: Option<&W::Value>,
        slot: u32,
        after: &[u32],
    ) -> Result<W::Value, Fault<W>> {
        let effect = effect.ok_or(Fault::Internal("a task gathers without an effect"))?;
        let targets = targets(store, effect);
        let mut outcome = Err(Fault::Internal("a task gathers what it has not"));
        if let Some(target) = targets.get(slot as usize) {
            let mut observed = None;
            let came = self.behind(store, target, |store, value, thing| match thing {
                Thing::Task { key, settling, .. } => {
                    observed = Some(*key);
                    Ok(came_to(store, value, settling))
                }
                Thing::Promise { settling, .. } => Ok(came_to(store, value, settling)),
                _ => Err(Not::Fit),
            });
            if let Some(key) = observed {
                self.observe(store, key);
            }
            outcome = came.unwrap_or(outcome);
        }
        if let Err(Fault::Again(again)) = &mut outcome {
            let mut told: Vec<_> =
                targets.get(slot as usize).and_then(|one| self.ours(store, one).ok()).into_iter().collect();
            for target in after.iter().filter_map(|slot| targets.get(*slot as usize)) {
                // One that is gathered twice failed once, and one that was cancelled did not fail.
                if let Ok(handle) = self.ours(store, target)
                    && !told.iter().any(|known| std::ptr::eq(*known, handle))
                    && has_failed(&handle.thing())
                {
                    told.push(handle);
                    again.later.push(store.share(target));
                }
            }
        }
        outcome
    }

    /// The running task joins the lists of all targets that have not settled, unless all is decided: then it goes on.
    pub(super) fn join_all(&mut self, store: &mut dyn Store<W>, effect: &W::Value) -> Result<Wait<W>, Wake<W>> {
        let race = self.asked == super::Clause::Race;
        let targets = targets(store, effect);
        let cancels = race || store.fields(effect).get(1).and_then(|flag| store.flag(flag)).unwrap_or(true);
        let (mut links, mut open) = (Vec::with_capacity(targets.len()), 0);
        let mut waiters = std::mem::take(&mut self.waiters);
        for (slot, target) in (0..).zip(targets) {
            let joined = self.join_in(&mut waiters, store, target, slot);
            if let Some((_, outside)) = joined {
                open += 1;
                if outside {
                    self.waits_outside();
                }
            }
            links.push(joined.map(|(link, _)| link));
        }
        self.waiters = waiters;
        let mut decided = if open == targets.len() { Vec::new() } else { self.settled_among(store, targets, !race) };
        let mut many = Many { links, open, first: race, cancels, verdict: None };
        if !decided.is_empty() {
            let slot = decided.remove(0);
            let later = if race { ThinVec::new() } else { decided.into() };
            if let Some(wake) = self.decide(store, effect, &mut many, Wake::Decided(slot, later)) {
                return Err(wake);
            }
        }
        Ok(Wait::Many(Box::new(many)))
    }

    /// A `Gather` or a `Race` is decided: the tasks that have not finished are cancelled, and what cannot be is left.
    /// Gives the verdict back when nobody is to be waited for.
    pub(super) fn decide(
        &mut self,
        store: &mut dyn Store<W>,
        effect: &W::Value,
        many: &mut Many<W>,
        verdict: Wake<W>,
    ) -> Option<Wake<W>> {
        let mut cancelled = Vec::new();
        for (target, link) in targets(store, effect).iter().zip(&mut many.links) {
            let Some(joined) = *link else { continue };
            let task = self.behind(store, target, |_, _, thing| match thing {
                Thing::Task { key, .. } => Ok(Some(*key)),
                _ => Ok(None),
            });
            match task {
                Ok(Some(key)) if many.cancels => cancelled.push(key),
                _ => {
                    self.leave(store, target, joined, false);
                    *link = None;
                    many.open -= 1;
                }
            }
        }
        let done = many.open == 0;
        let verdict = if done {
            Some(verdict)
        } else {
            many.verdict = Some(verdict);
            None
        };
        // They are asked when this one stands where it waits: it may be among them.
        self.to_cancel.extend(cancelled);
        verdict
    }

    /// The tasks that somebody gathers, and that have not finished, are to be cancelled.
    pub(super) fn cancel_gathered(&mut self, store: &mut dyn Store<W>, key: super::table::TaskKey, many: &Many<W>) {
        let effect = self.tasks.get(key).and_then(|task| task.effect.as_ref()).map(|effect| store.share(effect));
        let Some(effect) = effect else { return };
        for (target, _) in targets(store, &effect).iter().zip(&many.links).filter(|(_, link)| link.is_some()) {
            if let Ok(handle) = self.ours(store, target)
                && let Thing::Task { key, .. } = &*handle.thing()
            {
                self.to_cancel.push_back(*key);
            }
        }
        store.discard(effect);
    }
}

/// What a `Gather` or a `Race` waits for.
fn targets<'v, W: World>(store: &dyn Store<W>, effect: &'v W::Value) -> &'v [W::Value] {
    store.fields(effect).first().map_or(&[], |list| store.items(list))
}

const fn has_failed<W: World>(thing: &Thing<W>) -> bool {
    match thing {
        Thing::Task { settling, .. } | Thing::Promise { settling, .. } => {
            matches!(settling.settled, Some(Settled::Error(..)))
        }
        _ => false,
    }
}
