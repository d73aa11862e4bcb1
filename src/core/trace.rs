//! What can be read off the chain: depth, context, handlers in scope. Nothing here is recorded while a program runs.

use super::arena::Arena;
use super::frame::Frame;
use super::host::{Host, World};
use super::ids::SegmentId;
use super::segment::{Kind, Segment};

/// The segments from `from` outward, innermost first.
pub struct Outward<'a, W: World> {
    segments: &'a Arena<Segment<W>>,
    next: Option<SegmentId>,
}

/// Walks the chain.
#[must_use]
pub const fn outward<W: World>(segments: &Arena<Segment<W>>, from: SegmentId) -> Outward<'_, W> {
    Outward { segments, next: Some(from) }
}

impl<'a, W: World> Iterator for Outward<'a, W> {
    type Item = (SegmentId, &'a Segment<W>);

    fn next(&mut self) -> Option<Self::Item> {
        let id = self.next?;
        let segment = &self.segments[id];
        self.next = segment.caller;
        Some((id, segment))
    }
}

/// How many generators are nested from here outward.
#[must_use]
pub fn depth<W: World>(segments: &Arena<Segment<W>>, from: SegmentId) -> usize {
    outward(segments, from).map(|(_, segment)| segment.calls).sum()
}

/// How many clauses are at work from here outward.
#[must_use]
pub fn dispatch_depth<W: World>(segments: &Arena<Segment<W>>, from: SegmentId) -> usize {
    outward(segments, from)
        .map(|(_, segment)| segment.frames.iter().filter(|frame| matches!(frame, Frame::Clause(_))).count())
        .sum()
}

/// The user's handlers from here outward, to the next wall, innermost first.
pub fn handlers<W: World>(segments: &Arena<Segment<W>>, host: &impl Host<W>, from: SegmentId) -> Vec<W::Value> {
    outward(segments, from)
        .take_while(|(_, segment)| !matches!(segment.kind, Kind::Wall(_)))
        .filter_map(|(_, segment)| host.handler_object(&segment.prompt()?.handler))
        .collect()
}

/// The names of the handlers from here outward, to the next wall, innermost first.
pub fn handler_labels<W: World>(segments: &Arena<Segment<W>>, host: &impl Host<W>, from: SegmentId) -> Vec<W::Label> {
    outward(segments, from)
        .take_while(|(_, segment)| !matches!(segment.kind, Kind::Wall(_)))
        .filter_map(|(_, segment)| segment.prompt())
        .map(|prompt| host.handler_label(&prompt.handler))
        .collect()
}

/// The programs, clauses and handlers from here outward, to the next wall.
pub fn context<W: World>(segments: &Arena<Segment<W>>, host: &mut impl Host<W>, from: SegmentId) -> Vec<W::Value> {
    let mut lines = Vec::new();
    for (_, segment) in outward(segments, from) {
        for frame in segment.frames.iter().rev() {
            match frame {
                Frame::Program(code) => lines.push(host.describe_code(code)),
                Frame::Clause(clause) => {
                    // A clause that finished with its body names itself by its effect alone.
                    let label = segments
                        .holds(clause.prompt, clause.birth)
                        .then(|| segments[clause.prompt].prompt())
                        .flatten()
                        .map(|prompt| host.label(&prompt.handler, clause.clause));
                    lines.push(host.describe_clause(label, &clause.effect));
                }
                _ => {}
            }
        }
        match &segment.kind {
            Kind::Prompt(prompt) => lines.push(host.describe_handler(&prompt.handler)),
            Kind::Wall(_) => break,
            _ => {}
        }
    }
    lines
}

/// Where the innermost program of a chain is suspended.
pub fn origin<W: World>(segments: &Arena<Segment<W>>, host: &mut impl Host<W>, head: SegmentId) -> Option<W::Value> {
    innermost_code(segments, head).map(|code| host.describe_code(code))
}

/// The innermost program of a chain.
#[must_use]
pub fn innermost_code<W: World>(segments: &Arena<Segment<W>>, head: SegmentId) -> Option<&W::Code> {
    outward(segments, head)
        .flat_map(|(_, segment)| segment.frames.iter().rev())
        .find_map(|frame| if let Frame::Program(code) = frame { Some(code) } else { None })
}
