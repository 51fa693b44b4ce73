//! The lines of the log as data: entries, the store that keeps them, and patterns that find them.

pub mod bookmark;
pub mod entry;
pub mod pattern;
pub mod store;
