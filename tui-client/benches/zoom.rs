//! From a key press to a new picture of a chart.

#[macro_use]
#[path = "pty/head.rs"]
mod head;

in_pty!("pty/zoom.rs");
