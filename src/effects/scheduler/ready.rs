//! Who can run, and who is next: of the highest priority, first come, first served; or drawn, with a seed.

use std::collections::{BTreeMap, VecDeque};

use super::table::TaskKey;

/// The tasks that can run.
#[derive(Default)]
pub struct Ready {
    /// Those of priority 0: most, or all.
    plain: VecDeque<TaskKey>,
    others: BTreeMap<i64, VecDeque<TaskKey>>,
    seed: Option<u64>,
    /// Priorities count no more.
    level: bool,
}

impl Ready {
    /// Nobody yet; with a seed, the order is drawn.
    #[must_use]
    pub fn new(seed: Option<u64>) -> Self {
        Self { seed, ..Self::default() }
    }

    /// One more.
    pub fn push(&mut self, task: TaskKey, priority: i64) {
        if priority == 0 || self.level {
            self.plain.push_back(task);
        } else {
            self.others.entry(priority).or_default().push_back(task);
        }
    }

    /// One that was kept back, before all others.
    pub fn push_first(&mut self, task: TaskKey) {
        self.plain.push_front(task);
    }

    /// All who can run, now in the order of that number: from now on it is first come, first served, and nothing else.
    pub fn line_up(&mut self, number: impl Fn(TaskKey) -> u32) {
        self.level = true;
        self.seed = None;
        for (_, queue) in std::mem::take(&mut self.others) {
            self.plain.extend(queue);
        }
        self.plain.make_contiguous().sort_by_key(|task| number(*task));
    }

    /// Whether nobody can run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.others.is_empty()
    }

    /// The next one.
    pub fn pop(&mut self) -> Option<TaskKey> {
        if self.others.is_empty() {
            return draw(&mut self.plain, &mut self.seed);
        }
        let highest = self.others.last_entry().filter(|entry| *entry.key() > 0 || self.plain.is_empty());
        let Some(mut entry) = highest else { return draw(&mut self.plain, &mut self.seed) };
        let task = draw(entry.get_mut(), &mut self.seed);
        if entry.get().is_empty() {
            entry.remove();
        }
        task
    }
}

fn draw(queue: &mut VecDeque<TaskKey>, seed: &mut Option<u64>) -> Option<TaskKey> {
    match seed {
        Some(seed) if queue.len() > 1 => {
            let at = next_number(seed) % queue.len() as u64;
            queue.swap_remove_back(usize::try_from(at).unwrap_or(0))
        }
        _ => queue.pop_front(),
    }
}

/// `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn next_number(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: u32) -> Vec<TaskKey> {
        (0..count).map(TaskKey::numbered).collect()
    }

    fn order(ready: &mut Ready) -> Vec<TaskKey> {
        std::iter::from_fn(|| ready.pop()).collect()
    }

    #[test]
    fn the_highest_priority_is_first_and_within_it_who_came_first() {
        let all = keys(6);
        let mut ready = Ready::default();
        for (task, priority) in all.iter().zip([0, -1, 5, 0, 5, -1]) {
            ready.push(*task, priority);
        }
        assert_eq!(order(&mut ready), [all[2], all[4], all[0], all[3], all[1], all[5]]);
        assert!(ready.is_empty());
    }

    #[test]
    fn a_seed_draws_the_same_order_again() {
        let draw = |seed| {
            let mut ready = Ready::new(Some(seed));
            for task in keys(20) {
                ready.push(task, 0);
            }
            order(&mut ready)
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let mut sorted = draw(7);
        sorted.sort_by_key(|key| key.place());
        assert_eq!(sorted, keys(20), "everybody has a turn");
    }
}
