//! The built-in handlers, written against the core's public interface as anybody could.
//!
//! A clause is known by its place in the handler's table: `Get`, `Put`, `Modify` for state, `Ask` for the reader, `Tell`
//! for the writer. Law: semantics 6.

#![forbid(unsafe_code)]

mod event_loop;
mod hot;
mod reader;
mod scheduler;
mod state;
mod writer;

pub use event_loop::EventLoop;
pub use reader::Reader;
pub use scheduler::{Handle, Inbox, Scheduler, Settings, Settled, Settling, Thing};
pub use state::State;
pub use writer::Writer;
