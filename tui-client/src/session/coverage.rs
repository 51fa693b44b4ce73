//! What a recording knows of its keys, where it does not have all of their points.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The times of which a recording knows the points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The Unix second from which on points are there.
    pub from: i64,
    /// The last Unix second up to which all keys have all points; behind it only the whole ones have.
    pub until: i64,
    /// Unix seconds at which the newest two points of each key are there.
    pub known: BTreeSet<i64>,
    /// The keys that have all points from the first second on.
    pub whole: HashSet<String>,
    /// The keys of which nothing is known before a Unix second of their own, and all from then on.
    pub since: BTreeMap<String, i64>,
}

impl Coverage {
    /// All points of all keys from a Unix second on.
    pub fn all_from(from: i64) -> Self {
        Self {
            from,
            until: i64::MAX,
            known: BTreeSet::new(),
            whole: HashSet::new(),
            since: BTreeMap::new(),
        }
    }

    /// The key has all points from the first second on.
    pub fn is_whole(&self, key: &str) -> bool {
        self.until == i64::MAX || self.whole.contains(key)
    }

    /// How many of the newest points of a key are known at a Unix second.
    pub fn known_at(&self, key: &str, at: i64) -> usize {
        if let Some(&since) = self.since.get(key) {
            if since <= at { usize::MAX } else { 0 }
        } else if self.from <= at && (at <= self.until || self.is_whole(key)) {
            usize::MAX
        } else if self.known.contains(&at) {
            2
        } else if self.is_whole(key) {
            // The point before the first second is there.
            usize::MAX
        } else {
            0
        }
    }

    /// Sums and extremes of a range are those of all its points from the first second on.
    pub fn has_all_of(&self, key: &str, from: Option<i64>, to: i64) -> bool {
        if let Some(&since) = self.since.get(key) {
            return from.is_some_and(|from| since <= from);
        }
        self.is_whole(key) || from.is_some() && self.from < to && to <= self.until
    }

    /// How things stood at a Unix second is not known of any key.
    pub fn begins_after(&self, at: i64) -> bool {
        at < self.from.saturating_sub(1) && !self.known.contains(&at)
    }
}
