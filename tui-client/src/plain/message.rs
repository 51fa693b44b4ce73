//! Messages on standard error.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::system::os::streams::Output;
use crate::text::escape::escape;

/// A message could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes a message, a line with escapes for what can't be seen in it.
pub(super) fn warn(text: &str) {
    // In one write, so that commands of alerts write nothing in between.
    write_message(&format!("tui-client: {}\n", escape(text)));
}

/// Writes to standard error. Nothing is lost with a reader that has enough of it.
pub(super) fn write_message(text: &str) {
    if let Err(error) = Output::Messages.write_all(text.as_bytes())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether a message could not be written: standard error is closed, or its disk is full.
pub(super) fn is_any_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}
