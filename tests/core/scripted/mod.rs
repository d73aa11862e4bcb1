//! A world without an interpreter: values are counted, generators are `async` blocks, classes are small integers.
//!
//! `ledger` watches who drops what, `value` and `script` are what tests write programs with, `host` and `store` answer the
//! machine's questions, `drive` runs the events and checks the books at the end of each run.

pub mod drive;
pub mod host;
pub mod ledger;
pub mod nodes;
pub mod script;
pub mod store;
pub mod value;

pub use drive::{Machine, Report, Run, Stop, alone, run};
pub use nodes::*;
pub use script::{Log, Shelf, answering, asks, blank_program, call, function, handler, keeping, program, teller};
pub use value::{Answered, Class, Error, Value, class, error};
