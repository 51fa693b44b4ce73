//! A bookmark of the log.

use crate::wire_log::pattern::LogPattern;

/// Position, search and filter of the log, to be restored.
#[derive(Debug, Clone)]
pub struct Bookmark {
    pub(crate) cursor: Option<u64>,
    pub(crate) bottom: Option<u64>,
    pub(crate) filter: Option<LogPattern>,
    pub(crate) search: Option<LogPattern>,
}
