//! What is known of the points of one series: the points themselves where they were asked for, else
//! the least and the greatest value of each bucket, in levels of steps that double. So a picture of
//! any range costs as many numbers as it has columns, and no extreme is lost.
//!
//! Least and greatest values merge in any order: those of a bucket follow from the buckets of any
//! finer level within it, and a point that is told twice makes no difference.

pub mod coverage;
mod level;
mod line;
pub mod plan;
#[cfg(test)]
mod tests;
mod trim;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use shared::Point;

use coverage::{Coverage, Span};
use level::{Level, aligned, end_of, merge, start_of};
use plan::{Batch, Change, Part};

/// The most counts of ranges that are kept.
const MAX_COUNTS: usize = 16;

/// The longest step, as the power of two: the whole of time has two of them.
const MAX_STEP: u32 = 62;

/// What is kept, drawn and asked for at most.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Points and buckets that are kept: some 48 bytes each.
    kept: usize,
    /// Points of a range that are drawn one by one.
    exact: usize,
    /// Series of so many points are asked for as a whole.
    few: u64,
    /// Series of so many points get their overview before it is wanted, which takes the server
    /// about 4 ms for a million points.
    overview: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { kept: 16_384, exact: 8192, few: 4096, overview: 20_000_000 }
    }
}

/// A time with the values there: a point, or the least and the greatest value of the points in a
/// bucket, which begins at that time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The time of the point, or the start of the bucket.
    pub timestamp: i64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
}

impl From<Point> for Sample {
    fn from(Point { timestamp, value }: Point) -> Self {
        Self { timestamp, min: value, max: value }
    }
}

/// A range of times, and the dots in which it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The first time.
    pub from: i64,
    /// The last time, not before the first.
    pub to: i64,
    /// Dots of the width.
    pub dots: u32,
}

impl View {
    /// The longest step, as a power of two, that is no longer than a dot.
    fn level(&self) -> u32 {
        let dot = (u128::from(self.to.abs_diff(self.from)) + 1) / u128::from(self.dots.max(1));
        dot.checked_ilog2().unwrap_or(0).min(MAX_STEP)
    }

    fn span(&self) -> Span {
        (self.from, self.to)
    }

    /// The range with as much again as a part of it on both sides.
    fn widened(&self, divisor: u64) -> Span {
        let by = i64::try_from(self.to.abs_diff(self.from) / divisor).unwrap_or(i64::MAX);
        (self.from.saturating_sub(by), self.to.saturating_add(by))
    }
}

/// Samples of a line, in rising order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// The samples; those beyond the ends of the view tell where the line goes on.
    pub samples: Vec<Sample>,
    /// Seconds of a bucket; none when each sample is a point.
    pub step: Option<u64>,
}

/// The first and the last time of a series, and the number of its points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Extent {
    /// None without points.
    first: Option<i64>,
    last: Option<i64>,
    /// At least so many points; one that was put again may count twice.
    total: u64,
}

/// What is known of the points of one series.
#[derive(Debug, Default)]
pub struct Rollups {
    limits: Limits,
    /// By the step as a power of two; those of 1 second are the points.
    levels: BTreeMap<u32, Level>,
    extent: Extent,
    /// The extent is that of the series, not only what was once known of it.
    surveyed: bool,
    /// The extent was that of the series once.
    was_surveyed: bool,
    /// The newest point that is not too far ahead.
    newest: Option<i64>,
    /// Ranges with at least the number of their points, the newest last; one that was put again
    /// may count twice.
    counts: VecDeque<(Span, u64)>,
    /// What has changed since it was asked for.
    stale: Coverage,
    /// The greatest time up to which strays of the future were asked for.
    strays_until: Option<i64>,
    /// No request is made before this time, because one was refused.
    not_before: Duration,
    /// What is being asked for.
    batch: Option<Batch>,
    /// The view that was last planned for.
    view: Option<View>,
    /// The end of the last batch.
    asked: Duration,
    /// The newest answered requests, with the time.
    answered: VecDeque<(Part, Duration)>,
    /// Something was asked for.
    is_used: bool,
    /// The last view of which nothing was missing, and the revision then.
    complete: Option<(View, u64)>,
    revision: u64,
    uses: u64,
}

impl Rollups {
    /// The server was asked, and has answered.
    pub fn is_known(&self) -> bool {
        self.was_surveyed
    }

    /// A number that changes with what is known.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The times of the first and the last point, as far as they are known.
    pub fn bounds(&self) -> Option<Span> {
        let first = self.extent.first.into_iter().chain(self.newest).min()?;
        Some((first, self.extent.last.into_iter().chain(self.newest).max()?))
    }

    /// The time of the newest point that is not too far ahead; of all when all are.
    pub fn newest(&self) -> Option<i64> {
        self.newest.or(self.extent.last)
    }

    /// The number of points, as far as it is known.
    pub fn total(&self) -> u64 {
        self.extent.total
    }

    /// Whether a range has so many points, at least two, as far as a coarse picture of it tells; not
    /// known before the range is.
    pub fn has(&self, count: usize, span: Span) -> Option<bool> {
        let level = View { from: span.0, to: span.1, dots: 16 }.level();
        let mut seen: Vec<i64> = Vec::new();
        for (&step, level) in self.levels.range(..=level) {
            for (start, (min, max)) in level.known(span) {
                let end = end_of(start, step);
                if !seen.iter().any(|time| (start..=end).contains(time)) {
                    // Least and greatest are two points.
                    seen.extend(std::iter::repeat_n(start, if min < max { 2 } else { 1 }));
                }
                if seen.len() >= count {
                    return Some(true);
                }
            }
        }
        self.coverage(level).covers(span).then_some(false)
    }

    /// The time of the first point of a range, as coarse as a picture of it at most; none while it is
    /// not known, or without points.
    pub fn first_in(&self, span: Span) -> Option<i64> {
        let coarsest = View { from: span.0, to: span.1, dots: 256 }.level();
        let first_from = |from: i64, level: u32| {
            let firsts = self.levels.range(..=level).filter_map(|(&step, level)| {
                // A bucket may have begun before.
                level.known((start_of(from, step), span.1)).next()
            });
            let first = firsts.map(|(time, _)| time.max(from)).min()?;
            self.coverage(level).covers((from, first)).then_some(first)
        };
        let first = first_from(span.0, coarsest)?;
        let finer = (0..coarsest).rev();
        Some(finer.fold(first, |first, level| first_from(first, level).unwrap_or(first)))
    }

    /// The time of the nearest point before a time, when it is known; as coarse as a view.
    pub fn before(&self, time: i64, view: &View) -> Option<i64> {
        self.last_before(time, view.level())
    }

    /// The time of the nearest point after a time, when it is known; as coarse as what is known.
    pub fn after(&self, time: i64) -> Option<i64> {
        let next = time.checked_add(1)?;
        self.levels.keys().find_map(|&level| {
            let (_, to) = self.coverage(level).around(next)?;
            let firsts = self.levels.range(..=level).filter_map(|(&step, level)| {
                // A bucket may have begun before.
                level.known((start_of(next, step), to)).next()
            });
            // It is not known whether points of a bucket are before the time or after.
            firsts.map(|(start, _)| start).min().filter(|&start| start >= next)
        })
    }

    fn last_before(&self, time: i64, level: u32) -> Option<i64> {
        let last = time.checked_sub(1)?;
        let (from, _) = self.coverage(level).around(last)?;
        let newest = |(&step, level): (&u32, &Level)| {
            // A bucket may have begun before what is known.
            let known = level.known((start_of(from, step), last)).last();
            known.map(|(start, _)| end_of(start, step).min(last))
        };
        self.levels.range(..=level).filter_map(newest).max()
    }

    /// The newest point is at least as late, as far as another answer tells.
    pub fn expect(&mut self, newest: i64) {
        self.newest.get_or_insert(newest);
    }

    /// Records a point as it is put, once something was asked for. `present`: later times are too
    /// far ahead.
    pub fn put(&mut self, point: Point, present: i64) {
        if !self.is_used {
            return;
        }
        if let Some(batch) = &mut self.batch
            && !batch.record(Change::Put(point))
        {
            self.invalidate();
        }
        if point.timestamp <= present {
            self.newest = self.newest.max(Some(point.timestamp));
        }
        if self.apply_put(point) {
            self.extent.total += 1;
            let counts = self.counts.iter_mut();
            let of_point =
                counts.filter(|((from, to), _)| (*from..=*to).contains(&point.timestamp));
            of_point.for_each(|(_, count)| *count += 1);
        }
        self.trim();
        self.revision += 1;
    }

    /// Records that a point is gone.
    pub fn remove(&mut self, timestamp: i64) {
        if let Some(batch) = &mut self.batch
            && !batch.record(Change::Remove(timestamp))
        {
            self.invalidate();
        }
        self.apply_remove(timestamp);
        self.revision += 1;
    }

    /// Trusts nothing any more; what was known is drawn until it has been asked for again.
    pub fn invalidate(&mut self) {
        self.levels.values_mut().for_each(|level| level.covered.clear());
        self.stale.clear();
        self.counts.clear();
        self.answered.clear();
        (self.batch, self.strays_until) = (None, None);
        (self.surveyed, self.not_before, self.complete) = (false, Duration::ZERO, None);
    }

    /// Writes a point into what is known; returns whether it may be a new one.
    fn apply_put(&mut self, point: Point) -> bool {
        let Point { timestamp, value } = point;
        let extent = self.extent.first.zip(self.extent.last).filter(|_| self.surveyed);
        let points = self.levels.entry(0).or_default();
        // Up to this point nothing more is known than that there was nothing.
        let beyond = extent.and_then(|(first, last)| match timestamp {
            _ if timestamp > last => Some((last.saturating_add(1), timestamp)),
            _ if timestamp < first => Some((timestamp, first.saturating_sub(1))),
            _ => None,
        });
        if let Some(beyond) = beyond {
            points.covered.add(beyond);
        }
        let mut before = None;
        let is_known = points.covered.contains(timestamp);
        if is_known {
            before = points.buckets.insert(timestamp, (value, value));
        }
        let is_new = is_known && before.is_none();
        for (&step, level) in self.levels.range_mut(1..) {
            if !level.covered.contains(timestamp) {
                continue;
            }
            let start = start_of(timestamp, step);
            let values = level.buckets.get(&start).copied();
            merge(&mut level.buckets, start, (value, value));
            // The value that it replaces may have been an extreme.
            let is_inner = values.zip(before).is_some_and(|((min, max), (old, _))| {
                (old > min && old < max) || old.to_bits() == value.to_bits()
            });
            if !is_new && !is_inner {
                let bucket = aligned((timestamp, timestamp), step);
                level.covered.remove(bucket);
                self.stale.add(bucket);
            }
        }
        let extent = &mut self.extent;
        extent.first = extent.first.into_iter().chain([timestamp]).min();
        extent.last = extent.last.max(Some(timestamp));
        before.is_none()
    }

    fn apply_remove(&mut self, timestamp: i64) {
        for (&step, level) in &mut self.levels {
            if !level.covered.contains(timestamp) {
                continue;
            }
            if step == 0 {
                level.buckets.remove(&timestamp);
                continue;
            }
            let bucket = aligned((timestamp, timestamp), step);
            level.covered.remove(bucket);
            self.stale.add(bucket);
        }
        if self.newest == Some(timestamp) {
            self.newest = self.last_before(timestamp, 0);
        }
        self.surveyed &= ![self.extent.first, self.extent.last].contains(&Some(timestamp));
    }

    /// The times of which a level is known, by itself or by finer ones.
    fn union(&self, level: u32) -> Coverage {
        let mut union = Coverage::default();
        for range in self.levels.range(..=level).flat_map(|(_, level)| level.covered.ranges()) {
            union.add(range);
        }
        union
    }

    /// The times of which a level is known, also because the series has no points there.
    fn coverage(&self, level: u32) -> Coverage {
        let mut coverage = self.union(level);
        if let (true, Some(first), Some(last)) =
            (self.surveyed, self.extent.first, self.extent.last)
        {
            let before = first.checked_sub(1).map(|end| (i64::MIN, end));
            let behind = last.checked_add(1).map(|start| (start, i64::MAX));
            before.into_iter().chain(behind).for_each(|empty| coverage.add(empty));
        }
        coverage
    }

    /// What is missing for a picture, in whole buckets.
    fn missing(&self, span: Span, level: u32) -> Vec<Span> {
        let mut whole = Coverage::default();
        for gap in self.coverage(level).gaps(span) {
            whole.add(aligned(gap, level));
        }
        whole.ranges().collect()
    }

    /// Takes the values of all buckets of a range.
    fn insert(&mut self, span: Span, step: u32, minima: &[Point], maxima: &[Point]) {
        let level = self.levels.entry(step).or_default();
        level.clear(span);
        for &Point { timestamp, value } in minima.iter().chain(maxima) {
            if (span.0..=span.1).contains(&timestamp) {
                merge(&mut level.buckets, start_of(timestamp, step), (value, value));
            }
        }
        level.covered.add(span);
        self.stale.remove(span);
    }
}
