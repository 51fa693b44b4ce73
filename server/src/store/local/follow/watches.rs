//! Which followers a commit concerns: those of few series are found by the series in it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use foldhash::fast::RandomState;

use super::commit::Op;
use super::hits::Hits;
use super::series_set::SeriesSet;
use crate::store::local::series::series_index::SeriesId;

/// The name of a follower; never used again.
pub type FollowerId = u64;

/// The watched series and their followers.
#[derive(Debug, Default)]
pub struct Watches {
    /// The keys of `followers`: nearly all points are of none of them, and a bit is looked up faster.
    watched: SeriesSet,
    followers: HashMap<SeriesId, Vec<FollowerId>, RandomState>,
}

impl Watches {
    /// Lets a follower watch a series.
    pub fn add(&mut self, series: SeriesId, follower: FollowerId) {
        self.watched.insert(series);
        self.followers.entry(series).or_default().push(follower);
    }

    /// Ends a follower's watch of a series.
    pub fn remove(&mut self, series: SeriesId, follower: FollowerId) {
        if let Some(followers) = self.followers.get_mut(&series) {
            followers.retain(|&other| other != follower);
            if followers.is_empty() {
                self.followers.remove(&series);
                self.watched.remove(series);
            }
        }
    }

    /// The followers of a series.
    pub fn followers(&self, series: SeriesId) -> &[FollowerId] {
        self.followers.get(&series).map_or(&[], Vec::as_slice)
    }

    /// Looks for the watched series among what is being committed.
    pub fn search(&self, ops: &[Op]) -> Hits {
        let mut hits = Hits::default();
        let mut place = 0;
        for op in ops {
            let _ = op.for_each(0, |_, series, _| {
                hits.extend_to(series);
                if self.watched.contains(series) {
                    hits.push(series, place);
                }
                place += 1;
                ControlFlow::Continue(())
            });
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use shared::Point;

    use super::*;
    use crate::store::local::series::series_point::SeriesPoint;

    proptest! {
        #[test]
        fn a_search_finds_what_a_scan_finds(
            watches in prop::collection::btree_set((0..12_u32, 0..5_u64), 0..30),
            removed in prop::collection::vec(any::<bool>(), 30),
            commit in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(0..12_u32, 0..20)),
                0..4,
            ),
        ) {
            let mut tested = Watches::default();
            for &(series, follower) in &watches {
                tested.add(series, follower);
            }
            let mut model = BTreeMap::<u32, BTreeSet<u64>>::new();
            for (&(series, follower), is_removed) in watches.iter().zip(removed) {
                if is_removed {
                    tested.remove(series, follower);
                } else {
                    model.entry(series).or_default().insert(follower);
                }
            }
            for series in 0..13 {
                let found: BTreeSet<_> = tested.followers(series).iter().copied().collect();
                prop_assert_eq!(found, model.get(&series).cloned().unwrap_or_default());
            }
            let all: Vec<u32> = commit.iter().flat_map(|(_, op)| op.clone()).collect();
            let point = Point { timestamp: 0, value: 0.0 };
            let ops = commit.into_iter().map(|(is_put, op)| if is_put {
                let point = |series| SeriesPoint { series, point };
                Op::Points(op.into_iter().map(point).collect())
            } else {
                Op::Deleted(op.into_iter().map(|series| (series, 0)).collect())
            });
            let hits = tested.search(&ops.collect::<Vec<_>>());
            prop_assert_eq!(hits.series_end(), all.iter().max().map_or(0, |max| max + 1));
            let expected = all.iter().copied().zip(0..);
            let expected: Vec<_> = expected.filter(|(id, _)| model.contains_key(id)).collect();
            prop_assert_eq!(hits.iter().collect::<Vec<_>>(), expected.clone());
            let hits = hits.by_series();
            for series in 0..13 {
                let found: Vec<usize> = hits.places(series).collect();
                let of_series = expected.iter().filter(|&&(id, _)| id == series);
                prop_assert_eq!(hits.contain(series), !found.is_empty());
                prop_assert_eq!(found, of_series.map(|&(_, at)| at as usize).collect::<Vec<_>>());
            }
            let series: BTreeSet<_> = expected.iter().map(|&(id, _)| id).collect();
            prop_assert_eq!(hits.series().collect::<Vec<_>>(), Vec::from_iter(series));
        }
    }
}
