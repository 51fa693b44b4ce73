//! The cost of a live screen.

#[macro_use]
#[path = "pty/head.rs"]
mod head;

in_pty!("pty/live.rs");
