//! Linux and macOS.

pub mod files;
pub mod input;
pub mod processes;
pub mod signals;
pub mod streams;
pub mod terminal;
