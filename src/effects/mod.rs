//! The built-in handlers, written against the core's public interface as anybody could.
