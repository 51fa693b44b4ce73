//! Where the history of each series ends and its news begin.

use super::commit::CommitId;
use super::series_set::SeriesSet;
use crate::store::local::series::series_index::SeriesId;
use crate::store::query::Window;

/// The commits of which the snapshots of a history are. They are taken by rising series, so that
/// only where the commit changes has to be kept.
#[derive(Debug)]
pub struct Snapshots {
    /// The first series of each commit; both rise.
    starts: Vec<(SeriesId, CommitId)>,
    taken: SeriesSet,
    end: SeriesId,
    /// The timestamps that the history is about.
    window: Window,
}

impl Snapshots {
    /// No snapshots yet; there will be one of each series below the id `end` that still exists, of
    /// its points in `window`.
    pub fn new(end: SeriesId, window: Window) -> Self {
        Self { starts: Vec::new(), taken: SeriesSet::default(), end, window }
    }

    /// Notes that the snapshot of a series, with a greater id than all before it, has the changes up
    /// to a commit.
    pub fn note(&mut self, series: SeriesId, commit: CommitId) {
        if self.starts.last().is_none_or(|&(_, before)| before != commit) {
            self.starts.push((series, commit));
        }
        self.taken.insert(series);
    }

    /// Whether the history has the change of a series at a timestamp: none outside its window. It
    /// has all in the window of a series that was gone when its turn came.
    pub fn contain(&self, series: SeriesId, commit: CommitId, timestamp: i64) -> bool {
        if !self.window.contains(timestamp) {
            return false;
        }
        if !self.taken.contains(series) {
            return series < self.end;
        }
        let starts = self.starts.partition_point(|&(first, _)| first <= series);
        starts.checked_sub(1).is_some_and(|at| commit <= self.starts[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_has_the_changes_up_to_its_commit() {
        let mut snapshots = Snapshots::new(11, Window { from: 0, to: 9 });
        for (series, commit) in [(2, 5), (3, 5), (4, 7), (9, 8)] {
            snapshots.note(series, commit);
        }
        for (series, newest) in [(2, 5), (3, 5), (4, 7), (9, 8)] {
            assert!(snapshots.contain(series, newest, 0), "{series}");
            assert!(!snapshots.contain(series, newest + 1, 9), "{series}");
        }
        for series in 0..20 {
            let was_gone = [0, 1, 5, 6, 7, 8, 10].contains(&series);
            assert_eq!(snapshots.contain(series, 100, 5), was_gone, "{series}");
            for outside in [-1, 10] {
                assert!(!snapshots.contain(series, 5, outside), "{series} {outside}");
            }
        }
    }
}
