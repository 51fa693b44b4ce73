//! The newest commits, or what followers watch in them, and the keys that only they need.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use shared::KeyBuf;

use super::commit::{Commit, CommitId, Op};
use super::gathered::Gathered;
use super::hits::Hits;
use super::retired_keys::RetiredKeys;
use crate::store::local::series::series_index::SeriesId;

/// What an entry takes beside itself: its place in the ring and the counts of an [`Arc`].
const OVERHEAD: usize = size_of::<(CommitId, Entry)>() + 2 * size_of::<usize>();

/// What the ring keeps of one or more commits.
#[derive(Debug, Clone)]
pub enum Entry {
    /// All of one commit.
    Whole(Arc<Commit>),
    /// The points of watched series in some commits.
    Gathered(Arc<Gathered>),
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Self::Whole(commit) => commit.bytes(),
            Self::Gathered(gathered) => gathered.bytes(),
        }
    }
}

/// The newest commits, without gaps, and the keys of series in them that the index has no more,
/// bounded by the bytes that all take.
#[derive(Debug)]
pub struct Ring {
    /// With the first commit of each.
    entries: VecDeque<(CommitId, Entry)>,
    oldest: CommitId,
    next: CommitId,
    /// The newest entry was handed to no follower yet.
    is_open: bool,
    /// Bytes that the entries take.
    bytes: usize,
    retired: RetiredKeys,
    limit: usize,
}

impl Ring {
    /// An empty ring of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            oldest: 0,
            next: 0,
            is_open: false,
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
        let empty = Self { oldest: next, next, ..Self::new(self.limit) };
        std::mem::replace(self, empty)
    }

    /// Adds the next commit. Answers the entries for which there is no more room, perhaps all. A
    /// commit that is not complete leaves room for none.
    pub fn push(&mut self, commit: Arc<Commit>) -> Vec<Entry> {
        let limit = if commit.is_complete() { self.limit } else { 0 };
        self.push_entry(Entry::Whole(commit));
        self.is_open = false;
        self.next += 1;
        self.shrink(limit)
    }

    /// Adds the next commit, which has points only, but of it no more than the `hits`. Calls
    /// `each_new` with series that the newest entry did not have. Answers the entries for which there
    /// is no more room, perhaps all.
    pub fn gather(
        &mut self,
        ops: &[Op],
        hits: &Hits,
        mut each_new: impl FnMut(SeriesId),
    ) -> Vec<Entry> {
        // Room is made by whole entries.
        let most = self.limit / 8;
        let open = match self.entries.back_mut() {
            Some((_, Entry::Gathered(newest))) if self.is_open => Arc::get_mut(newest),
            _ => None,
        };
        if let Some(newest) = open.filter(|newest| newest.bytes() < most) {
            self.bytes += newest.append(ops, hits, &mut each_new);
        } else {
            let mut newest = Gathered::new(self.next);
            newest.append(ops, hits, &mut each_new);
            self.push_entry(Entry::Gathered(Arc::new(newest)));
            self.is_open = true;
        }
        self.next += 1;
        self.shrink(self.limit)
    }

    fn push_entry(&mut self, entry: Entry) {
        self.bytes += entry.bytes() + OVERHEAD;
        self.entries.push_back((self.next, entry));
    }

    /// Has later commits begin a new entry.
    pub fn seal(&mut self) {
        self.is_open = false;
    }

    /// Keeps the key of a series as long as the ring has a commit that may name the series, of which
    /// `commit` is the last. Answers the entries for which there is no more room, perhaps all.
    pub fn retire(&mut self, commit: CommitId, series: SeriesId, key: &KeyBuf) -> Vec<Entry> {
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

    /// Removes the oldest entries, and the keys that only they need, until the rest takes at most
    /// `limit` bytes.
    fn shrink(&mut self, limit: usize) -> Vec<Entry> {
        let mut removed = Vec::new();
        while self.bytes() > limit
            && let Some((_, oldest)) = self.entries.pop_front()
        {
            self.bytes -= oldest.bytes() + OVERHEAD;
            self.oldest = self.entries.front().map_or(self.next, |&(first, _)| first);
            self.retired.remove_before(self.oldest);
            removed.push(oldest);
        }
        removed
    }

    /// The entry that a commit is in.
    pub fn get(&self, commit: CommitId) -> Option<&Entry> {
        let after = self.entries.partition_point(|&(first, _)| first <= commit);
        let (_, entry) = self.entries.get(after.checked_sub(1)?)?;
        (commit < self.next).then_some(entry)
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
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::follow::retired_keys;

    fn commit(points: usize) -> Arc<Commit> {
        Arc::new(Commit::new(vec![Op::Deleted(vec![(0, 0); points])], None))
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
        assert_eq!(ring.restart(20).entries.len(), 1);
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
