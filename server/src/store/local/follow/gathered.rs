//! The points of watched series in some commits, by series. While followers are not woken, many
//! commits have a point or two for each of them; one that is woken then finds its points together.

use std::collections::HashMap;
use std::mem::size_of;

use foldhash::fast::RandomState;
use shared::Point;

use super::commit::{CommitId, Op};
use super::hits::Hits;
use crate::store::local::series::series_index::SeriesId;

/// What a series takes beside its points: its place in the table, which is at least half full.
const OF_SERIES: usize = 2 * (size_of::<(SeriesId, Vec<Gain>)>() + 1);

/// The points of the watched series in commits one after the other.
#[derive(Debug)]
pub struct Gathered {
    first: CommitId,
    commits: u32,
    series: HashMap<SeriesId, Vec<Gain>, RandomState>,
    bytes: usize,
}

/// A point that a commit brought.
#[derive(Debug, Clone, Copy)]
struct Gain {
    /// Counted from the first commit.
    commit: u32,
    /// In the commit.
    place: u32,
    point: Point,
}

impl Gathered {
    /// Of no commits yet; `first` is to be the first.
    pub fn new(first: CommitId) -> Self {
        Self { first, commits: 0, series: HashMap::default(), bytes: size_of::<Self>() }
    }

    /// The first commit.
    pub fn first(&self) -> CommitId {
        self.first
    }

    /// The commit that comes next.
    pub fn next(&self) -> CommitId {
        self.first + u64::from(self.commits)
    }

    /// Adds the next commit, which has points only: those where the `hits` are. Calls `each_new` with
    /// the series of which they are the first. Answers how many bytes more it takes.
    pub fn append(&mut self, ops: &[Op], hits: &Hits, mut each_new: impl FnMut(SeriesId)) -> usize {
        let before = self.bytes;
        let mut parts = ops.iter();
        let (mut points, mut start) = ([].as_slice(), 0);
        for (series, place) in hits.iter() {
            let at = place as usize;
            while at - start >= points.len()
                && let Some(Op::Points(next)) = parts.next()
            {
                start += points.len();
                points = next;
            }
            let Some(point) = points.get(at - start) else { break };
            let gains = self.series.entry(series).or_insert_with(|| {
                each_new(series);
                self.bytes += OF_SERIES;
                Vec::new()
            });
            let capacity = gains.capacity();
            gains.push(Gain { commit: self.commits, place, point: point.point });
            self.bytes += (gains.capacity() - capacity) * size_of::<Gain>();
        }
        self.commits += 1;
        self.bytes - before
    }

    /// Whether there are points of a series.
    pub fn contains(&self, series: SeriesId) -> bool {
        self.series.contains_key(&series)
    }

    /// The points of some series, in the order of their puts, and the commits that brought them.
    pub fn points(
        &self,
        series: impl Iterator<Item = SeriesId>,
    ) -> impl Iterator<Item = (CommitId, SeriesId, Point)> {
        let of_series = series.filter_map(|id| Some((id, self.series.get(&id)?.as_slice())));
        let mut found: Vec<(SeriesId, &[Gain])> = of_series.collect();
        std::iter::from_fn(move || {
            let next = match &mut found[..] {
                [only] => only,
                all => all.iter_mut().min_by_key(|(_, gains)| {
                    gains.first().map_or((u32::MAX, u32::MAX), |gain| (gain.commit, gain.place))
                })?,
            };
            let (gain, rest) = next.1.split_first()?;
            next.1 = rest;
            Some((self.first + u64::from(gain.commit), next.0, gain.point))
        })
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::store::local::series::series_point::SeriesPoint;

    proptest! {
        #[test]
        fn it_has_the_points_of_a_scan_in_order(
            commits in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(0..8_u32, 0..6), 0..4),
                0..6,
            ),
            watched in prop::collection::btree_set(0..8_u32, 0..8),
            wanted in prop::collection::btree_set(0..8_u32, 0..8),
        ) {
            let mut tested = Gathered::new(7);
            let (mut model, mut new) = (Vec::new(), Vec::new());
            for (number, commit) in (7..).zip(&commits) {
                let (mut hits, mut place) = (Hits::default(), 0);
                let ops = commit.iter().map(|op| Op::Points(op.iter().map(|&series| {
                    let point = Point { timestamp: i64::from(place), value: 0.0 };
                    if watched.contains(&series) {
                        hits.push(series, place);
                    }
                    model.push((number, series, point));
                    place += 1;
                    SeriesPoint { series, point }
                }).collect()));
                let ops: Vec<_> = ops.collect();
                let before = tested.bytes();
                prop_assert_eq!(tested.next(), number);
                let more = tested.append(&ops, &hits, |series| new.push(series));
                prop_assert_eq!(tested.bytes(), before + more);
            }
            model.retain(|(_, series, _)| watched.contains(series));
            let all: BTreeSet<_> = model.iter().map(|&(_, series, _)| series).collect();
            prop_assert_eq!(new.len(), all.len());
            prop_assert_eq!(new.into_iter().collect::<BTreeSet<_>>(), all.clone());
            prop_assert!((0..9).all(|id| tested.contains(id) == all.contains(&id)));
            model.retain(|(_, series, _)| wanted.contains(series));
            prop_assert_eq!(tested.points(wanted.iter().copied()).collect::<Vec<_>>(), model);
        }
    }
}
