//! What differs between operating systems in these tests. Which tests an operating system can't run
//! is said in `main.rs` and here, and is printed where only a part of a test is left out.

#[cfg(unix)]
pub mod full_pipe;
#[cfg(unix)]
pub mod terminal;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::io::{self, Write};

pub use system::{
    CUTS_OFF_BY_RESET, DIRECTORY_AS_FILE, END_SIGNALS, command, give_to, is_locked,
    limit_waits_for_a_killed_peer, link_to, make_circle, memory, mode, owner, release, run_as,
    send_signal,
};

/// Says that a part of a test is left out, and why. Not by a macro, whose output is not shown when
/// a test passes.
pub fn skipped(what: &str, why: &str) {
    let mut stderr = io::stderr();
    writeln!(stderr, "SKIPPED {what}: {why}").unwrap();
}
