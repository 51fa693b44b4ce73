//! The newest commits, and the keys that only they need.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use shared::KeyBuf;

use super::commit::{Commit, CommitId};
use super::retired_keys::RetiredKeys;
use crate::store::local::series::series_index::SeriesId;

/// What a commit takes beside itself: its place in the ring and the counts of an [`Arc`].
const OVERHEAD: usize = size_of::<Arc<Commit>>() + 2 * size_of::<usize>();

/// The newest commits, without gaps, and the keys of series in them that the index has no more,
/// bounded by the bytes that all take.
#[derive(Debug)]
pub struct Ring {
    commits: VecDeque<Arc<Commit>>,
    oldest: CommitId,
    /// Bytes that the commits take.
    bytes: usize,
    retired: RetiredKeys,
    limit: usize,
}

impl Ring {
    /// An empty ring of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            commits: VecDeque::new(),
            oldest: 0,
            bytes: 0,
            retired: RetiredKeys::default(),
            limit,
        }
    }

    /// Bytes that the commits and keys may take.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Empties the ring, which goes on with the commit `next`. Answers what was in it.
    pub fn restart(&mut self, next: CommitId) -> Self {
        let empty = Self { oldest: next, ..Self::new(self.limit) };
        std::mem::replace(self, empty)
    }

    /// Adds the next commit. Answers the commits for which there is no more room, perhaps all. One that
    /// is not complete leaves room for none.
    pub fn push(&mut self, commit: Commit) -> Vec<Arc<Commit>> {
        let limit = if commit.is_complete() { self.limit } else { 0 };
        self.bytes += commit.bytes() + OVERHEAD;
        self.commits.push_back(Arc::new(commit));
        self.shrink(limit)
    }

    /// Keeps the key of a series as long as the ring has a commit that may name the series, of which
    /// `commit` is the last. Answers the commits for which there is no more room, perhaps all.
    pub fn retire(&mut self, commit: CommitId, series: SeriesId, key: &KeyBuf) -> Vec<Arc<Commit>> {
        if commit < self.oldest {
            return Vec::new();
        }
        self.retired.insert(commit, series, key.clone());
        self.shrink(self.limit)
    }

    /// The kept keys.
    pub fn retired(&self) -> &RetiredKeys {
        &self.retired
    }

    /// Removes the oldest commits, and the keys that only they need, until the rest takes at most
    /// `limit` bytes.
    fn shrink(&mut self, limit: usize) -> Vec<Arc<Commit>> {
        let mut removed = Vec::new();
        while self.bytes() > limit
            && let Some(oldest) = self.commits.pop_front()
        {
            self.bytes -= oldest.bytes() + OVERHEAD;
            self.oldest += 1;
            self.retired.remove_before(self.oldest);
            removed.push(oldest);
        }
        removed
    }

    /// A commit that is in the ring.
    pub fn get(&self, commit: CommitId) -> Option<&Arc<Commit>> {
        self.commits.get(usize::try_from(commit.checked_sub(self.oldest)?).ok()?)
    }

    /// Bytes that the commits and keys take.
    pub fn bytes(&self) -> usize {
        self.bytes + self.retired.bytes()
    }

    /// The oldest commit in the ring; that of [`Ring::next`] when it is empty.
    pub fn oldest(&self) -> CommitId {
        self.oldest
    }

    /// The commit that comes next.
    pub fn next(&self) -> CommitId {
        self.oldest + self.commits.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::follow::commit::Op;
    use crate::store::local::follow::retired_keys;

    fn commit(points: usize) -> Commit {
        Commit::new(vec![Op::Deleted(vec![(0, 0); points])], None)
    }

    #[test]
    fn it_keeps_the_newest_commits_that_fit() {
        let one = commit(100).bytes() + OVERHEAD;
        let mut ring = Ring::new(3 * one);
        ring.restart(7);
        assert_eq!((ring.oldest(), ring.next(), ring.get(7).is_some()), (7, 7, false));
        for _ in 0..5 {
            ring.push(commit(100));
        }
        assert_eq!((ring.oldest(), ring.next(), ring.bytes), (9, 12, 3 * one));
        assert!(ring.get(8).is_none() && ring.get(9).is_some() && ring.get(12).is_none());
        assert_eq!(ring.push(commit(1000)).len(), 4);
        assert_eq!((ring.oldest(), ring.next(), ring.bytes), (13, 13, 0));
        ring.push(commit(1));
        assert_eq!(ring.restart(20).commits.len(), 1);
        assert_eq!((ring.oldest(), ring.next(), ring.bytes), (20, 20, 0));
    }

    #[test]
    fn keys_take_the_room_of_commits_and_go_with_them() {
        let key: KeyBuf = "key".parse().unwrap();
        let (one, of_key) = (commit(100).bytes() + OVERHEAD, retired_keys::bytes(&key));
        let mut ring = Ring::new(3 * one);
        for _ in 0..2 {
            ring.push(commit(100));
        }
        // Two commits and so many keys fit.
        let keys = SeriesId::try_from(one / of_key).unwrap();
        for series in 0..keys {
            assert!(ring.retire(u64::from(series >= 2), series, &key).is_empty(), "{series}");
        }
        assert_eq!(ring.bytes(), 2 * one + keys as usize * of_key);
        assert_eq!(ring.retire(1, keys, &key).len(), 1);
        assert_eq!(
            (ring.oldest(), ring.retired().get(1), ring.retired().get(2)),
            (1, None, Some(&key))
        );
        assert_eq!(ring.bytes(), one + (keys as usize - 1) * of_key);
        // No commit in the ring names the series.
        ring.retire(0, 100, &key);
        assert_eq!(ring.retired().get(100), None);
        // More than there is room for.
        let removed: usize = (200..200 + 3 * keys).map(|id| ring.retire(1, id, &key).len()).sum();
        assert_eq!((removed, ring.bytes(), ring.oldest(), ring.next()), (1, 0, 2, 2));
    }
}
