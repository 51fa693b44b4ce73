//! The newest commits.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use super::commit::{Commit, CommitId};

/// What a commit takes beside itself: its place in the ring and the counts of an [`Arc`].
const OVERHEAD: usize = size_of::<Arc<Commit>>() + 2 * size_of::<usize>();

/// The newest commits, without gaps, bounded by the bytes that they take.
#[derive(Debug)]
pub struct Ring {
    commits: VecDeque<Arc<Commit>>,
    oldest: CommitId,
    bytes: usize,
    limit: usize,
}

impl Ring {
    /// An empty ring of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { commits: VecDeque::new(), oldest: 0, bytes: 0, limit }
    }

    /// Bytes that the commits may take.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Empties the ring, which goes on with the commit `next`. Answers the commits that were in it.
    pub fn restart(&mut self, next: CommitId) -> VecDeque<Arc<Commit>> {
        self.oldest = next;
        self.bytes = 0;
        std::mem::take(&mut self.commits)
    }

    /// Adds the next commit. Answers the commits for which there is no more room, perhaps all. One that
    /// is not complete leaves room for none.
    pub fn push(&mut self, commit: Commit) -> Vec<Arc<Commit>> {
        let limit = if commit.is_complete() { self.limit } else { 0 };
        self.bytes += commit.bytes() + OVERHEAD;
        self.commits.push_back(Arc::new(commit));
        let mut removed = Vec::new();
        while self.bytes > limit
            && let Some(oldest) = self.commits.pop_front()
        {
            self.bytes -= oldest.bytes() + OVERHEAD;
            self.oldest += 1;
            removed.push(oldest);
        }
        removed
    }

    /// A commit that is in the ring.
    pub fn get(&self, commit: CommitId) -> Option<&Arc<Commit>> {
        self.commits.get(usize::try_from(commit.checked_sub(self.oldest)?).ok()?)
    }

    /// Bytes that the commits take.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.bytes
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
        assert_eq!(ring.restart(20).len(), 1);
        assert_eq!((ring.oldest(), ring.next(), ring.bytes), (20, 20, 0));
    }
}
