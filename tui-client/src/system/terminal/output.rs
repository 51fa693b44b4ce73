//! Writes to the terminal. A write waits for a terminal that takes no output, but without holding
//! the lock, so that another thread can still write the last bytes, and without blocking the other
//! tasks of its thread.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tokio::task::block_in_place;

use crate::system::os;

/// The only thread that may write, if one has taken over the output.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Standard output, which has to be a terminal.
#[derive(Debug, Clone, Copy)]
pub struct TtyWriter;

/// Locks the output against a take-over. Never returns once another thread has taken it over.
pub fn lock_output() -> MutexGuard<'static, Option<ThreadId>> {
    let owner = OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    if owner.is_none_or(|only| only == thread::current().id()) {
        return owner;
    }
    drop(owner);
    loop {
        thread::park();
    }
}

/// Makes this thread, which is about to end the program, the only one that may write. A thread that
/// had taken over the output before is blocked as well.
pub fn take_over_output() {
    *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
}

/// Writes as many bytes as the terminal takes.
fn write_now(bytes: &[u8]) -> io::Result<usize> {
    let lock = lock_output();
    if os::terminal::writes_at_once() {
        return os::terminal::write(bytes);
    }
    // The write may block for ever.
    drop(lock);
    block_in_place(|| os::terminal::write(bytes))
}

impl Write for TtyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match write_now(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    block_in_place(os::terminal::wait_until_writable);
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
