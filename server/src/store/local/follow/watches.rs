//! Which followers a commit concerns: those of few series are found by the series in it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use foldhash::fast::RandomState;

use super::commit::Op;
use super::hits::{Hits, NONE};
use super::series_set::SeriesSet;
use crate::store::local::series::series_index::SeriesId;

/// The name of a follower; never used again.
pub type FollowerId = u64;

/// The watched series and their followers.
#[derive(Debug, Default)]
pub struct Watches {
    /// The keys of `series`: nearly all points are of none of them, and a bit is looked up faster.
    watched: SeriesSet,
    series: HashMap<SeriesId, Watched, RandomState>,
}

#[derive(Debug)]
struct Watched {
    followers: Vec<FollowerId>,
    /// The newest hit in the commit that is being searched.
    newest: u32,
}

impl Watches {
    /// Lets a follower watch a series.
    pub fn add(&mut self, series: SeriesId, follower: FollowerId) {
        self.watched.insert(series);
        let new = || Watched { followers: Vec::new(), newest: NONE };
        self.series.entry(series).or_insert_with(new).followers.push(follower);
    }

    /// Ends a follower's watch of a series.
    pub fn remove(&mut self, series: SeriesId, follower: FollowerId) {
        if let Some(watched) = self.series.get_mut(&series) {
            watched.followers.retain(|&other| other != follower);
            if watched.followers.is_empty() {
                self.series.remove(&series);
                self.watched.remove(series);
            }
        }
    }

    /// Looks for the watched series among what is being committed. Answers where they are, and
    /// whose they are.
    pub fn search(&mut self, ops: &[Op]) -> (Hits, Vec<FollowerId>) {
        let mut hits = Hits::default();
        let mut place = 0;
        for op in ops {
            let _ = op.for_each(0, |_, series, _| {
                hits.extend_to(series);
                if self.watched.contains(series)
                    && let Some(watched) = self.series.get_mut(&series)
                {
                    watched.newest = hits.push(series, place, watched.newest);
                }
                place += 1;
                ControlFlow::Continue(())
            });
        }
        let mut followers = Vec::new();
        hits.finish(|series| match self.series.get_mut(&series) {
            Some(watched) => {
                followers.extend_from_slice(&watched.followers);
                std::mem::replace(&mut watched.newest, NONE)
            }
            None => NONE,
        });
        (hits, followers)
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
            commits in prop::collection::vec(
                prop::collection::vec((any::<bool>(), prop::collection::vec(0..12_u32, 0..20)), 0..4),
                1..3,
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
            for commit in commits {
                let all: Vec<u32> = commit.iter().flat_map(|(_, op)| op.clone()).collect();
                let point = Point { timestamp: 0, value: 0.0 };
                let ops = commit.into_iter().map(|(is_put, op)| if is_put {
                    let point = |series| SeriesPoint { series, point };
                    Op::Points(op.into_iter().map(point).collect())
                } else {
                    Op::Deleted(op.into_iter().map(|series| (series, 0)).collect())
                });
                let (hits, followers) = tested.search(&ops.collect::<Vec<_>>());
                prop_assert_eq!(hits.series_end(), all.iter().max().map_or(0, |max| max + 1));
                let mut expected = BTreeSet::new();
                for series in 0..13 {
                    let mut places = Vec::new();
                    hits.places(series, &mut places);
                    places.reverse();
                    let watchers = model.get(&series);
                    let found: Vec<usize> = match watchers {
                        Some(_) => (0..all.len()).filter(|&at| all[at] == series).collect(),
                        None => Vec::new(),
                    };
                    prop_assert_eq!(hits.contains(series), !found.is_empty());
                    if !found.is_empty() {
                        expected.extend(watchers.into_iter().flatten().copied());
                    }
                    prop_assert_eq!(places, found);
                }
                prop_assert_eq!(followers.into_iter().collect::<BTreeSet<_>>(), expected);
            }
        }
    }
}
