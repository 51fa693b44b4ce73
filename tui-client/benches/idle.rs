//! The cost of the client while no key is pressed.

#[macro_use]
#[path = "pty/head.rs"]
mod head;

in_pty!("pty/idle.rs");
