//! The outputs of the application, as data: a variant for each part of the program that carries
//! them out. The runtime passes them on unchanged.

use std::sync::Arc;

use crate::metrics::patterns::Patterns;
use crate::metrics::reply::Capture;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::SortJob;
use crate::request::pending::Channel;
use crate::session::{LeftOut, Session};
use crate::wire_log::store::Snapshot;

/// An output of the application.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// An order for the network.
    Network(NetworkOrder),
    /// A job for the thread that reads and writes files.
    File(FileJob),
    /// A job for a background thread.
    Compute(ComputeJob),
    /// An order for the terminal.
    Terminal(TerminalOrder),
    /// Draw the screen as SVG and hand it over as a [`FileJob::SavePicture`] with this path.
    Picture(String),
    /// Draw in the built-in theme of this name from now on, or in that of the start.
    Theme(Option<&'static str>),
    /// Leave the program.
    Quit(Ending),
}

/// How the program was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By all that was to be pressed, or by a signal.
    Complete,
    /// By a letter of `quit`: what is left of the word, and its Enter, are not for the shell.
    FirstLetter,
}

/// An order for the network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum NetworkOrder {
    /// Try to connect once; the answer is `Connected` or `Disconnected`.
    Connect,
    /// Send a request; the answer is `Reply`, `NotSent` or `Disconnected`.
    Send(Outgoing),
    /// Send pasted text, one request a line, as a stream; progress with this id comes as `Import`.
    Import { id: u64, text: Arc<str> },
    /// Stop sending lines of the import.
    StopImport,
    /// End the follow whose reply is arriving.
    EndFollow,
    /// Follow a selector on a connection of its own, in place of the one that is followed; the
    /// answers are `Follow` with this id.
    Follow { id: u64, selector: String },
    /// End what is followed.
    Unfollow,
    /// End the connections for the data of the screen: of queries, which get no answer, and of the
    /// follow.
    EndFeed,
}

/// A request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The id that comes back with the reply.
    pub id: u64,
    /// The connection that it goes over.
    pub channel: Channel,
    /// It is sent only when every request before it is answered.
    pub alone: bool,
    /// The request line without its end.
    pub line: String,
    /// The part of the reply to keep.
    pub capture: Capture,
    /// The keys and globs of the watched series.
    pub watched: Patterns,
}

/// A job for the thread that reads and writes files.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum FileJob {
    /// Add a line to the history of all sessions.
    AppendHistory(String),
    /// Write the log to a new file at a path as typed; the answer is `Saved` or `NotSaved`.
    SaveLog { path: String, log: Snapshot },
    /// Write a picture to a new file at a path as typed; the answer is `PictureSaved` or
    /// `PictureNotSaved`.
    SavePicture { path: String, svg: String },
    /// Write the text of a view to a new file at a path as typed; the answer is `ViewSaved` or
    /// `ViewNotSaved`.
    SaveView {
        path: String,
        text: String,
        /// It goes in place of a file that is there; else one is asked about.
        replaces: bool,
    },
    /// Write a session to a new file at a path as typed; `left_out` comes back with the answer, which
    /// is `SessionSaved` or `SessionNotSaved`.
    SaveSession { path: String, session: Arc<Session>, left_out: LeftOut },
}

/// A job that takes too long for the event loop.
#[derive(Debug, Clone, PartialEq)]
pub enum ComputeJob {
    /// Sort and filter a large table; the answer is `Sorted`.
    Sort(SortJob),
    /// Drop a large answer.
    Free(Arc<Answer>),
}

/// An order for the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalOrder {
    /// Put text on the clipboard.
    Copy(String),
    /// Ring the bell.
    Bell,
    /// Restore the terminal and stop until the shell continues the program.
    Suspend,
}
