//! Windows 10 and newer.

pub mod files;
pub mod input;
pub mod processes;
mod sequences;
pub mod signals;
pub mod streams;
pub mod terminal;
