//! What one part of the application asks of the others.

use shared::Glob;

use crate::app::line_input::InputPurpose;
use crate::keymap::Mode;
use crate::metrics::alerts::Alert;
use crate::metrics::filter::Filter;
use crate::request::pending::Query;
use crate::wire_log::bookmark::Bookmark;

/// A request of one part to the others; the application carries it out after the event.
#[derive(Debug)]
pub enum Message {
    /// Move the focus to a pane or the command line.
    Focus(Mode),
    /// Move the focus by this many panes.
    Cycle(isize),
    /// Open a line input that begins with a text.
    Ask(InputPurpose, String),
    /// Send the command line.
    Submit,
    /// Send the pasted lines that wait for a confirmation.
    SendPaste,
    /// Poll the table now.
    Refresh,
    /// Show only the rows of the table that pass a filter, or all.
    FilterTable(Option<Filter>),
    /// Send a query for a part of the screen; the answer comes back to it.
    Query(Query),
    /// Add an alert.
    Alert(Alert),
    /// Watch a key or a glob.
    Watch(Glob),
    /// Search the log for the text typed so far.
    SearchLog(String),
    /// Filter the log by the text typed so far.
    FilterLog(String),
    /// Finish the search of the log with the text as it is.
    EndLogSearch,
    /// Restore search, filter and position of the log.
    RestoreLog(Bookmark),
    /// Go to a time, as it was typed, with table, chart and log.
    GoToTime(String),
    /// Put a mark of this name at a Unix time.
    Mark(String, i64),
    /// Compare the table with how things stood at a mark or a time; without a text, no longer.
    CompareWith(String),
    /// Save the log to a file.
    SaveLog(String),
    /// Save the session to a file.
    SaveSession(String),
    /// Save the view to a file.
    SaveView(String),
}
