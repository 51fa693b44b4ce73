//! The points of watched series in some commits. While followers are not woken, many commits have a
//! point or two for each of them; one that is woken then finds its points together.

use std::collections::HashMap;
use std::mem::{size_of, take};
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use foldhash::fast::RandomState;
use shared::Point;

use super::commit::{CommitId, Op};
use super::hits::Hits;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::series_point::SeriesPoint;

/// Points in a block, which is not moved any more when it is full.
const BLOCK: usize = 4096;

/// What a series takes beside its points: its places in two tables, which are at least half full.
const OF_SERIES: usize =
    2 * (size_of::<(SeriesId, u32)>() + size_of::<(SeriesId, Range<usize>)>() + 2);

/// The points of the watched series in commits one after the other. They are added as they come and
/// grouped by series when the first follower asks for them: adding is the committer's work.
#[derive(Debug)]
pub struct Gathered {
    first: CommitId,
    /// How many points there are up to the end of each commit.
    ends: Vec<u32>,
    /// How many points each series has.
    series: HashMap<SeriesId, u32, RandomState>,
    /// In the order of their puts, until they are grouped.
    blocks: Mutex<Vec<Vec<SeriesPoint>>>,
    grouped: OnceLock<Grouped>,
    bytes: usize,
}

/// Points by series.
#[derive(Debug, Default)]
struct Grouped {
    series: HashMap<SeriesId, Range<usize>, RandomState>,
    points: Vec<Point>,
    /// The place of each point among the puts.
    places: Vec<u32>,
}

impl Gathered {
    /// Of no commits yet; `first` is to be the first.
    pub fn new(first: CommitId) -> Self {
        Self {
            first,
            ends: Vec::new(),
            series: HashMap::default(),
            blocks: Mutex::default(),
            grouped: OnceLock::new(),
            bytes: size_of::<Self>(),
        }
    }

    /// The first commit.
    pub fn first(&self) -> CommitId {
        self.first
    }

    /// The commit that comes next.
    pub fn next(&self) -> CommitId {
        self.first + self.ends.len() as u64
    }

    /// Adds the next commit, which has points only: those where the `hits` are. Calls `each_new` with
    /// the series of which they are the first. Answers how many bytes more it takes.
    pub fn append(&mut self, ops: &[Op], hits: &Hits, mut each_new: impl FnMut(SeriesId)) -> usize {
        let before = self.bytes;
        let blocks = self.blocks.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut count = self.ends.last().copied().unwrap_or(0);
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
            let Some(&point) = points.get(at - start) else { break };
            let of_series = self.series.entry(series).or_insert(0);
            if *of_series == 0 {
                each_new(series);
                self.bytes += OF_SERIES;
            }
            *of_series += 1;
            self.bytes += add(blocks, point);
            count += 1;
        }
        let capacity = self.ends.capacity();
        self.ends.push(count);
        self.bytes += (self.ends.capacity() - capacity) * size_of::<u32>();
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
        let grouped = self.grouped.get_or_init(|| {
            let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            Grouped::new(&self.series, take(&mut *blocks))
        });
        let of_series = series.filter_map(|id| Some((id, grouped.series.get(&id)?.clone())));
        let mut found: Vec<(SeriesId, Range<usize>)> = of_series.collect();
        let mut commit = 0;
        std::iter::from_fn(move || {
            let (id, rest) = match &mut found[..] {
                [only] => only,
                all => all
                    .iter_mut()
                    .filter(|(_, rest)| !rest.is_empty())
                    .min_by_key(|(_, rest)| grouped.places[rest.start])?,
            };
            let at = rest.next()?;
            while self.ends.get(commit).is_some_and(|&end| end <= grouped.places[at]) {
                commit += 1;
            }
            Some((self.first + commit as u64, *id, grouped.points[at]))
        })
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Adds a point. Answers how many bytes more there are.
fn add(blocks: &mut Vec<Vec<SeriesPoint>>, point: SeriesPoint) -> usize {
    if let Some(last) = blocks.last_mut().filter(|last| last.len() < BLOCK) {
        let capacity = last.capacity();
        last.push(point);
        return (last.capacity() - capacity) * size_of::<SeriesPoint>();
    }
    // Most commits have few points, and few commits together have many.
    let mut next = Vec::with_capacity(if blocks.is_empty() { 1 } else { BLOCK });
    next.push(point);
    let capacity = next.capacity();
    blocks.push(next);
    size_of::<Vec<SeriesPoint>>() + capacity * size_of::<SeriesPoint>()
}

impl Grouped {
    /// Groups points, of which each series has as many as `counts` says.
    fn new(counts: &HashMap<SeriesId, u32, RandomState>, blocks: Vec<Vec<SeriesPoint>>) -> Self {
        let mut end = 0;
        let mut series: HashMap<_, _, _> = counts
            .iter()
            .map(|(&id, &count)| {
                let start = end;
                end += count as usize;
                (id, start..start)
            })
            .collect();
        let mut points = vec![Point { timestamp: 0, value: 0.0 }; end];
        let mut places = vec![0; end];
        for (place, one) in (0..).zip(blocks.into_iter().flatten()) {
            let Some(filled) = series.get_mut(&one.series) else { continue };
            points[filled.end] = one.point;
            places[filled.end] = place;
            filled.end += 1;
        }
        Self { series, points, places }
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
