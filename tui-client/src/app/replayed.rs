//! The saved session that is shown: when it was saved, and what it knows.

use crate::session::Session;
use crate::session::coverage::Coverage;

/// A saved session that is shown.
#[derive(Debug)]
pub struct Replayed {
    /// Unix seconds at which it was saved.
    saved_at: i64,
    /// What is known of its keys, and how many have the newest points only.
    coverage: Option<(Coverage, u64)>,
}

impl Replayed {
    /// What is to be known of a session.
    pub fn of(session: &Session) -> Self {
        let partial = session.recording.partial() as u64;
        let coverage = session.recording.coverage().map(|it| (it.clone(), partial));
        Self { saved_at: session.view.saved_at, coverage }
    }

    /// The Unix second at which it was saved.
    pub fn saved_at(&self) -> i64 {
        self.saved_at
    }

    /// The Unix second at which it begins, if it says nothing of this one.
    pub fn begins_after(&self, at: i64) -> Option<i64> {
        let (coverage, _) = self.coverage.as_ref()?;
        coverage.begins_after(at).then_some(coverage.from)
    }

    /// Only the newest points of a key are known at a Unix second.
    pub fn lacks_numbers(&self, key: &str, at: i64) -> bool {
        self.partial(at) > 0 && self.coverage.as_ref().is_some_and(|(it, _)| !it.is_whole(key))
    }

    /// The number of keys of which only the newest points are known at a Unix second.
    pub fn partial(&self, at: i64) -> u64 {
        let partial = self
            .coverage
            .as_ref()
            .filter(|(coverage, _)| !(coverage.from <= at && at <= coverage.until));
        partial.map_or(0, |&(_, partial)| partial)
    }
}
