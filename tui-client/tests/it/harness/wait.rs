//! The limit of every wait of the tests, so that none of them hangs.

use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What `act` gives, which may block.
///
/// # Panics
/// When it takes longer than [`PATIENCE`], and when `act` panics.
#[track_caller]
pub fn in_time<T: Send + 'static>(what: &str, act: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, done) = mpsc::channel();
    let thread = thread::spawn(move || drop(sender.send(act())));
    match done.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("waiting for {what}"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(thread.join().unwrap_err()),
    }
}

/// Waits for a condition that nothing signals.
///
/// # Panics
/// When that takes longer than [`PATIENCE`].
#[track_caller]
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "waiting for {what}");
        thread::yield_now();
    }
}
