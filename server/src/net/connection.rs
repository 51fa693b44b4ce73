//! One client: read what is there, hand it to the protocol, write the replies.
//!
//! While requests are in flight, more is read and started, as far as the protocol has room. While the
//! client follows, its news are written as they come, until it sends more.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
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

/// How often the connection of a client that follows is tried when the client has closed its sending
/// side: a read says no more whether it is there, and there may be no news to be written.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

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
                    if let ControlFlow::Break(reason) = self.serve_input(shutdown).await? {
                        return Ok(reason);
                    }
                }
            }
            // What has come before the last reply is served as well, if that is requests.
            while self.protocol.is_idle() && self.answer().await? && !shutdown.is_cancelled() {
                if let ControlFlow::Break(reason) = self.serve_input(shutdown).await? {
                    return Ok(reason);
                }
            }
            self.write_replies().await?;
        }
    }

    /// Starts the complete requests in the read buffer, and serves a follow to its end.
    async fn serve_input(
        &mut self,
        shutdown: &CancellationToken,
    ) -> io::Result<ControlFlow<CloseReason>> {
        loop {
            let mut rest = self.input.filled();
            let length = rest.len();
            let mut replies = Replies::new(&mut self.replies, &mut self.stream);
            self.protocol.serve(&mut rest, &mut replies).await?;
            let consumed = length - rest.len();
            self.input.consume(consumed);
            self.input.grow_if_filled();
            if !self.protocol.is_following() {
                return Ok(ControlFlow::Continue(()));
            }
            if self.follow(shutdown).await?.is_break() {
                return Ok(ControlFlow::Break(CloseReason::Shutdown));
            }
        }
    }

    /// Writes news until the client sends more, which is left in the read buffer. A shutdown breaks
    /// the reply off.
    async fn follow(&mut self, shutdown: &CancellationToken) -> io::Result<ControlFlow<()>> {
        let Self { stream, protocol, input, replies } = self;
        // The client has sent nothing since, and may still.
        let (mut is_waiting, mut is_half_closed) = (input.filled().is_empty(), false);
        if !is_waiting {
            protocol.finish_follow();
        }
        while protocol.is_following() {
            let mut news = Replies::new(replies, stream);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(ControlFlow::Break(())),
                written = news.flush() => written?,
                error = poll_fn(|context| protocol.poll_lagged(context)) => return Err(error),
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(ControlFlow::Break(())),
                read = stream.read(input.free()), if is_waiting => {
                    is_waiting = false;
                    match read? {
                        0 => is_half_closed = true,
                        read => {
                            input.advance(read);
                            protocol.finish_follow();
                        }
                    }
                }
                news = poll_fn(|context| protocol.poll_follow(context, replies)) => news?,
                () = tokio::time::sleep(PROBE_INTERVAL), if is_half_closed => {
                    let _nothing: usize = stream.write(&[]).await?;
                }
            }
            // Others have their turn.
            tokio::task::yield_now().await;
        }
        Ok(ControlFlow::Continue(()))
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
