//! Writes to the terminal. A write waits for a terminal that takes no output, but without holding
//! the lock, so that another thread can still write the last bytes, and without blocking the other
//! tasks of its thread.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::stdio::stdout;
use rustix::termios::{QueueSelector, tcflush, tcgetwinsize};
use tokio::task::block_in_place;

/// The only thread that may write, if one has taken over the output.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Standard output, which has to be a terminal.
#[derive(Debug, Clone, Copy)]
pub struct TtyWriter;

/// The file to write to, and whether a write there returns at once.
///
/// Not standard output itself where possible, because `O_NONBLOCK` would also apply to the shell
/// that shares it. A terminal of another user can't be opened again.
fn tty_fd() -> (BorrowedFd<'static>, bool) {
    static OPENED: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = flags.bits().try_into().ok()?;
        OpenOptions::new().write(true).custom_flags(flags).open("/dev/fd/1").ok()
    };
    match OPENED.get_or_init(open) {
        Some(file) => (file.as_fd(), true),
        None => (stdout(), false),
    }
}

/// Columns and rows of the terminal that is written to.
pub fn size() -> io::Result<Size> {
    let (file, _) = tty_fd();
    let size = tcgetwinsize(file)?;
    Ok(Size::new(size.ws_col, size.ws_row))
}

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

/// Discards output that the terminal has not taken yet, and writes as many bytes as it takes at
/// once.
pub fn write_last(bytes: &[u8]) {
    let (file, _) = tty_fd();
    let _ = tcflush(file, QueueSelector::OFlush);
    let mut rest = bytes;
    while !rest.is_empty() && is_ready(Some(&Timespec::default())) {
        let Ok(written) = rustix::io::write(file, rest) else { return };
        rest = &rest[written..];
    }
}

/// Whether the terminal takes output within this time.
fn is_ready(within: Option<&Timespec>) -> bool {
    let (file, _) = tty_fd();
    let mut file = [PollFd::new(&file, PollFlags::OUT)];
    matches!(poll(&mut file, within), Ok(1..))
}

/// Writes as many bytes as the terminal takes.
fn write_now(bytes: &[u8]) -> Result<usize, Errno> {
    let (file, at_once) = tty_fd();
    let lock = lock_output();
    if at_once {
        return rustix::io::write(file, bytes);
    }
    // The write may block for ever.
    drop(lock);
    block_in_place(|| rustix::io::write(file, bytes))
}

impl Write for TtyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match write_now(bytes) {
                Err(Errno::AGAIN) => {
                    block_in_place(|| is_ready(None));
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
