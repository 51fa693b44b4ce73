//! Standard input, output and error of any kind: non-blocking ones, as node, agents and CI runners
//! leave them, are waited for, and closed ones are an error.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio::{stderr, stdin, stdout};

/// The pause between two attempts where the system can't wait for a descriptor.
const RETRY: Duration = Duration::from_millis(5);

/// A bit for each descriptor from 0 to 2 that was closed when the program was started.
static CLOSED: AtomicU8 = AtomicU8::new(0);

// Before `main`, because the standard library opens /dev/null in the place of what is closed, so
// that no other file gets the descriptor; later a closed one can't be told from a discarded one.
ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn note_closed() {
        for (at, stream) in [stdin(), stdout(), stderr()].into_iter().enumerate() {
            if fcntl_getfd(stream) == Err(Errno::BADF) {
                CLOSED.fetch_or(1 << at, Ordering::Relaxed);
            }
        }
    }
}

fn check_open(at: u8, name: &str) -> io::Result<()> {
    match CLOSED.load(Ordering::Relaxed) >> at & 1 {
        0 => Ok(()),
        _ => Err(io::Error::other(format!("{name} is closed"))),
    }
}

/// Waits until a stream can be read or written, has ended or is broken.
fn wait_for(stream: BorrowedFd<'_>, what: PollFlags) {
    let mut polled = [PollFd::from_borrowed_fd(stream, what)];
    // Not every system can wait for a terminal.
    if poll(&mut polled, None).is_ok() && polled[0].revents().contains(PollFlags::NVAL) {
        thread::sleep(RETRY);
    }
}

/// Repeats a read or write that would block, or was interrupted.
fn retry(
    stream: BorrowedFd<'_>,
    what: PollFlags,
    mut attempt: impl FnMut() -> Result<usize, Errno>,
) -> io::Result<usize> {
    loop {
        match attempt() {
            Err(Errno::AGAIN) => wait_for(stream, what),
            Err(Errno::INTR) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// Standard input. A read waits for at least one byte or the end, and fails where the stream was
/// closed when the program was started.
#[derive(Debug, Clone, Copy)]
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check_open(0, "standard input")?;
        retry(stdin(), PollFlags::IN, || rustix::io::read(stdin(), &mut *buffer))
    }
}

/// Standard output or error. A write waits for a reader, and fails where the stream was closed when
/// the program was started.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// Standard output.
    Data,
    /// Standard error.
    Messages,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stream = match self {
            Self::Data => {
                check_open(1, "standard output")?;
                stdout()
            }
            Self::Messages => {
                check_open(2, "standard error")?;
                stderr()
            }
        };
        retry(stream, PollFlags::OUT, || rustix::io::write(stream.as_fd(), bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
