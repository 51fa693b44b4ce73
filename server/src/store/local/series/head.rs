//! The newest points of each series, in memory.

use std::collections::BTreeMap;

use shared::Point;

use super::loss::{Loss, Losses};
use super::merge::Source;
use super::paged::Paged;
use super::run::{MAX_RUN_POINTS, Run, last_until, sort_points};
use super::series_index::{EVERY_SERIES, SeriesId};
use super::series_point::SeriesPoint;
use super::time_ranges::{SharedRanges, TimeRanges};
use crate::store::query::Window;

/// Points for which a tail has room from the first one on. Allocations of less than 128 bytes are kept
/// apart when they are freed, and those of a million series put together at one later call, which took 30 ms
/// with glibc.
const FIRST_POINTS: usize = 8;

/// The newest points of a series: full runs, oldest first, and an unsorted tail in the order of
/// arrival. An append costs the same whatever the timestamp: the tail is sorted when it is full or
/// by its reader, and points of different runs are put in order by [`super::merge`].
#[derive(Debug, Default)]
pub struct Head {
    runs: Vec<Run>,
    tail: Vec<Point>,
    /// The tail is not by strictly rising timestamp.
    unsorted: bool,
    /// That with the greatest timestamp.
    newest: Option<Point>,
}

impl Head {
    /// Adds a point; it replaces an older one with the same timestamp.
    pub fn append(&mut self, point: Point) {
        if self.newest.is_none_or(|newest| newest.timestamp <= point.timestamp) {
            self.newest = Some(point);
        }
        if let Some(last) = self.tail.last_mut() {
            if last.timestamp == point.timestamp {
                *last = point;
                return;
            }
            self.unsorted |= last.timestamp > point.timestamp;
        } else if self.tail.capacity() == 0 {
            self.tail.reserve_exact(FIRST_POINTS);
        }
        self.tail.push(point);
        if self.tail.len() == MAX_RUN_POINTS {
            if std::mem::take(&mut self.unsorted) {
                sort_points(&mut self.tail);
            }
            self.runs.push(self.tail.as_slice().into());
            self.tail.clear();
        }
    }

    /// Removes the points from `from` to `to`.
    pub fn delete(&mut self, window: Window) {
        let is_kept = |point: &Point| !window.contains(point.timestamp);
        for run in &mut self.runs {
            if window.intersects(run.range()) {
                *run = run.iter().copied().filter(is_kept).collect();
            }
        }
        self.runs.retain(|run| !run.is_empty());
        self.tail.retain(is_kept);
        // In the order of the puts; of equal ones the last.
        let points = self.runs.iter().flat_map(|run| run.iter()).chain(&self.tail);
        self.newest = points.copied().max_by_key(|point| point.timestamp);
    }

    /// Whether it has no points.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// The point with the greatest timestamp.
    pub fn newest(&self) -> Option<Point> {
        self.newest
    }

    /// The point with the greatest timestamp that is not later than `to`.
    pub fn newest_until(&self, to: i64) -> NewestUntil {
        let Some(newest) = self.newest else { return NewestUntil::Known(None) };
        if newest.timestamp <= to {
            return NewestUntil::Known(Some(newest));
        }
        if self.unsorted {
            return NewestUntil::Unsorted;
        }
        let runs = self.runs.iter().map(|run| &run[..]).chain([&self.tail[..]]);
        // Of equal ones the last.
        let newest = runs.filter_map(|run| last_until(run, to)).max_by_key(|point| point.timestamp);
        NewestUntil::Known(newest)
    }

    /// The runs that have points in a window, oldest first. Of the tail only those points are
    /// copied.
    pub fn snapshot(&self, window: Window) -> HeadSnapshot {
        let runs = self.runs.iter().filter(|run| window.intersects(run.range()));
        let tail = if self.unsorted {
            let points = self.tail.iter().copied();
            points.filter(|point| window.contains(point.timestamp)).collect()
        } else {
            let start = self.tail.partition_point(|point| point.timestamp < window.from);
            let count = self.tail[start..].partition_point(|point| point.timestamp <= window.to);
            self.tail[start..start + count].to_vec()
        };
        let (runs, unsorted, lost) = (runs.cloned().collect(), self.unsorted, Vec::new());
        HeadSnapshot { runs, tail, unsorted, lost }
    }
}

/// What a head tells of its newest point until a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NewestUntil {
    /// It is this one, or there is none.
    Known(Option<Point>),
    /// The tail has to be sorted first, which takes too long to be waited for.
    Unsorted,
}

/// Points of a head, as they were at one moment.
#[derive(Debug, Default)]
pub struct HeadSnapshot {
    runs: Vec<Run>,
    tail: Vec<Point>,
    unsorted: bool,
    /// From when to when points are gone.
    lost: Vec<(i64, i64)>,
}

impl HeadSnapshot {
    /// From when to when points are gone that were to be in the head.
    pub fn lost(&self) -> impl Iterator<Item = (i64, i64)> + use<> {
        self.lost.clone().into_iter()
    }

    /// The runs, oldest first. Sorts the last one, which the head needs not wait for.
    pub fn into_runs(self) -> Vec<Run> {
        let Self { mut runs, mut tail, unsorted, .. } = self;
        if unsorted {
            sort_points(&mut tail);
        }
        if !tail.is_empty() {
            runs.push(tail.into());
        }
        runs
    }
}

/// The heads of all series, and what was taken back of older points.
#[derive(Debug, Default)]
pub struct Heads {
    by_series: Paged<Head>,
    /// They hide points in parts and in heads that were frozen before.
    deletes: BTreeMap<SeriesId, SharedRanges>,
    /// What is gone of the log that they were made of.
    losses: Losses,
}

impl Heads {
    /// Adds points, in the order of their puts.
    pub fn append(&mut self, points: impl IntoIterator<Item = SeriesPoint>) {
        for SeriesPoint { series, point } in points {
            self.by_series.get_or_default(series).append(point);
        }
    }

    /// Removes points of a series from its head. [`EVERY_SERIES`] stands for those that nothing knows, of
    /// which there are none in heads.
    pub fn delete(&mut self, series: SeriesId, window: Window) {
        if let Some(head) = self.by_series.get_mut(series) {
            head.delete(window);
            if head.is_empty() {
                self.by_series.remove(series);
            }
        }
        if !self.losses.is_empty() {
            let mut deleted = TimeRanges::default();
            deleted.insert(window.from, window.to);
            self.losses.subtract(series, &deleted);
        }
    }

    /// Notes that points are gone which were put after all that is here.
    pub fn lose(&mut self, loss: Loss) {
        self.losses.add(loss);
    }

    /// Gives up what is gone.
    pub fn forget_losses(&mut self) {
        self.losses = Losses::default();
    }

    /// What is gone of the log that they were made of.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Hides older points of a series.
    pub fn hide(&mut self, series: SeriesId, window: Window) {
        let deletes = self.deletes.entry(series).or_default();
        deletes.insert(window.from, window.to);
    }

    /// What is hidden of older points of a series.
    pub fn deletes(&self, series: SeriesId) -> SharedRanges {
        let mut deletes = self.deletes.get(&series).cloned().unwrap_or_default();
        if let Some(of_every_series) = self.deletes.get(&EVERY_SERIES) {
            deletes.extend(of_every_series);
        }
        deletes
    }

    /// Whether anything is hidden of older points of a series.
    pub fn has_deletes(&self, series: SeriesId) -> bool {
        self.deletes.contains_key(&series) || self.deletes.contains_key(&EVERY_SERIES)
    }

    /// Forgets what is hidden of older points of a series.
    pub fn forget_deletes(&mut self, series: SeriesId) {
        self.deletes.remove(&series);
    }

    /// What is hidden of older points, by series.
    pub fn all_deletes(&self) -> &BTreeMap<SeriesId, SharedRanges> {
        &self.deletes
    }

    /// The head of a series that has points.
    pub fn get(&self, series: SeriesId) -> Option<&Head> {
        self.by_series.get(series)
    }

    /// The series with points, by rising id.
    pub fn series(&self) -> impl Iterator<Item = SeriesId> {
        self.by_series.iter_from(0).map(|(series, _)| series)
    }

    /// The runs of a series that have points in a window, oldest first.
    pub fn snapshot(&self, series: SeriesId, window: Window) -> HeadSnapshot {
        let mut snapshot: HeadSnapshot =
            self.by_series.get(series).map(|head| head.snapshot(window)).unwrap_or_default();
        if !self.losses.is_empty() {
            snapshot.lost = self.losses.times(series, window).collect();
        }
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::store::local::series::merge::Merge;

    proptest! {
        #[test]
        fn a_head_is_a_sorted_map(
            timestamps in prop::collection::vec(prop_oneof![-50..50i64, any::<i64>()], 0..300),
            rounds in 1..40usize,
            deletes in prop::collection::vec(prop::option::weighted(0.2, (-60..60i64, 0..30i64)), 40),
            (from, length) in (-60..60i64, 0..100i64),
        ) {
            let mut head = Head::default();
            let mut model = BTreeMap::new();
            let mut value = 0.0;
            for (round, delete) in deletes.iter().enumerate().take(rounds) {
                for &timestamp in &timestamps {
                    value += 1.0;
                    let timestamp = timestamp.wrapping_add(i64::try_from(round).unwrap());
                    head.append(Point { timestamp, value });
                    model.insert(timestamp, value);
                }
                if let &Some((from, length)) = delete {
                    head.delete(Window { from, to: from + length });
                    model.retain(|timestamp, _| !(from..=from + length).contains(timestamp));
                }
                let newest = head.newest().map(|point| (point.timestamp, point.value));
                prop_assert_eq!(newest, model.last_key_value().map(|(at, value)| (*at, *value)));
            }
            let until = model.range(..=from).next_back().map(|(at, value)| (*at, *value));
            match head.newest_until(from) {
                NewestUntil::Known(newest) => {
                    prop_assert_eq!(newest.map(|point| (point.timestamp, point.value)), until);
                }
                NewestUntil::Unsorted => prop_assert!(head.unsorted),
            }
            for window in [Window::ALL, Window { from, to: from + length }] {
                let mut merge = Merge::within(window, head.snapshot(window).into_runs());
                let mut read = Vec::new();
                while let Some(block) = merge.next_block().unwrap() {
                    read.extend(block.into_iter().map(|point| (point.timestamp, point.value)));
                }
                let expected = model.range(window.from..=window.to);
                prop_assert_eq!(read, expected.map(|(at, value)| (*at, *value)).collect::<Vec<_>>());
            }
        }
    }
}
