//! A session to be taken along: the view of a screen, the points in it and its wire log, as one file
//! that opens anywhere without a server; or the view alone, as a file that a hand can write. Knows no
//! screen.

pub mod coverage;
mod fields;
mod parse;
mod recording;
mod view;
pub mod view_file;
mod write;

#[cfg(test)]
mod tests;

use crate::wire_log::store::Snapshot;
pub use parse::{MAX_FILE, SessionError, parse};
pub use recording::Recording;
pub use view::{Base, ChartView, Comparison, Focus, LogRoom, Look, View};
pub use write::write;

/// What a file begins with, before the number of its version.
const MAGIC: &str = "tui-client session ";

/// The bytes begin as a session does, of whatever version.
pub fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// The version that is written, and the only one that is read. Sections and names that a reader does
/// not know are skipped, so that most changes need no other number.
const VERSION: &str = "1";

/// The last line of a file: one without it is cut.
const END: &str = "[end]";

/// Text of the log that is written, in bytes; the newest lines are.
const MAX_LOG: usize = 300_000;

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// What was shown, and how.
    pub view: View,
    /// The points.
    pub recording: Recording,
    /// The wire log.
    pub log: Snapshot,
}

/// A file of a session that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile {
    /// Its absolute path.
    pub path: String,
    /// The number of keys in it.
    pub keys: u64,
    /// The number of points in it.
    pub points: u64,
    /// The number of lines of the log in it.
    pub lines: u64,
    /// Its size.
    pub bytes: u64,
    /// What is not in it.
    pub left_out: LeftOut,
}

/// What a saved session does not have of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Keys without any point.
    pub keys: u64,
    /// Keys of which there are only the newest points.
    pub points_of: u64,
    /// Of those keys there are all points around the place in time instead.
    pub around_place: bool,
}
