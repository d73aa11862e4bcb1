//! Segue: algebraic effects for Python.
//!
//! Layers import downward only: [`core`] is the machine and knows no Python, [`effects`] holds the built-in handlers and
//! uses the core's public interface, `py` is the binding.

pub mod core;
pub mod effects;
#[cfg(feature = "python")]
mod py;
