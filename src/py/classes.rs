//! The classes that Python sees.

pub mod begun;
pub mod continuation;
pub mod do_function;
pub mod effect;
pub mod engine;
mod fleeting;
pub mod handle;
pub mod handler;
pub mod limits;
pub mod link;
pub mod mistake;
pub mod nodes;
pub mod outcome;
pub mod result;
pub mod root_generator;
mod spare;
pub mod store;
pub mod text;
pub mod vectorcall;
pub mod vm;
