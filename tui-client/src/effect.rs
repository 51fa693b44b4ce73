//! Everything the application wants done, as data: a variant for each part of the program that
//! does it. The runtime hands them over as they are.

use std::sync::Arc;

use shared::Glob;

use crate::app::log::store::Snapshot;
use crate::metrics::reply::Capture;
use crate::metrics::sort::SortJob;
use crate::metrics::summary::Answer;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// By the network.
    Network(NetworkOrder),
    /// By the thread that reads and writes files.
    File(FileJob),
    /// Beside the loop, because it takes long.
    Compute(ComputeJob),
    /// By the terminal.
    Terminal(TerminalOrder),
    /// Leave the program.
    Quit,
}

/// An order for the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkOrder {
    /// Try to connect once; the answer is `Connected` or `Disconnected`.
    Connect,
    /// Send a request; the answer is `Reply`, `NotSent` or `Disconnected`.
    Send(Outgoing),
    /// Send many lines as a stream; its progress comes as `Import`.
    Import {
        /// Comes back with the progress.
        id: u64,
        /// One request a line, as it was pasted.
        text: Arc<str>,
    },
    /// Send no more lines of the import.
    StopImport,
}

/// A request on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Comes back with the reply.
    pub id: u64,
    /// One line without its end.
    pub line: String,
    /// How much of the reply to keep.
    pub capture: Capture,
    /// Series that match one of these are watched.
    pub watched: Arc<[Glob]>,
}

/// A job for the thread that reads and writes files.
#[derive(Debug, Clone, PartialEq)]
pub enum FileJob {
    /// Add a line to the history of all sessions.
    AppendHistory(String),
    /// Write the log to a new file; the answer is `Saved` or `NotSaved`.
    SaveLog {
        /// As it was typed.
        path: String,
        /// What to write.
        log: Snapshot,
    },
}

/// A job that takes too long for the loop.
#[derive(Debug, Clone, PartialEq)]
pub enum ComputeJob {
    /// Sort and filter a large table; the answer is `Sorted`.
    Sort(SortJob),
    /// Free a large answer.
    Free(Arc<Answer>),
}

/// An order for the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalOrder {
    /// Put text on the clipboard.
    Copy(String),
    /// Ring the bell.
    Bell,
    /// Give the terminal back until the shell continues the program.
    Suspend,
}

impl From<NetworkOrder> for Effect {
    fn from(order: NetworkOrder) -> Self {
        Self::Network(order)
    }
}

impl From<FileJob> for Effect {
    fn from(job: FileJob) -> Self {
        Self::File(job)
    }
}

impl From<ComputeJob> for Effect {
    fn from(job: ComputeJob) -> Self {
        Self::Compute(job)
    }
}

impl From<TerminalOrder> for Effect {
    fn from(order: TerminalOrder) -> Self {
        Self::Terminal(order)
    }
}
