//! Linux and macOS.

pub mod files;
pub mod signals;
pub mod terminal;
