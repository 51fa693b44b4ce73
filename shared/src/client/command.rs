//! What a caller has sent, and where the replies go.

use std::io;

use super::batch::BatchReplies;
use super::error::ClientError;
use super::pace::ProbeReplies;
use super::piece_queue::PieceSender;
use super::reply::Delivery;
use super::tls::TlsFailure;

/// Requests to be written together.
#[derive(Debug)]
pub(super) struct Command {
    /// Whole lines.
    pub(super) bytes: Vec<u8>,
    /// The number of lines.
    pub(super) requests: u64,
    /// Where their replies go.
    pub(super) awaiting: Awaiting,
}

/// Where the replies to a command go.
#[derive(Debug)]
pub(super) enum Awaiting {
    /// One reply, in pieces.
    Stream {
        /// The way to the caller.
        pieces: PieceSender<Delivery>,
        /// The reply ends only when more is sent.
        is_follow: bool,
    },
    /// The replies to a batch, in pieces.
    Batch(BatchReplies),
    /// The replies to a probe.
    Probe(ProbeReplies),
}

impl Awaiting {
    /// The reply that is arriving ends only when more is sent: silence is normal.
    pub(super) fn is_follow(&self) -> bool {
        match self {
            Self::Stream { is_follow, .. } => *is_follow,
            Self::Batch(batch) => batch.is_at_follow(),
            Self::Probe(_) => false,
        }
    }

    /// Waits until the caller wants no more.
    pub(super) async fn abandoned(&self) {
        match self {
            Self::Stream { pieces, .. } => pieces.abandoned().await,
            Self::Batch(batch) => batch.abandoned().await,
            Self::Probe(_) => {}
        }
    }

    /// The replies do not come any more.
    pub(super) fn fail(self, error: &ClientError) {
        match self {
            Self::Stream { mut pieces, .. } => pieces.send(Delivery::Failed(error.clone())),
            Self::Batch(batch) => batch.fail(error.clone()),
            Self::Probe(_) => {}
        }
    }
}

/// What an error of the socket means to the caller.
pub(super) fn lost(error: &io::Error) -> ClientError {
    if let Some(failure) = TlsFailure::of(error) {
        return ClientError::Tls(failure);
    }
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        // So Windows calls a connection that it gave up itself.
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::UnexpectedEof => ClientError::Closed,
        kind => ClientError::Io(kind),
    }
}
