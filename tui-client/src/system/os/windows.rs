//! Windows 10 and newer.

pub mod files;
mod sequences;
pub mod signals;
pub mod terminal;
