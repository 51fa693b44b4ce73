//! Why a request got no reply.

use std::io;
use std::time::Duration;

use super::tls::TlsFailure;
use crate::response::BadReply;

/// Why a request got no reply, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the protocol: {0}")]
    BadReply(#[from] BadReply),
    /// The connection ended before the reply was complete.
    #[error("the connection closed before the reply was complete")]
    Closed,
    /// The server has no place for the connection, and has ended it: nothing that was sent over it has been
    /// served.
    #[error("the server does not take the connection: {0}")]
    Refused(String),
    /// A reply was due and no byte came for so long, so the connection was ended.
    #[error("the reply stalled: nothing came for {} s", .0.as_secs_f64())]
    Stalled(Duration),
    /// The connection was ended by [`super::Client::abort`].
    #[error("the connection was aborted")]
    Aborted,
    /// There is no TLS with the server, or no more.
    #[error(transparent)]
    Tls(TlsFailure),
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(io::ErrorKind),
    /// [`super::Client::send`] takes exactly one line that is not empty.
    #[error("a request is one line that is not empty")]
    NotOneLine,
}
