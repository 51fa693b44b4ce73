//! A peer that takes nothing of what it is sent, for longer than a limit.
//!
//! Progress is what the peer has acknowledged. Where the system does not tell that it is what a write
//! took: little is kept unsent for a connection, so that this is nearly the same.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::os;

/// The other end of a connection.
pub trait Peer: AsyncRead + AsyncWrite + Unpin + Send {
    /// Bytes that were written and that the peer has not acknowledged; `None` where that is unknown.
    /// It may cost a few system calls.
    fn unacknowledged(&self) -> Option<u32> {
        None
    }
}

impl Peer for &mut TcpStream {
    fn unacknowledged(&self) -> Option<u32> {
        unacknowledged(self)
    }
}

/// Bytes that were written to a socket and that the peer has not acknowledged.
pub(super) fn unacknowledged(socket: &TcpStream) -> Option<u32> {
    os::unacknowledged(socket.local_addr().ok()?, socket.peer_addr().ok()?)
}

/// Bytes that are written between two looks at what is acknowledged: less finds room on the peer's
/// side, or costs little here.
const UNCHECKED: u64 = 16 * 1024;

/// Why a write failed: the peer took nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing of a reply was taken")]
pub(super) struct Stalled;

/// A stream whose writes fail with [`Stalled`] when the peer takes nothing for longer than a limit.
pub(super) struct StallGuard<T> {
    stream: T,
    limit: Option<Duration>,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    /// It was looked since the last progress.
    has_looked: bool,
    /// What was unacknowledged then.
    left: Option<u32>,
    /// Bytes since it was known that all were acknowledged.
    written: u64,
}

impl<T: Peer> StallGuard<T> {
    pub(super) fn new(stream: T, limit: Option<Duration>) -> Self {
        Self { stream, limit, timer: None, has_looked: false, left: None, written: 0 }
    }

    /// When to look whether the peer takes what was written to the end, if that is to be looked at.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let limit = self.limit.filter(|_| self.written >= UNCHECKED)?;
        Instant::now().checked_add(if self.has_looked { limit } else { limit / 4 })
    }

    /// Looks whether the peer has taken anything since the last look.
    ///
    /// # Errors
    /// [`Stalled`] when it has not.
    pub(super) fn look(&mut self) -> Result<(), Stalled> {
        match self.stream.unacknowledged() {
            None | Some(0) => (self.has_looked, self.written) = (false, 0),
            left if self.has_looked && self.left == left => return Err(Stalled),
            left => (self.has_looked, self.left) = (true, left),
        }
        Ok(())
    }

    /// Waits for the end of the patience with a write that waits.
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<Stalled> {
        let Some(limit) = self.limit else { return Poll::Pending };
        loop {
            // A first look soon, which the later ones are compared with.
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit / 4)));
            ready!(timer.as_mut().poll(context));
            let left = self.stream.unacknowledged();
            if self.has_looked && self.left == left {
                return Poll::Ready(Stalled);
            }
            (self.has_looked, self.left) = (true, left);
            self.timer = Some(Box::pin(sleep(limit)));
        }
    }
}

impl<T: Peer> AsyncRead for StallGuard<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: Peer> AsyncWrite for StallGuard<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => {
                self.poll_stalled(context).map(|stalled| Err(io::Error::other(stalled)))
            }
            Poll::Ready(outcome) => {
                (self.timer, self.has_looked) = (None, false);
                self.written += *outcome.as_ref().unwrap_or(&0) as u64;
                Poll::Ready(outcome)
            }
        }
    }

    /// Of a stream that takes more than it has written, as one that encrypts does.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(context) {
            Poll::Pending => {
                self.poll_stalled(context).map(|stalled| Err(io::Error::other(stalled)))
            }
            Poll::Ready(outcome) => {
                (self.timer, self.has_looked) = (None, false);
                Poll::Ready(outcome)
            }
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
