//! From a key press to a screen that is of another time.

#[macro_use]
#[path = "pty/head.rs"]
mod head;

in_pty!("pty/place.rs");
