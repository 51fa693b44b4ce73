//! Servers to test against, in this process and in one of their own.

pub mod files;
pub mod process;
pub mod server;
