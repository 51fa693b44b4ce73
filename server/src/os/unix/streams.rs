//! Standard output and error: closed ones are an error, and non-blocking ones are waited for.

use std::io::{self, ErrorKind, Write};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio::{stderr, stdout};

/// The pause between two attempts where the system can't wait for a stream.
const RETRY: Duration = Duration::from_millis(5);

/// A bit for each stream that was closed when the program was started.
static CLOSED: AtomicU8 = AtomicU8::new(0);

// Before `main`, because the standard library opens /dev/null in the place of what is closed, so
// that no other file gets the descriptor; later a closed one can't be told from a discarded one.
#[ctor::ctor]
fn note_closed() {
    for output in [Output::Data, Output::Messages] {
        if fcntl_getfd(output.stream()) == Err(Errno::BADF) {
            CLOSED.fetch_or(output.bit(), Ordering::Relaxed);
        }
    }
}

/// Standard output or error.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// Standard output.
    Data,
    /// Standard error.
    Messages,
}

impl Output {
    fn stream(self) -> BorrowedFd<'static> {
        match self {
            Self::Data => stdout(),
            Self::Messages => stderr(),
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Data => 1,
            Self::Messages => 2,
        }
    }

    /// Writes as many bytes as the stream takes.
    ///
    /// # Errors
    /// `WouldBlock` when a non-blocking stream takes none now; when the stream was closed when the
    /// program was started, or is broken.
    pub fn write_at_once(self, bytes: &[u8]) -> io::Result<usize> {
        if CLOSED.load(Ordering::Relaxed) & self.bit() != 0 {
            let name = match self {
                Self::Data => "output",
                Self::Messages => "error",
            };
            return Err(io::Error::other(format!("standard {name} is closed")));
        }
        loop {
            match rustix::io::write(self.stream(), bytes) {
                Err(Errno::INTR) => {}
                written => return Ok(written?),
            }
        }
    }

    /// Waits until the stream takes bytes or is broken, at most so long.
    pub fn wait_until_writable(self, limit: Option<Duration>) {
        let limit = limit.and_then(|limit| limit.try_into().ok());
        let mut polled = [PollFd::from_borrowed_fd(self.stream(), PollFlags::OUT)];
        // Not every system can wait for a terminal.
        if poll(&mut polled, limit.as_ref()).is_ok()
            && polled[0].revents().contains(PollFlags::NVAL)
        {
            thread::sleep(RETRY);
        }
    }
}

/// Waits for a stream that takes nothing now.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.write_at_once(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wait_until_writable(None);
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
