//! Who gets an effect, and how a chain is detached and attached. Laws: semantics 2 (dispatch, walls, interceptors) and 3.

use std::sync::atomic::AtomicUsize;

use super::arena::Arena;
use super::frame::Continuation;
use super::host::{Form, Host, World};
use super::ids::{Capture, ClauseId, InterceptorId, NativeId, SegmentId};
use super::segment::{Kind, Remembered, Segment, Way};

/// How many chains are detached in this process, over all runs, as they last published it.
pub static LIVE_CONTINUATIONS: AtomicUsize = AtomicUsize::new(0);

/// Who gets an effect.
pub enum Target {
    /// The clause of a handler.
    Clause(SegmentId, ClauseId),
    /// An interceptor.
    Interceptor(SegmentId, InterceptorId),
    /// Nobody.
    Nobody {
        /// A wall stopped it.
        walled: bool,
    },
}

/// Which interceptors see an effect on its way.
#[derive(Clone, Copy)]
pub enum Sight<'a> {
    /// None.
    Unseen,
    /// All but those of the skip stack.
    Seen(&'a [InterceptorId]),
    /// The same, beyond the next wall: it was handed outward, and those on this side had their look.
    Forwarded(&'a [InterceptorId]),
}

/// The route of an effect that is performed on `from`, when no interceptor lives.
///
/// A look-up holds as long as nothing between the segment and the prompt was attached elsewhere: `epoch` says so.
/// `way_to` tells how a native handler answers.
pub fn remembered_route<W: World>(
    segments: &mut Arena<Segment<W>>,
    host: &mut impl Host<W>,
    epoch: u64,
    from: SegmentId,
    effect: &W::Value,
    way_to: impl FnOnce(NativeId) -> Way,
) -> Target {
    let class = host.class_of(effect);
    if let Some(known) = segments[from].routes.find(epoch, class) {
        return Target::Clause(known.prompt, known.clause);
    }
    let target = route(segments, host, from, effect, Sight::Unseen);
    if let Target::Clause(prompt, clause) = target {
        let held = host.hold_class(effect);
        let way = way(segments, host, prompt, clause, way_to);
        let known = Remembered { class, held, prompt, clause, way };
        segments[from].routes.remember(epoch, known, |known| host.discard_class(known.held));
    }
    target
}

fn way<W: World>(
    segments: &Arena<Segment<W>>,
    host: &impl Host<W>,
    prompt: SegmentId,
    clause: ClauseId,
    way_to: impl FnOnce(NativeId) -> Way,
) -> Way {
    let prompt = segments[prompt].prompt().expect("a route ends in a prompt");
    match (host.form(&prompt.handler, clause), prompt.native) {
        (Form::Native, native) => way_to(native.expect("a native clause belongs to a native installation")),
        (Form::Value, _) => Way::Value,
        (Form::ValueProgram, _) => Way::Program,
        (Form::Control, _) => Way::Control,
    }
}

/// What is remembered of the route of an effect that is performed on that segment. Holds when no interceptor lives.
#[inline]
pub fn remembered<'a, W: World>(
    segment: &'a Segment<W>,
    host: &impl Host<W>,
    epoch: u64,
    effect: &W::Value,
) -> Option<&'a Remembered<W>> {
    segment.routes.find(epoch, host.class_of(effect))
}

/// Empties the remembered look-ups of a segment.
pub fn forget<W: World>(segment: &mut Segment<W>, host: &mut impl Host<W>) {
    segment.routes.forget(|known| host.discard_class(known.held));
}

/// The route of an effect from `from` outward, one region between walls after the other: its interceptors, its handlers,
/// then the wall.
pub fn route<W: World>(
    segments: &Arena<Segment<W>>,
    host: &impl Host<W>,
    from: SegmentId,
    effect: &W::Value,
    mut sight: Sight<'_>,
) -> Target {
    let mut region = Some(from);
    while let Some(start) = region {
        if let Sight::Seen(skip) = sight {
            let mut at = Some(start);
            while let Some(id) = at {
                let segment = &segments[id];
                match &segment.kind {
                    Kind::Interceptor(interceptor, _) if !skip.contains(interceptor) => {
                        return Target::Interceptor(id, *interceptor);
                    }
                    Kind::Wall(_) => break,
                    _ => at = segment.caller,
                }
            }
        }
        let mut at = Some(start);
        region = None;
        while let Some(id) = at {
            let segment = &segments[id];
            at = segment.caller;
            match &segment.kind {
                Kind::Prompt(prompt) => {
                    if let Some(clause) = host.select(&prompt.handler, effect) {
                        return Target::Clause(id, clause);
                    }
                }
                Kind::Wall(allow) => {
                    if !host.allows(allow, effect) {
                        return Target::Nobody { walled: true };
                    }
                    region = at;
                    if let Sight::Forwarded(skip) = sight {
                        sight = Sight::Seen(skip);
                    }
                    break;
                }
                _ => {}
            }
        }
    }
    Target::Nobody { walled: false }
}

/// Detaches the chain from `performer` to `prompt` inclusive, and gives the segment outside of it. O(1).
///
/// # Panics
/// When the chain is detached already: the machine contradicts itself.
pub fn detach<W: World>(
    segments: &mut Arena<Segment<W>>,
    performer: SegmentId,
    prompt: SegmentId,
    capture: Capture,
) -> (Continuation, SegmentId) {
    let parent = segments[prompt].caller.take().expect("a prompt at work has a caller (semantics 3)");
    let home = Some((parent, segments.birth(parent)));
    let tail = &mut segments[prompt];
    tail.head = Some(performer);
    tail.marker = Some(capture);
    if let Kind::Prompt(prompt) = &mut tail.kind {
        prompt.home = home;
    }
    (Continuation { prompt, capture }, parent)
}

/// Whether the continuation stands for a chain that is still detached.
#[must_use]
pub fn is_valid<W: World>(segments: &Arena<Segment<W>>, continuation: &Continuation) -> bool {
    segments[continuation.prompt].marker == Some(continuation.capture)
}

/// Attaches a detached chain under `parent`: gives the performer, and whether the chain came back to where it was. O(1).
///
/// # Panics
/// When the chain is not detached: the machine contradicts itself.
pub fn attach<W: World>(
    segments: &mut Arena<Segment<W>>,
    continuation: Continuation,
    parent: SegmentId,
) -> (SegmentId, bool) {
    let place = (parent, segments.birth(parent));
    let tail = &mut segments[continuation.prompt];
    debug_assert_eq!(tail.marker, Some(continuation.capture), "one owner of a chain (semantics 3)");
    tail.marker = None;
    tail.caller = Some(parent);
    let head = tail.head.take().expect("a detached chain has a head (semantics 3)");
    let home = match &mut tail.kind {
        Kind::Prompt(prompt) => prompt.home.take(),
        _ => None,
    };
    (head, home == Some(place))
}
