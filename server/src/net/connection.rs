//! One client: read what is there, hand it to the protocol, write the replies.
//!
//! While requests are in flight, more is read and started, as far as the protocol has room. While the
//! client follows, its news are written as they come, until it sends more.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::ConnectionLimits;
use super::read_buffer::ReadBuffer;
use super::stall::{Peer, StallGuard, Stalled};
use super::tls::CertificateEnd;
use crate::metrics::Metrics;
use crate::protocol::{ForeignProtocol, Protocol, Replies, SessionStats};

/// How long to wait for more requests of a client whose connection is being closed.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);

/// How long to read on in all from such a client, which may never pause.
const MAX_DRAIN: Duration = Duration::from_secs(1);

/// How often the connection of a client that follows is tried when the client has closed its sending
/// side: a read says no more whether it is there, and there may be no news to be written.
const PROBE_INTERVAL: Duration = Duration::from_secs(10);

/// Bytes of a buffer for replies that a connection keeps while it waits.
const KEPT_REPLIES: usize = 1024;

/// Why a connection was closed.
#[derive(Debug)]
pub enum CloseReason {
    /// The client closed its sending side, and all its requests were answered.
    ClosedByClient,
    /// The server is shutting down.
    Shutdown,
    /// A line stood half sent.
    LineTimeout,
    /// Nothing of a reply was taken.
    Stalled,
    /// Nothing was asked.
    Idle,
    /// There was no TLS in time.
    HandshakeTimeout,
    /// There was no TLS.
    HandshakeFailed(io::Error),
    /// The certificate of the client is taken no more.
    Certificate(CertificateEnd),
    /// The client speaks another protocol.
    Foreign(ForeignProtocol),
    /// The socket failed, or a reply could not be completed.
    Failed(io::Error),
}

impl CloseReason {
    /// Whether nothing is wrong: programs go when they have seen enough of a reply, or of what is new.
    pub fn is_usual(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match self {
            Self::ClosedByClient | Self::Shutdown => true,
            Self::Failed(error) => {
                matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
            }
            _ => false,
        }
    }

    fn of(error: io::Error) -> Self {
        match error.get_ref() {
            Some(inner) if inner.is::<Stalled>() => Self::Stalled,
            Some(inner) => {
                let foreign = inner.downcast_ref().copied().map(Self::Foreign);
                let certificate = inner.downcast_ref().copied().map(Self::Certificate);
                foreign.or(certificate).unwrap_or(Self::Failed(error))
            }
            None => Self::Failed(error),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByClient => f.write_str("closed by the client"),
            Self::Shutdown => f.write_str("the server is shutting down"),
            Self::LineTimeout => f.write_str("a line stood half sent"),
            Self::Stalled => Stalled.fmt(f),
            Self::Idle => f.write_str("nothing was asked"),
            Self::HandshakeTimeout => f.write_str("it took too long"),
            Self::Certificate(end) => end.fmt(f),
            Self::Foreign(foreign) => foreign.fmt(f),
            Self::HandshakeFailed(error) | Self::Failed(error) => error.fmt(f),
        }
    }
}

/// Serves one client until either side ends the connection. Requests in flight are answered first.
pub async fn serve_connection<P: Protocol>(
    stream: impl Peer,
    protocol: &mut P,
    limits: ConnectionLimits,
    metrics: &Metrics,
    shutdown: &CancellationToken,
) -> (SessionStats, CloseReason) {
    let mut connection = ClientConnection {
        stream: StallGuard::new(stream, limits.stall_timeout),
        protocol,
        input: ReadBuffer::default(),
        replies: Vec::new(),
        limits,
        half_line: None,
        counted: Counted { metrics, stats: SessionStats::default() },
    };
    let reason = connection.serve(shutdown).await.unwrap_or_else(CloseReason::of);
    match reason {
        CloseReason::ClosedByClient
        | CloseReason::LineTimeout
        | CloseReason::Idle
        | CloseReason::Foreign(_) => {}
        CloseReason::Shutdown => connection.drain().await,
        // The last two are not of a connection that is served.
        CloseReason::Stalled
        | CloseReason::Failed(_)
        | CloseReason::Certificate(_)
        | CloseReason::HandshakeTimeout
        | CloseReason::HandshakeFailed(_) => connection.settle().await,
    }
    let stats = connection.protocol.stats();
    connection.counted.advance(stats);
    (stats, reason)
}

struct ClientConnection<'a, T, P> {
    stream: StallGuard<T>,
    protocol: &'a mut P,
    input: ReadBuffer,
    /// Not written yet.
    replies: Vec<u8>,
    limits: ConnectionLimits,
    /// The line that stands half sent, and since when.
    half_line: Option<(u64, Instant)>,
    counted: Counted<'a>,
}

/// What is looked at when nothing has come for a while.
#[derive(Clone, Copy)]
enum Check {
    HalfLine,
    Stall,
    Idle,
}

impl<T: Peer, P: Protocol> ClientConnection<'_, T, P> {
    async fn serve(&mut self, shutdown: &CancellationToken) -> io::Result<CloseReason> {
        loop {
            self.counted.advance(self.protocol.stats());
            let (is_busy, has_room) = (!self.protocol.is_idle(), self.protocol.has_room());
            let check = if is_busy { None } else { self.next_check() };
            let Self { stream, protocol, input, replies, .. } = self;
            if !is_busy {
                give_back(replies);
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    self.finish().await?;
                    return Ok(CloseReason::Shutdown);
                }
                () = poll_fn(|context| protocol.poll_replies(context, replies)), if is_busy => {}
                read = poll_fn(|context| input.poll_fill(stream, context)), if has_room => {
                    if read? == 0 {
                        self.finish().await?;
                        return Ok(CloseReason::ClosedByClient);
                    }
                    if let ControlFlow::Break(reason) = self.serve_input(shutdown).await? {
                        return Ok(reason);
                    }
                    if self.is_line_overdue() {
                        return Ok(CloseReason::LineTimeout);
                    }
                }
                check = wait_for(check) => match check {
                    Check::HalfLine => return Ok(CloseReason::LineTimeout),
                    Check::Idle => return Ok(CloseReason::Idle),
                    Check::Stall => stream.look().map_err(io::Error::other)?,
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
            let mut replies = Replies::new(&mut self.replies, &mut self.stream).until(shutdown);
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
        let Self { stream, protocol, input, replies, counted, .. } = self;
        // The client has sent nothing since, and may still.
        let (mut is_waiting, mut is_half_closed) = (input.filled().is_empty(), false);
        if !is_waiting {
            protocol.finish_follow();
        }
        while protocol.is_following() {
            counted.advance(protocol.stats());
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
                read = poll_fn(|context| input.poll_fill(stream, context)), if is_waiting => {
                    is_waiting = false;
                    match read? {
                        0 => is_half_closed = true,
                        _ => protocol.finish_follow(),
                    }
                }
                news = poll_fn(|context| {
                    let news = protocol.poll_follow(context, replies);
                    if news.is_pending() {
                        give_back(replies);
                    }
                    news
                }) => news?,
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
        let Self { stream, input, .. } = self;
        let late = read_ready(input, stream).await?;
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
        // A client that is gone already can't be told anything, and one that takes nothing keeps the end of
        // TLS waiting.
        if !matches!(timeout(MAX_DRAIN, self.stream.shutdown()).await, Ok(Ok(()))) {
            return;
        }
        let Self { stream, input, .. } = self;
        let mut read = async || {
            input.consume(input.filled().len());
            let read = poll_fn(|context| input.poll_fill(stream, context));
            matches!(timeout(DRAIN_TIMEOUT, read).await, Ok(Ok(1..)))
        };
        // What comes after that is lost with the connection.
        let _ = timeout(MAX_DRAIN, async { while read().await {} }).await;
    }

    /// What to look at if nothing comes, and when. Only to be asked when nothing is in flight.
    fn next_check(&mut self) -> Option<(Check, Instant)> {
        let Self { protocol, limits, half_line, stream, .. } = self;
        let after = |limit: Duration| Instant::now().checked_add(limit);
        let first = match protocol.half_line() {
            Some(line) => {
                let since = match *half_line {
                    Some((known, since)) if known == line => since,
                    _ => Instant::now(),
                };
                *half_line = Some((line, since));
                limits
                    .line_timeout
                    .and_then(|limit| Some((Check::HalfLine, since.checked_add(limit)?)))
            }
            None => limits.idle_timeout.and_then(|limit| Some((Check::Idle, after(limit)?))),
        };
        let stall = stream.next_look().map(|at| (Check::Stall, at));
        first.into_iter().chain(stall).min_by_key(|&(_, at)| at)
    }

    /// Whether what was just read did not end a line whose time is over.
    fn is_line_overdue(&self) -> bool {
        let (Some((line, since)), Some(limit)) = (self.half_line, self.limits.line_timeout) else {
            return false;
        };
        self.protocol.is_idle()
            && self.protocol.half_line() == Some(line)
            && since.elapsed() >= limit
    }
}

/// The part of a session that is in the counters of the server.
struct Counted<'a> {
    metrics: &'a Metrics,
    stats: SessionStats,
}

impl Counted<'_> {
    /// Adds what the session has done since.
    fn advance(&mut self, now: SessionStats) {
        let (before, metrics) = (self.stats, self.metrics);
        if now == before {
            return;
        }
        metrics.puts.add(now.puts - before.puts);
        metrics.gets.add(now.gets - before.gets);
        metrics.deletes.add(now.deletes - before.deletes);
        metrics.points_sent.add(now.points_sent - before.points_sent);
        metrics.malformed_requests.add(now.malformed - before.malformed);
        metrics.refused_puts.add(now.refused - before.refused);
        metrics.failed_requests.add(now.failed - before.failed);
        self.stats = now;
    }
}

/// Gives the memory of an empty buffer back if it is much.
fn give_back(replies: &mut Vec<u8>) {
    if replies.is_empty() && replies.capacity() > KEPT_REPLIES {
        *replies = Vec::new();
    }
}

/// Waits until there is something to look at; for ever when there is nothing.
async fn wait_for(check: Option<(Check, Instant)>) -> Check {
    match check {
        Some((check, at)) => {
            sleep_until(at).await;
            check
        }
        None => std::future::pending().await,
    }
}

/// Reads what has come already, without waiting. The end of the stream is left for the next read.
async fn read_ready(
    input: &mut ReadBuffer,
    stream: &mut StallGuard<impl Peer>,
) -> io::Result<usize> {
    poll_fn(|context| match input.poll_fill(stream, context) {
        Poll::Ready(read) => Poll::Ready(read),
        Poll::Pending => Poll::Ready(Ok(0)),
    })
    .await
}

#[cfg(test)]
mod tests;
