//! The machine: programs, handlers and continuations, with no Python inside.
//!
//! One pointer, [`vm::Vm::current_segment`], walks an arena of segments. A segment owns everything about one execution
//! context (INV-1); the chain of `caller` links *is* the state: what handlers are visible, how deep a dispatch is and
//! where an error happened are read off it, never kept beside it. A continuation owns the chain that it detached.
//!
//! [`vm::Vm::advance`] runs until user code is needed and says which in a closed [`step::Event`]; the driver runs that
//! code with the machine put aside and hands the [`step::Outcome`] to [`vm::Vm::receive`].
//!
//! ```text
//!   current_segment ──► body ──caller──► prompt(h2) ──► wall ──► prompt(h1) ──► root
//!                        │ frames: program, map, …
//!                        └ mode: what happens next here
//! ```

#![forbid(unsafe_code)]

pub mod arena;
pub mod body;
pub mod contexts;
pub mod continuation;
pub mod ctrl;
pub mod dispatch;
pub mod fault;
pub mod frame;
pub mod host;
pub mod ids;
pub mod interceptor;
pub mod limits;
pub mod mailbox;
pub mod native;
pub mod prompt;
pub mod routes;
pub mod segment;
pub mod standing;
pub mod step;
pub mod trace;
pub mod visit;
pub mod vm;
