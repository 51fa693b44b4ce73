//! The keys of series that have left the index.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::size_of;
use std::ops::Range;

use shared::KeyBuf;

use super::commit::CommitId;
use crate::store::local::series::series_index::SeriesId;

/// What a key takes beside its text: its places in both trees, whose nodes are at least half full,
/// and the counts of an [`Arc`](std::sync::Arc) and what the allocator adds.
const OVERHEAD: usize = 2
    * (size_of::<(SeriesId, (CommitId, KeyBuf))>() + size_of::<(CommitId, SeriesId)>())
    + 4 * size_of::<usize>();

/// Keys of series that the index has no more, as long as a commit in the ring may name them.
#[derive(Debug, Default)]
pub struct RetiredKeys {
    /// With the last commit that may name the series.
    keys: BTreeMap<SeriesId, (CommitId, KeyBuf)>,
    /// The series by that commit.
    order: BTreeSet<(CommitId, SeriesId)>,
    bytes: usize,
}

impl RetiredKeys {
    /// Adds the key of a series, which was not retired before; `commit` is the last one that may
    /// name the series.
    pub fn insert(&mut self, commit: CommitId, series: SeriesId, key: KeyBuf) {
        self.bytes += bytes(&key);
        self.order.insert((commit, series));
        self.keys.insert(series, (commit, key));
    }

    /// The key of a series.
    pub fn get(&self, series: SeriesId) -> Option<&KeyBuf> {
        self.keys.get(&series).map(|(_, key)| key)
    }

    /// The series of a range that a commit after `commit` may name, by rising id, and their keys.
    pub fn range(
        &self,
        series: Range<SeriesId>,
        commit: CommitId,
    ) -> impl Iterator<Item = (SeriesId, &KeyBuf)> {
        let has_any = self.order.last().is_some_and(|&(last, _)| last > commit);
        let range = has_any.then(|| self.keys.range(series)).into_iter().flatten();
        let newer = range.filter(move |(_, (last, _))| *last > commit);
        newer.map(|(&series, (_, key))| (series, key))
    }

    /// Removes the series that only commits before `oldest` may name.
    pub fn remove_before(&mut self, oldest: CommitId) {
        while let Some(&(commit, series)) = self.order.first()
            && commit < oldest
        {
            self.order.pop_first();
            if let Some((_, key)) = self.keys.remove(&series) {
                self.bytes -= bytes(&key);
            }
        }
    }

    /// Bytes that the keys take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Bytes that a key takes.
pub fn bytes(key: &KeyBuf) -> usize {
    OVERHEAD + key.as_str().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(series: SeriesId) -> KeyBuf {
        format!("k{series}").parse().unwrap()
    }

    #[test]
    fn a_range_has_the_series_that_later_commits_may_name() {
        let mut retired = RetiredKeys::default();
        for (commit, series) in [(3, 8), (3, 2), (5, 4), (5, 9), (7, 3)] {
            retired.insert(commit, series, key(series));
        }
        let range = |retired: &RetiredKeys, series, commit| -> Vec<SeriesId> {
            let range = retired.range(series, commit);
            range.map(|(id, found)| (id, *found == key(id)).0).collect()
        };
        assert_eq!(range(&retired, 0..10, 0), [2, 3, 4, 8, 9]);
        assert_eq!(range(&retired, 3..9, 0), [3, 4, 8]);
        assert_eq!(range(&retired, 0..10, 3), [3, 4, 9]);
        assert_eq!(range(&retired, 0..10, 6), [3]);
        assert!(range(&retired, 0..10, 7).is_empty());
        retired.remove_before(5);
        assert_eq!(range(&retired, 0..10, 0), [3, 4, 9]);
        assert_eq!((retired.get(8), retired.get(9)), (None, Some(&key(9))));
        assert_eq!(retired.bytes(), 3 * bytes(&key(0)));
        retired.remove_before(8);
        assert_eq!((retired.get(9), retired.bytes()), (None, 0));
    }
}
