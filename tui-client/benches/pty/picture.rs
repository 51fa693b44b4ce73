//! When a picture on the screen is complete.

use std::cell::RefCell;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::pty::Shell;

/// A picture that has not changed for so long is complete.
pub const QUIET: Duration = Duration::from_millis(250);

/// How often the screen is looked at.
const LOOK: Duration = Duration::from_micros(500);

/// From a key press to the last change of these rows.
pub fn complete_after(shell: &Shell, keys: &str, rows: &Range<usize>) -> Duration {
    let mut before = picture(shell, rows);
    let pressed = Instant::now();
    let mut changed = pressed;
    shell.press(keys);
    while changed.elapsed() < QUIET {
        sleep(LOOK);
        let now = picture(shell, rows);
        if now != before {
            (before, changed) = (now, Instant::now());
        }
    }
    changed - pressed
}

/// These rows of the screen.
pub fn picture(shell: &Shell, rows: &Range<usize>) -> Vec<String> {
    let shown = RefCell::new(Vec::new());
    shell.until("a screen", |screen| {
        *shown.borrow_mut() = screen.rows(0, 200).skip(rows.start).take(rows.len()).collect();
        true
    });
    shown.into_inner()
}
