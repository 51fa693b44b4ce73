//! What was read of a connection and not served yet. A connection that waits holds no buffer.
//!
//! A read goes into a large buffer of the thread. What comes with a small read is copied out of it,
//! so that a client that does not read its replies holds what it has sent and no more; with a large
//! one the connection has the whole buffer until all of it is served.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes that are read at once at first; they double when filled.
const INITIAL_READ: usize = 8 * 1024;

/// Bytes that are read at once in the end; bounds what is served at once.
pub(super) const MAX_READ: usize = 256 * 1024;

/// What is held is copied where it is at most this, so that the large buffer can go back.
const SMALL: usize = 4 * 1024;

thread_local! {
    /// A buffer of [`MAX_READ`] bytes, or none.
    #[allow(
        clippy::missing_const_for_thread_local,
        reason = "it is one, which is not seen for every system"
    )]
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

fn take_spare() -> Vec<u8> {
    let spare = SPARE.take();
    if spare.len() == MAX_READ { spare } else { vec![0; MAX_READ] }
}

fn return_spare(bytes: Vec<u8>) {
    if bytes.len() == MAX_READ {
        SPARE.set(bytes);
    }
}

/// Bytes of a connection, in the order in which they came.
pub(super) struct ReadBuffer {
    /// Either a large buffer, or no longer than what it holds.
    bytes: Vec<u8>,
    /// Bytes at the front that were read.
    filled: usize,
    /// How much is held at most after a read.
    size: usize,
    was_filled: bool,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self { bytes: Vec::new(), filled: 0, size: INITIAL_READ, was_filled: false }
    }
}

impl ReadBuffer {
    /// What was read and is not consumed.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Reads more behind what is there; 0 at the end of the stream.
    ///
    /// # Errors
    /// Those of the stream.
    pub(super) fn poll_fill(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.bytes.len() < MAX_READ {
            let mut large = take_spare();
            large[..self.filled].copy_from_slice(self.filled());
            self.bytes = large;
        }
        let mut free = ReadBuf::new(&mut self.bytes[self.filled..self.size]);
        let outcome = Pin::new(stream).poll_read(context, &mut free);
        let read = free.filled().len();
        self.filled += read;
        self.was_filled |= self.filled == self.size;
        self.release();
        ready!(outcome)?;
        Poll::Ready(Ok(read))
    }

    /// Drops bytes at the front.
    pub(super) fn consume(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
        self.release();
    }

    /// Doubles what is read at once if that was filled since the last time, up to [`MAX_READ`].
    pub(super) fn grow_if_filled(&mut self) {
        if std::mem::take(&mut self.was_filled) {
            self.size = MAX_READ.min(self.size * 2);
        }
    }

    /// Gives memory back that holds little or nothing.
    fn release(&mut self) {
        if self.bytes.len() == MAX_READ && self.filled <= SMALL {
            let small = self.filled().to_vec();
            return_spare(std::mem::replace(&mut self.bytes, small));
        } else if self.filled == 0 {
            self.bytes = Vec::new();
        }
    }

    /// Bytes of memory.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Through reads of all sizes and pieces that stay behind, and with another connection of the
    /// thread between them.
    #[tokio::test]
    async fn bytes_keep_their_order_and_waiting_holds_no_buffer() {
        let sent: Vec<u8> = (0..2_000_000_u32).map(|number| (number % 251) as u8).collect();
        let (mut near, mut far) = tokio::io::duplex(1_000_000);
        let to_send = sent.clone();
        let sending = tokio::spawn(async move {
            for piece in to_send.chunk_by(|_, byte| *byte != 7).collect::<Vec<_>>().chunks(77) {
                near.write_all(&piece.concat()).await.unwrap();
            }
        });
        let (mut input, mut got) = (ReadBuffer::default(), Vec::new());
        for step in 1.. {
            let read = poll_fn(|context| input.poll_fill(&mut far, context)).await.unwrap();
            if read == 0 {
                break;
            }
            let left = (step * 37 % 5000).min(input.filled().len());
            let count = input.filled().len() - left;
            got.extend_from_slice(&input.filled()[..count]);
            input.consume(count);
            input.grow_if_filled();
            let most = if left == 0 { 0 } else { SMALL };
            assert!(input.capacity() <= most || left > SMALL, "{left}");
            let mut other = ReadBuffer::default();
            let (mut there, mut here) = tokio::io::duplex(100);
            there.write_all(&[0xff; 100]).await.unwrap();
            poll_fn(|context| other.poll_fill(&mut here, context)).await.unwrap();
        }
        got.extend_from_slice(input.filled());
        sending.await.unwrap();
        assert!(got == sent);
        assert_eq!(input.size, MAX_READ);
    }
}
