//! A session to be taken along: the view of a screen, the points in it and its wire log, as one file
//! that opens anywhere without a server. Knows no screen.

mod parse;
mod recording;
mod write;

#[cfg(test)]
mod tests;

use shared::Glob;

use crate::metrics::alerts::Alert;
use crate::metrics::sort::{Sort, TableSpec};
use crate::metrics::window::ChartWindow;
use crate::sources::SourceLabel;
use crate::wire_log::store::Snapshot;
pub use parse::{MAX_FILE, SessionError, parse};
pub use recording::Recording;
pub use write::write;

/// What a file begins with, before the number of its version.
const MAGIC: &str = "tui-client session ";

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
}

/// What was shown, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// The address of the server, `host:port`.
    pub address: String,
    /// The sources of the view, where it was of several servers.
    pub sources: Vec<SourceLabel>,
    /// Unix seconds at which the session was saved: the time of its clock.
    pub saved_at: i64,
    /// The watched keys and globs.
    pub watch: Vec<Glob>,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Filter, order, columns and window of the table.
    pub table: TableSpec,
    /// Every line of requests and replies was logged.
    pub raw_log: bool,
    /// The place in time, in Unix seconds; none while the screen was live.
    pub place: Option<i64>,
    /// What the table was compared with.
    pub compared: Option<Base>,
    /// Its order meanwhile, where that is not the one of `table`.
    pub compared_sort: Option<Sort>,
    /// The chart.
    pub chart: ChartView,
    /// The pane that had the keys last.
    pub pane: Focus,
    /// The pane or the command line that had them.
    pub focus: Focus,
    /// The selected key of the table, where the selection follows its key.
    pub selected_row: Option<String>,
}

/// How things stood at an earlier time, and what that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Unix seconds.
    pub at: i64,
    /// A mark, or the empty string for a date.
    pub mark: String,
}

/// What was seen of the watched keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartView {
    /// The window of time.
    pub window: ChartWindow,
    /// The value axis was logarithmic.
    pub log: bool,
    /// The cursor, in Unix seconds.
    pub cursor: Option<i64>,
    /// The selected key.
    pub selected: Option<String>,
    /// The keys that were in the chart besides.
    pub marked: Vec<String>,
}

/// What had the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Focus {
    #[default]
    Prompt,
    Table,
    Watch,
    Chart,
    Log,
}

impl Focus {
    const NAMES: [(&'static str, Self); 5] = [
        ("prompt", Self::Prompt),
        ("table", Self::Table),
        ("watch", Self::Watch),
        ("chart", Self::Chart),
        ("log", Self::Log),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, focus)| *focus == self).map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|&(_, focus)| focus)
    }
}
