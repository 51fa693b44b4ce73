//! The way to the terminal. A write waits for a terminal that takes nothing, but without holding
//! it, so that somebody else can still have the last word there, and without holding up the other
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

/// Who is still heard, when not everybody is.
static SPEAKER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Standard output, which has to be a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Output;

/// Where to write, and whether a write there comes back at once.
///
/// Not standard output itself, because whoever started the program writes there as well and would
/// have to do so without waiting, too. A terminal of another user can't be opened once more.
fn tty_fd() -> (BorrowedFd<'static>, bool) {
    static OWN: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let flags = flags.bits().try_into().ok()?;
        OpenOptions::new().write(true).custom_flags(flags).open("/dev/fd/1").ok()
    };
    match OWN.get_or_init(open) {
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

/// Nobody has the last word while this is held. Does not come back once somebody else has it.
pub fn lock_output() -> MutexGuard<'static, Option<ThreadId>> {
    let turn = SPEAKER.lock().unwrap_or_else(PoisonError::into_inner);
    if turn.is_none_or(|only| only == thread::current().id()) {
        return turn;
    }
    drop(turn);
    loop {
        thread::park();
    }
}

/// From now on nobody but this thread is heard; it is about to end the program. Whoever wanted so
/// before waits for that, too.
pub fn take_over_output() {
    *SPEAKER.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current().id());
}

/// Forgets what the terminal has not taken yet, and tells it as much of this as it takes at once.
pub fn write_last(bytes: &[u8]) {
    let (file, _) = tty_fd();
    let _ = tcflush(file, QueueSelector::OFlush);
    let mut rest = bytes;
    while !rest.is_empty() && is_ready(Some(&Timespec::default())) {
        let Ok(written) = rustix::io::write(file, rest) else { return };
        rest = &rest[written..];
    }
}

/// It takes something, within this time.
fn is_ready(within: Option<&Timespec>) -> bool {
    let (file, _) = tty_fd();
    let mut file = [PollFd::new(&file, PollFlags::OUT)];
    matches!(poll(&mut file, within), Ok(1..))
}

/// Writes what the terminal takes.
fn write_now(bytes: &[u8]) -> Result<usize, Errno> {
    let (file, at_once) = tty_fd();
    let lock = lock_output();
    if at_once {
        return rustix::io::write(file, bytes);
    }
    // Not while it may wait for ever.
    drop(lock);
    block_in_place(|| rustix::io::write(file, bytes))
}

impl Write for Output {
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
