//! Whether the machine agrees with itself: what INV-1 to INV-6 say of its segments, read off all of them at once.
//!
//! Nothing here changes anything, and no transition needs it: it is for tests and for the fuzzer, which call it between
//! two events.

use std::collections::{HashMap, HashSet};

use super::Vm;
use crate::core::frame::{ClauseFrame, Continuation, Departure, Frame, Layer, Then};
use crate::core::host::World;
use crate::core::ids::{NativeId, SegmentId};
use crate::core::segment::{Kind, Segment};
use crate::core::step::{Mode, Place};
use crate::core::trace;

type Verdict = Result<(), String>;

fn holds(law: bool, broken: impl FnOnce() -> String) -> Verdict {
    if law { Ok(()) } else { Err(broken()) }
}

impl<W: World> Vm<W> {
    /// Looks at every segment, and says what contradicts the invariants. Costs as much as there are segments and frames.
    ///
    /// # Errors
    /// The first contradiction that is found.
    pub fn audit(&self) -> Verdict {
        self.each_segment_has_one_owner()?;
        self.each_waiting_chain_has_one_holder()?;
        let mut calls = 0;
        for (id, segment) in self.segments.iter() {
            Self::agrees_with_its_frames(id, segment)?;
            calls += segment.calls;
        }
        holds(self.meter.live_calls() == calls, || format!("{calls} generators wait, but the meter knows others"))?;
        self.only_the_current_segment_is_at_work()?;
        self.look_ups_lead_outward()?;
        self.registries_count_what_lives()
    }

    /// The running execution owns what is outward from the current segment, and each detached chain what is between its
    /// head and its prompt. Together that is every live segment, each once (INV-1, L3.1, L3.2).
    fn each_segment_has_one_owner(&self) -> Verdict {
        let mut unowned: Vec<Option<&Segment<W>>> = Vec::new();
        for (id, segment) in self.segments.iter() {
            unowned.resize(id.index(), None);
            unowned.push(Some(segment));
        }
        let mut owned = 0;
        let mut own = |id: SegmentId| {
            owned += 1;
            let free = unowned.get_mut(id.index()).and_then(Option::take);
            free.ok_or_else(|| format!("INV-1: {id:?} has two owners, or is reached and lives no more"))
        };
        let mut at = self.current_segment;
        loop {
            let segment = own(at)?;
            holds(segment.marker.is_none() && segment.head.is_none(), || {
                format!("INV-1: {at:?} runs, and is detached")
            })?;
            at = match (&segment.kind, segment.caller) {
                (Kind::Root, None) => break,
                (Kind::Detour { back, .. }, None) => *back,
                (Kind::Root | Kind::Detour { .. }, Some(_)) => return Err(format!("INV-1: {at:?} has a caller")),
                (_, Some(caller)) => caller,
                (_, None) => return Err(format!("INV-1: {at:?} runs, and has no caller")),
            };
        }
        let mut captures = HashSet::new();
        for (prompt, segment) in self.segments.iter() {
            let (Some(capture), Some(head)) = (segment.marker, segment.head) else {
                holds(segment.marker.is_none() && segment.head.is_none(), || {
                    format!("INV-1: {prompt:?} is half detached")
                })?;
                continue;
            };
            holds(captures.insert(capture.0), || format!("L3.1: {capture:?} detached two chains"))?;
            let mut at = head;
            loop {
                let caller = own(at)?.caller;
                match caller {
                    Some(caller) if at != prompt => at = caller,
                    None if at == prompt => break,
                    _ => return Err(format!("L3.1: {capture:?} does not end at its prompt {prompt:?}")),
                }
            }
        }
        holds(owned == self.segments.live(), || "INV-1: a live segment has no owner".to_owned())?;
        holds(captures.len() == self.detached, || "L3.1: the detached chains are miscounted".to_owned())
    }

    /// A chain that waits for something in the machine, and not in a `K`, is held by exactly one frame (L3.2).
    fn each_waiting_chain_has_one_holder(&self) -> Verdict {
        let mut waiting = HashSet::new();
        let mut hold = |prompt: SegmentId| {
            let detached = self.segments[prompt].marker.is_some();
            holds(detached, || format!("L3.2: what waits for {prompt:?} waits for nothing"))?;
            holds(waiting.insert(prompt), || format!("L3.2: two frames hold the chain of {prompt:?}"))
        };
        let taken = |one: &Continuation| self.segments[one.prompt].marker == Some(one.capture);
        let bare = |clause: &ClauseFrame<W>| clause.k.is_none();
        for frame in self.segments.iter().flat_map(|(_, segment)| &segment.frames) {
            match frame {
                Frame::Clause(clause) if bare(clause) => hold(clause.prompt)?,
                Frame::Evaluated(prompt, _) | Frame::Forwarded(prompt) | Frame::Branching(prompt, _) => hold(*prompt)?,
                Frame::Unwinding(unwinding) => match &unwinding.then {
                    Then::Leave(clause, departure) => {
                        let (Departure::Own(one, _) | Departure::Other(one, _) | Departure::Pass(one)) = departure;
                        if taken(one) {
                            hold(one.prompt)?;
                        }
                        if bare(clause) && matches!(departure, Departure::Other(..)) {
                            hold(clause.prompt)?;
                        }
                    }
                    Then::Attach(one, _) if taken(one) => hold(one.prompt)?,
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// What is counted beside the frames of a segment is what the frames say (INV-1).
    fn agrees_with_its_frames(id: SegmentId, segment: &Segment<W>) -> Verdict {
        let count = |what: fn(&Frame<W>) -> bool| segment.frames.iter().filter(|frame| what(frame)).count();
        let calls = count(|frame| matches!(frame, Frame::Program(_)));
        holds(segment.calls == calls, || format!("INV-1: {id:?} counts {} calls of {calls}", segment.calls))?;
        let guarded = count(|frame| matches!(frame, Frame::Intercepted));
        let guards = segment.interceptor_skip_stack.len();
        holds(guards >= guarded, || format!("INV-6: {id:?} has {guards} guards for {guarded} interceptors"))
    }

    /// Elsewhere nothing is about to happen, but where a detour leads back to, and where a body is held that performs its
    /// effect when it is its turn again (INV-3, INV-4).
    fn only_the_current_segment_is_at_work(&self) -> Verdict {
        let interrupted: HashSet<SegmentId> = self
            .segments
            .iter()
            .filter_map(|(_, segment)| if let Kind::Detour { back, .. } = segment.kind { Some(back) } else { None })
            .collect();
        let mut held = HashSet::new();
        for native in self.natives.iter().flatten() {
            native.native.holds(&mut |body| held.extend(self.segments[body.prompt].head));
        }
        for (id, segment) in self.segments.iter().filter(|(id, _)| *id != self.current_segment) {
            let quiet = match segment.mode {
                Mode::Suspended => true,
                Mode::HandleYield(_, Place::Node) => interrupted.contains(&id) || held.contains(&id),
                _ => interrupted.contains(&id),
            };
            holds(quiet, || format!("INV-4: {id:?} is not current, and about to do something"))?;
            holds(segment.pending_python.is_none(), || format!("INV-4: {id:?} waits for user code that does not run"))?;
        }
        Ok(())
    }

    /// What the running execution remembers of its handlers stands outward of where it is remembered (decision 8).
    fn look_ups_lead_outward(&self) -> Verdict {
        let running = trace::outward(&self.segments, self.current_segment);
        for (id, segment) in running {
            for known in segment.routes.holding(self.epoch) {
                let mut outward = trace::outward(&self.segments, id);
                let stands = outward.any(|(at, one)| at == known.prompt && one.prompt().is_some());
                holds(stands, || format!("decision 8: {id:?} remembers a handler that is not outward"))?;
            }
        }
        Ok(())
    }

    /// The registries of the run count the segments, and what is about to become one.
    fn registries_count_what_lives(&self) -> Verdict {
        let mut natives: HashMap<u32, usize> = HashMap::new();
        let mut interceptors = 0;
        let mut user = |native: Option<NativeId>| {
            if let Some(native) = native {
                *natives.entry(native.0).or_default() += 1;
            }
        };
        for (_, segment) in self.segments.iter() {
            match &segment.kind {
                Kind::Prompt(prompt) => user(prompt.native),
                Kind::Interceptor(..) => interceptors += 1,
                Kind::Root | Kind::Body | Kind::Wall(_) | Kind::Detour { .. } => {}
            }
            for frame in &segment.frames {
                match frame {
                    Frame::Enter(entering) => user(entering.native),
                    Frame::Block(prompt) => user(prompt.native),
                    Frame::Inheriting(inheriting) => inheriting.layers.iter().for_each(|layer| {
                        if let Layer::Handler(_, native, _) = layer {
                            user(*native);
                        }
                    }),
                    _ => {}
                }
            }
        }
        holds(self.interceptors.any() == (interceptors > 0), || "interceptors are miscounted".to_owned())?;
        for (id, shared) in (0..).zip(&self.natives) {
            let (users, known) = (natives.remove(&id).unwrap_or(0), shared.as_ref().map_or(0, |shared| shared.prompts));
            holds(users == known, || format!("installation {id} has {users} users, and counts {known}"))?;
        }
        holds(natives.is_empty(), || "a prompt is of an installation that is gone".to_owned())
    }
}
