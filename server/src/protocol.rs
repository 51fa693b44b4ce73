//! What a connection needs of a protocol: it takes the bytes that a client has sent and gives the
//! bytes of the replies.
//!
//! A protocol reaches the store through [`crate::ingest`], [`crate::query`] and [`crate::follow`]. It knows no
//! sockets, and a connection knows no protocol, so every protocol shares the connection's read
//! buffer, back-pressure, shutdown and limits.

pub mod text;
mod write_scope;

use std::future::Future;
use std::io;
use std::task::{Context, Poll};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

pub use write_scope::WriteScope;

/// Bytes of replies that are written at once. More replies, and longer ones, go out in pieces of
/// about this size, so those that a client does not read take no more memory than that.
pub const FLUSH_THRESHOLD: usize = 32 * 1024;

/// Why a connection ends without a reply: it speaks something else than the protocol of its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignProtocol {
    /// HTTP, as browsers do.
    #[error("the client speaks HTTP")]
    Http,
    /// TLS.
    #[error("the client speaks TLS")]
    Tls,
}

/// The server's side of one client's session.
///
/// Requests may be in flight, that is started but not answered yet. Their replies keep the order
/// of the requests.
pub trait Protocol: Send {
    /// Starts every complete request at the front of `input`, up to one that begins to follow or that
    /// is answered when [`Replies::is_stopping`], and leaves the rest there, otherwise at most a line.
    /// Called only while [`Protocol::has_room`] and not [`Protocol::is_following`].
    ///
    /// On return `replies` holds no part of the replies to `input` unless it holds all of them, or
    /// all up to the beginning of the last one in a follow.
    ///
    /// # Errors
    /// When the client can't be written to, or when a reply that has begun can't be completed: the
    /// connection must end then, so that a cut reply does not pass for a whole one. A
    /// [`ForeignProtocol`] inside when nothing of this connection is to be served.
    fn serve(
        &mut self,
        input: &mut &[u8],
        replies: &mut Replies<'_, impl AsyncWrite + Unpin + Send>,
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Whether more requests may be started. Bounds what one client has in flight.
    fn has_room(&self) -> bool;

    /// Whether nothing is in flight.
    fn is_idle(&self) -> bool;

    /// Appends the replies to the oldest requests in flight, until `out` holds about
    /// [`FLUSH_THRESHOLD`] bytes. Ready when it holds any, and when nothing is in flight.
    fn poll_replies(&mut self, context: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()>;

    /// Takes what belongs to the last request off the front of the input, which came after that
    /// request was started and before its reply is written. Called when nothing is in flight and
    /// all input before this was served. Most protocols have nothing of that kind.
    fn take_trailing(&mut self, _input: &mut &[u8]) {}

    /// Notes that the replies to all requests so far are being written.
    fn mark_answered(&mut self) {}

    /// Whether the last request is one that is answered until the client sends more. Nothing else
    /// is in flight then. Most protocols have nothing of that kind.
    fn is_following(&self) -> bool {
        false
    }

    /// Appends more of the reply to a follow, until `out` holds about [`FLUSH_THRESHOLD`] bytes or
    /// there is no more at present. Ready also with nothing, to be asked again.
    ///
    /// # Errors
    /// When the reply can't be completed: the connection must end then.
    fn poll_follow(&mut self, _: &mut Context<'_>, _out: &mut Vec<u8>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ready with the error of the next [`Protocol::poll_follow`] when that is known already: the
    /// client takes the reply too slowly.
    fn poll_lagged(&mut self, _: &mut Context<'_>) -> Poll<io::Error> {
        Poll::Pending
    }

    /// Notes that the client has sent more: what is still to be sent of a follow ends it.
    fn finish_follow(&mut self) {}

    /// The request of which a part has come and the end has not: a number that other such requests
    /// of the session do not have.
    fn half_line(&self) -> Option<u64> {
        None
    }

    /// What the client has asked so far.
    fn stats(&self) -> SessionStats;
}

/// Counts of one client's session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Points stored.
    pub puts: u64,
    /// Queries.
    pub gets: u64,
    /// Requests that took points back.
    pub deletes: u64,
    /// Points sent in replies.
    pub points_sent: u64,
    /// What was no request, or is not allowed.
    pub malformed: u64,
    /// Puts that were refused for their key or time, and changes that a certificate does not allow.
    pub refused: u64,
    /// Right requests that could not be served.
    pub failed: u64,
}

impl SessionStats {
    /// Requests answered with an error.
    pub fn errors(&self) -> u64 {
        self.malformed + self.refused + self.failed
    }
}

/// Replies on their way to a client: a buffer, and where it is written to.
#[derive(Debug)]
pub struct Replies<'a, W> {
    buffer: &'a mut Vec<u8>,
    peer: &'a mut W,
    shutdown: Option<&'a CancellationToken>,
}

impl<'a, W: AsyncWrite + Unpin> Replies<'a, W> {
    /// Replies that are gathered in `buffer` and written to `peer`.
    pub fn new(buffer: &'a mut Vec<u8>, peer: &'a mut W) -> Self {
        Self { buffer, peer, shutdown: None }
    }

    /// The same, which are to end soon after `shutdown` begins.
    #[must_use]
    pub fn until(self, shutdown: &'a CancellationToken) -> Self {
        Self { shutdown: Some(shutdown), ..self }
    }

    /// Whether no more requests are to be started, because the server is shutting down.
    pub fn is_stopping(&self) -> bool {
        self.shutdown.is_some_and(CancellationToken::is_cancelled)
    }

    /// What is not written yet; replies are appended here.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer
    }

    /// Writes what is there as soon as it is [`FLUSH_THRESHOLD`] bytes.
    ///
    /// # Errors
    /// When the client can't be written to.
    pub async fn flush_if_large(&mut self) -> io::Result<()> {
        if self.buffer.len() >= FLUSH_THRESHOLD { self.flush().await } else { Ok(()) }
    }

    /// Writes what is there.
    ///
    /// # Errors
    /// When the client can't be written to.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.peer.write_all(self.buffer).await?;
            self.buffer.clear();
            // What encrypts may have taken it without writing it.
            self.peer.flush().await?;
        }
        Ok(())
    }
}
