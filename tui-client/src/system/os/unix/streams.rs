//! Standard input, output and error of any kind: non-blocking ones, as node, agents and CI runners
//! leave them, are waited for, and closed ones are an error.

use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
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
#[ctor::ctor]
fn note_closed() {
    for (at, stream) in [stdin(), stdout(), stderr()].into_iter().enumerate() {
        if fcntl_getfd(stream) == Err(Errno::BADF) {
            CLOSED.fetch_or(1 << at, Ordering::Relaxed);
        }
    }
}

/// One of the three streams.
struct Stream {
    descriptor: BorrowedFd<'static>,
    /// Its number.
    at: u8,
    name: &'static str,
}

impl Stream {
    /// Repeats a read or write until it neither would block nor is interrupted. An error names the
    /// stream.
    fn retry(
        &self,
        what: PollFlags,
        mut attempt: impl FnMut(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        if CLOSED.load(Ordering::Relaxed) >> self.at & 1 == 1 {
            return Err(io::Error::other(format!("{} is closed", self.name)));
        }
        loop {
            match attempt(self.descriptor) {
                Ok(size) => return Ok(size),
                Err(Errno::AGAIN) => self.wait(what),
                Err(Errno::INTR) => {}
                Err(error) => {
                    let error = io::Error::from(error);
                    return Err(io::Error::new(error.kind(), format!("{}: {error}", self.name)));
                }
            }
        }
    }

    /// Waits until the stream can be read or written, has ended or is broken.
    fn wait(&self, what: PollFlags) {
        let mut polled = [PollFd::from_borrowed_fd(self.descriptor, what)];
        // Not every system can wait for a terminal.
        if poll(&mut polled, None).is_ok() && polled[0].revents().contains(PollFlags::NVAL) {
            thread::sleep(RETRY);
        }
    }
}

/// Standard input. A read waits for at least one byte or the end, and fails where the stream was
/// closed when the program was started.
#[derive(Debug, Clone, Copy)]
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stream = Stream { descriptor: stdin(), at: 0, name: "standard input" };
        stream.retry(PollFlags::IN, |input| rustix::io::read(input, &mut *buffer))
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
            Self::Data => Stream { descriptor: stdout(), at: 1, name: "standard output" },
            Self::Messages => Stream { descriptor: stderr(), at: 2, name: "standard error" },
        };
        stream.retry(PollFlags::OUT, |output| rustix::io::write(output, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
