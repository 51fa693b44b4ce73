//! A place in the log to come back to.

use crate::wire_log::pattern::LogPattern;

/// What is looked at and how, to come back to.
#[derive(Debug, Clone)]
pub struct Bookmark {
    pub(crate) cursor: Option<u64>,
    pub(crate) bottom: Option<u64>,
    pub(crate) filter: Option<LogPattern>,
    pub(crate) search: Option<LogPattern>,
}
