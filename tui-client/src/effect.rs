//! Everything the application wants done, as data; the runtime does it.

use std::sync::Arc;

use shared::Glob;

use crate::app::log::Snapshot;
use crate::metrics::reply::Capture;
use crate::metrics::sort::SortJob;
use crate::metrics::summary::Answer;

/// A wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Try to connect; the answer is `Connected` or `Disconnected`.
    Connect,
    /// Send a request; the answer is `Reply`, `NotSent` or `Disconnected`.
    Send(Outgoing),
    /// Stop until the shell wakes the program again.
    Suspend,
    /// Send many lines as a stream; news of it come as `Import`.
    Import {
        /// Comes back with the news.
        id: u64,
        /// One request a line, as it was pasted.
        text: Arc<str>,
    },
    /// Send no more of these lines.
    StopImport,
    /// Add a line to the history of all sessions.
    Remember(String),
    /// Write the log to a file; the answer is `Saved` or `NotSaved`.
    SaveLog {
        /// As it was typed.
        path: String,
        /// What to write.
        log: Snapshot,
    },
    /// Put text on the clipboard of the terminal.
    Copy(String),
    /// Arrange a large table beside the loop; the answer is `Sorted`.
    Arrange(SortJob),
    /// Free a large answer beside the loop.
    Discard(Arc<Answer>),
    /// Ring the bell of the terminal.
    Bell,
    /// Leave the program.
    Quit,
}

/// A request on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Comes back with the reply.
    pub id: u64,
    /// One line without its end.
    pub line: String,
    /// How much of the reply to keep.
    pub detail: Capture,
    /// Series that match one of these are watched.
    pub watched: Arc<[Glob]>,
}
