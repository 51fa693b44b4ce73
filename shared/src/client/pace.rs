//! Whether a server takes requests ahead of its replies. Many read one request a packet, answer each
//! read with one reply, or close after each answer, so each has to show it first.

use tokio::sync::mpsc;

use crate::request::PROBE;
use crate::response::Status;

/// The first request of a probe, and the third, which is sent after the first reply. Where its reply
/// comes in place of the second one, the server has dropped the second request.
pub(super) const PROBE_FIRST: &[u8] = b"get tui-client.probe\n";

/// The first two requests of a probe, which are sent with one write. They change nothing, and are
/// answered differently, so that their replies can be told apart.
pub(super) fn probe_two() -> Vec<u8> {
    [PROBE_FIRST, PROBE, b"\n"].concat()
}

/// The replies to a probe by a server that takes requests ahead of replies.
pub(super) const PROBE_REPLIES: [Status; 3] = [Status::Ok, Status::Error, Status::Ok];

/// How requests follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// One at a time, until one has to wait for another: then a probe finds out.
    Unknown,
    /// Each is sent after the reply to the one before.
    OneByOne,
    /// They are sent ahead of replies.
    Pipelined,
}

/// What is known of the server, over all connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerTraits {
    pub(super) pace: Pace,
    /// Connections in a row that the server has closed after one reply each.
    pub(super) closed_after_reply: u32,
}

impl ServerTraits {
    /// The server closes a connection after each reply.
    pub(super) fn closes(self) -> bool {
        self.closed_after_reply > 1
    }
}

/// How far the replies of a connection have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Whole replies.
    pub(super) answered: u64,
    /// A follow has begun, which ends when more is sent.
    pub(super) follow_is_open: bool,
}

impl Progress {
    /// Nothing else is due when so many requests are sent.
    pub(super) fn is_quiet(self, sent: u64) -> bool {
        self.answered + u64::from(self.follow_is_open) >= sent
    }
}

/// The replies to a probe, handed on as they end.
#[derive(Debug)]
pub(super) struct ProbeReplies {
    statuses: mpsc::UnboundedSender<Status>,
    left: usize,
}

impl ProbeReplies {
    /// No reply so far, and the way to take them.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Status>) {
        let (statuses, replies) = mpsc::unbounded_channel();
        (Self { statuses, left: PROBE_REPLIES.len() }, replies)
    }

    /// Hands on a complete reply; says whether it was the last.
    pub(super) fn answer(&mut self, status: Status) -> bool {
        // The writer may have given up on the probe.
        let _ = self.statuses.send(status);
        self.left -= 1;
        self.left == 0
    }
}
