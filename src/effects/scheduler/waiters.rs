//! Who waits for what, in order: circular lists in one vector. Whoever is cancelled leaves its list in O(1).

use std::num::NonZeroU32;

use super::table::TaskKey;

/// A list of those who wait for one thing: the place of the one who waits longest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Queue(NonZeroU32);

/// One place in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link(NonZeroU32);

/// Somebody who waits, and for which of the things that it waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter {
    /// Who.
    pub task: TaskKey,
    /// The place of what it waits for among the targets of its effect.
    pub slot: u32,
}

struct Node {
    waiter: Waiter,
    before: NonZeroU32,
    after: NonZeroU32,
}

/// All lists of a scheduler.
#[derive(Default)]
pub struct Waiters {
    nodes: Vec<Node>,
    free: Vec<NonZeroU32>,
}

impl Waiters {
    fn at(&mut self, place: NonZeroU32) -> &mut Node {
        &mut self.nodes[place.get() as usize - 1]
    }

    /// A list of one.
    fn alone(&mut self, waiter: Waiter) -> NonZeroU32 {
        if let Some(place) = self.free.pop() {
            *self.at(place) = Node { waiter, before: place, after: place };
            return place;
        }
        let place = u32::try_from(self.nodes.len() + 1).ok().and_then(NonZeroU32::new).expect("fewer than 2^32 wait");
        self.nodes.push(Node { waiter, before: place, after: place });
        place
    }

    /// Somebody joins a list, which is opened for the first one.
    pub fn join(&mut self, queue: &mut Option<Queue>, waiter: Waiter) -> Link {
        let place = self.alone(waiter);
        let Some(Queue(first)) = *queue else {
            *queue = Some(Queue(place));
            return Link(place);
        };
        let last = std::mem::replace(&mut self.at(first).before, place);
        self.at(last).after = place;
        let own = self.at(place);
        (own.before, own.after) = (last, first);
        Link(place)
    }

    /// The one who waits longest leaves the list; the last one closes it.
    pub fn pop(&mut self, queue: &mut Option<Queue>) -> Option<Waiter> {
        let Queue(first) = (*queue)?;
        let waiter = self.at(first).waiter;
        self.leave(queue, Link(first));
        Some(waiter)
    }

    /// Somebody leaves a list; the last one closes it.
    pub fn leave(&mut self, queue: &mut Option<Queue>, link: Link) {
        let Link(place) = link;
        let Node { before, after, .. } = *self.at(place);
        self.free.push(place);
        if after == place {
            *queue = None;
            return;
        }
        self.at(before).after = after;
        self.at(after).before = before;
        if *queue == Some(Queue(place)) {
            *queue = Some(Queue(after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(slot: u32) -> Waiter {
        Waiter { task: TaskKey::default(), slot }
    }

    #[test]
    fn who_waits_longest_is_first_and_who_leaves_is_not_found() {
        let (mut waiters, mut queue) = (Waiters::default(), None);
        let links: Vec<_> = (0..4).map(|slot| waiters.join(&mut queue, waiter(slot))).collect();
        waiters.leave(&mut queue, links[0]);
        waiters.leave(&mut queue, links[2]);
        let order: Vec<_> = std::iter::from_fn(|| waiters.pop(&mut queue)).map(|one| one.slot).collect();
        assert_eq!(order, [1, 3]);
        assert_eq!(queue, None, "the last one closes the list");
    }

    #[test]
    fn lists_that_come_and_go_take_no_more_room() {
        let mut waiters = Waiters::default();
        for round in 0..1000 {
            let mut queue = None;
            let one = waiters.join(&mut queue, waiter(round));
            waiters.join(&mut queue, waiter(round));
            waiters.leave(&mut queue, one);
            assert_eq!(waiters.pop(&mut queue), Some(waiter(round)));
        }
        assert_eq!(waiters.nodes.len(), 2);
    }
}
