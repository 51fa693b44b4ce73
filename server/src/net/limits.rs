//! How long a peer may keep a connection waiting.

use std::time::Duration;

/// What ends a connection that holds its place for nothing; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// For a handshake of TLS, from the first byte to the last.
    pub handshake_timeout: Option<Duration>,
    /// For a line that stands half sent, from its first byte on.
    pub line_timeout: Option<Duration>,
    /// For a peer that takes nothing of what it is sent.
    pub stall_timeout: Option<Duration>,
    /// For a peer that asks nothing. A follow is no such peer.
    pub idle_timeout: Option<Duration>,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        Self {
            handshake_timeout: seconds(10),
            line_timeout: seconds(30),
            stall_timeout: seconds(30),
            idle_timeout: None,
        }
    }
}
