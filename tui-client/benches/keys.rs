//! From a key press to the bytes on the wire.

#[macro_use]
#[path = "pty/head.rs"]
mod head;

in_pty!("pty/keys.rs");
