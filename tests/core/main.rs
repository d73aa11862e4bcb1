//! The machine's laws, without an interpreter. A test is a sentence; its comment names the law that it holds.
//!
//! Every run of `scripted` checks the books besides: only the root is left of a run that ended, no continuation is
//! left unused, no generator suspended, and the machine itself dropped nothing (it hands what is dead to the host).

mod arena;
mod bodies;
mod continuations;
mod dispatch;
mod ends;
mod golden;
mod intercept;
mod invariants;
mod laws;
mod lifecycle;
mod limits;
mod model;
mod natives;
mod one_shot;
mod operations;
mod programs;
mod scheduler;
mod scripted;
mod sizes;
mod stops;
mod tape;
mod unwind;
