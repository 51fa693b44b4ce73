//! A place in the log to come back to.

use crate::app::log::pattern::LogPattern;

/// What is looked at and how, to come back to.
#[derive(Debug, Clone)]
pub struct Bookmark {
    pub(super) cursor: Option<u64>,
    pub(super) bottom: Option<u64>,
    pub(super) filter: Option<LogPattern>,
    pub(super) search: Option<LogPattern>,
}
