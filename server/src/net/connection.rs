//! One client: read what is there, hand it to the protocol, write the replies.
//!
//! While requests are in flight, more is read and started, as far as the protocol has room.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::protocol::{Protocol, Replies, SessionStats};

/// Bytes of the read buffer at first, because most connections are idle; it doubles when filled.
const INITIAL_BUFFER: usize = 8 * 1024;

/// Bytes that the read buffer grows to; bounds what is served at once.
const MAX_BUFFER: usize = 256 * 1024;

/// How long to wait for more requests of a client whose connection is being closed.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);

/// Why a connection was closed.
#[derive(Debug)]
pub enum CloseReason {
    /// The client closed its sending side, and all its requests were answered.
    ClosedByClient,
    /// The server is shutting down.
    Shutdown,
    /// The socket failed, or a reply could not be completed.
    Failed(io::Error),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByClient => f.write_str("closed by the client"),
            Self::Shutdown => f.write_str("the server is shutting down"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// Serves one client until either side ends the connection. Requests in flight are answered first.
pub async fn serve_connection<P: Protocol>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    protocol: P,
    shutdown: &CancellationToken,
) -> (SessionStats, CloseReason) {
    let mut connection =
        ClientConnection { stream, protocol, input: ReadBuffer::default(), replies: Vec::new() };
    let reason = connection.serve(shutdown).await.unwrap_or_else(CloseReason::Failed);
    match reason {
        CloseReason::ClosedByClient => {}
        CloseReason::Shutdown => connection.drain().await,
        CloseReason::Failed(_) => connection.settle().await,
    }
    (connection.protocol.stats(), reason)
}

struct ClientConnection<T, P> {
    stream: T,
    protocol: P,
    input: ReadBuffer,
    /// Not written yet.
    replies: Vec<u8>,
}

impl<T: AsyncRead + AsyncWrite + Unpin + Send, P: Protocol> ClientConnection<T, P> {
    async fn serve(&mut self, shutdown: &CancellationToken) -> io::Result<CloseReason> {
        loop {
            let Self { stream, protocol, input, replies } = self;
            let (is_busy, has_room) = (!protocol.is_idle(), protocol.has_room());
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    self.finish().await?;
                    return Ok(CloseReason::Shutdown);
                }
                () = poll_fn(|context| protocol.poll_replies(context, replies)), if is_busy => {}
                read = stream.read(input.free()), if has_room => {
                    let read = read?;
                    if read == 0 {
                        self.finish().await?;
                        return Ok(CloseReason::ClosedByClient);
                    }
                    input.advance(read);
                    self.serve_input().await?;
                }
            }
            // What has come before the last reply is served as well, if that is requests.
            while self.protocol.is_idle() && self.answer().await? && !shutdown.is_cancelled() {
                self.serve_input().await?;
            }
            self.write_replies().await?;
        }
    }

    /// Starts the complete requests in the read buffer.
    async fn serve_input(&mut self) -> io::Result<()> {
        let mut rest = self.input.filled();
        let length = rest.len();
        let mut replies = Replies::new(&mut self.replies, &mut self.stream);
        self.protocol.serve(&mut rest, &mut replies).await?;
        let consumed = length - rest.len();
        self.input.consume(consumed);
        self.input.grow_if_filled();
        Ok(())
    }

    /// Writes the replies when nothing is in flight; answers whether more input has come
    /// meanwhile.
    async fn answer(&mut self) -> io::Result<bool> {
        let partial = self.input.filled().len();
        let late = read_ready(&mut self.stream, self.input.free()).await?;
        self.input.advance(late);
        if partial == 0 {
            let mut rest = self.input.filled();
            self.protocol.take_trailing(&mut rest);
            let consumed = late - rest.len();
            self.input.consume(consumed);
        }
        self.protocol.mark_answered();
        self.write_replies().await?;
        Ok(self.input.filled().len() > partial)
    }

    /// Answers what is in flight.
    async fn finish(&mut self) -> io::Result<()> {
        while !self.protocol.is_idle() {
            poll_fn(|context| self.protocol.poll_replies(context, &mut self.replies)).await;
            self.write_replies().await?;
        }
        Ok(())
    }

    /// Waits for what is in flight when its replies can't be written: the counts of the session
    /// hold all that is stored.
    async fn settle(&mut self) {
        while !self.protocol.is_idle() {
            self.replies.clear();
            poll_fn(|context| self.protocol.poll_replies(context, &mut self.replies)).await;
        }
    }

    async fn write_replies(&mut self) -> io::Result<()> {
        Replies::new(&mut self.replies, &mut self.stream).flush().await
    }

    /// Ends the replies, and reads what the client still sends. Closing a socket with unread bytes
    /// resets it, and replies that are on their way would be lost with it.
    async fn drain(&mut self) {
        // A client that is gone already can't be told anything.
        if self.stream.shutdown().await.is_ok() {
            let mut unread = [0; 4096];
            let mut read =
                async || tokio::time::timeout(DRAIN_TIMEOUT, self.stream.read(&mut unread)).await;
            while matches!(read().await, Ok(Ok(1..))) {}
        }
    }
}

/// What was read and not served yet.
struct ReadBuffer {
    bytes: Vec<u8>,
    /// Bytes at the front that hold input.
    filled: usize,
    was_filled: bool,
}

impl Default for ReadBuffer {
    fn default() -> Self {
        Self { bytes: vec![0; INITIAL_BUFFER], filled: 0, was_filled: false }
    }
}

impl ReadBuffer {
    fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    fn free(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Adds what was read into the free part.
    fn advance(&mut self, read: usize) {
        self.filled += read;
        self.was_filled |= self.filled == self.bytes.len();
    }

    /// Drops bytes at the front.
    fn consume(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    /// Doubles the buffer if it was filled since the last time, up to [`MAX_BUFFER`].
    fn grow_if_filled(&mut self) {
        if std::mem::take(&mut self.was_filled) && self.bytes.len() < MAX_BUFFER {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
    }
}

/// Reads what has come already, without waiting. The end of the stream is left for the next read.
async fn read_ready(stream: &mut (impl AsyncRead + Unpin), room: &mut [u8]) -> io::Result<usize> {
    tokio::select! {
        biased;
        read = stream.read(room) => read,
        () = std::future::ready(()) => Ok(0),
    }
}

#[cfg(test)]
mod tests;
