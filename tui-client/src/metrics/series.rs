//! What is known of one series.

use shared::selector::Aggregate;
use shared::{KeyBuf, Point};

use crate::metrics::recent_points::RecentPoints;

/// A point is newer than the one that is known, or replaces it: it came later, or was put again with
/// another value.
pub fn is_news(point: Point, known: Point) -> bool {
    point.timestamp > known.timestamp
        || (point.timestamp == known.timestamp && point.value.to_bits() != known.value.to_bits())
}

/// Points further ahead of the clock, in seconds, do not hide the present of their key.
const MAX_AHEAD: i64 = 60;

/// The last time that is not too far ahead.
pub fn present_until(now: i64) -> i64 {
    now.saturating_add(MAX_AHEAD)
}

/// From one value to the next.
pub fn change(before: Point, point: Point) -> f64 {
    point.value - before.value
}

/// The change per second, if there is a second between the two points.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
pub fn rate(before: Point, point: Point) -> Option<f64> {
    let seconds = i128::from(point.timestamp) - i128::from(before.timestamp);
    (seconds > 0).then(|| change(before, point) / seconds as f64)
}

/// What is known of one series: its newest points, and a summary of more of them where one was
/// asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub key: KeyBuf,
    /// The newest point; one too far ahead only when all are.
    pub last: Point,
    /// The newest point before the last one.
    pub before: Option<Point>,
    /// Not in the series itself, because a table of a million keys has few of them.
    stats: Option<Box<Stats>>,
}

/// A summary of the points of an answer, and of those told since.
#[derive(Debug, Clone, PartialEq)]
struct Stats {
    count: u64,
    min: f64,
    max: f64,
    mean: f64,
    /// The most recent points, oldest first; not all of them in a long series.
    recent: RecentPoints,
    /// At least 1.
    max_recent: usize,
    /// The sum of all values, and what rounding has taken from it.
    sum: (f64, f64),
}

impl Stats {
    fn new(point: Point, max_recent: usize) -> Self {
        Self {
            count: 1,
            min: point.value,
            max: point.value,
            mean: point.value,
            recent: RecentPoints::from_iter([point]),
            max_recent,
            sum: (point.value, 0.0),
        }
    }

    /// Counts a value.
    fn count(&mut self, value: f64) {
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        #[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
        let count = self.count as f64;
        let (before, lost) = self.sum;
        let sum = before + value;
        let (large, small) =
            if before.abs() > value.abs() { (before, value) } else { (value, before) };
        self.sum = (sum, lost + (large - sum + small));
        let mean = (self.sum.0 + self.sum.1) / count;
        // The sum of huge values may overflow where their mean does not.
        self.mean =
            if mean.is_finite() { mean } else { self.mean + (value / count - self.mean / count) };
    }

    /// Keeps a point as the most recent one.
    fn push(&mut self, point: Point) {
        // Room first, so that its memory never grows beyond the limit.
        self.recent.keep(self.max_recent - 1);
        self.recent.push(point);
    }
}

impl Series {
    /// A series of one point; its summary keeps at most so many recent points, and there is none
    /// for 0.
    pub fn new(key: KeyBuf, point: Point, max_recent: usize) -> Self {
        let stats = (max_recent > 0).then(|| Box::new(Stats::new(point, max_recent)));
        Self { key, last: point, before: None, stats }
    }

    /// Takes a point; those after the time `present` are too far ahead.
    pub(super) fn add(&mut self, point: Point, present: i64) {
        let is_stray = point.timestamp > present && self.last.timestamp <= present;
        let is_first = point.timestamp <= present && self.last.timestamp > present;
        if is_first || point.timestamp >= self.last.timestamp && !is_stray {
            self.before = Some(self.last);
            self.last = point;
        }
        let Some(stats) = &mut self.stats else { return };
        stats.count(point.value);
        if !is_stray {
            stats.push(point);
        }
    }

    /// Takes a point that was put just now, in whatever order of times, and maybe again; says
    /// whether anything has changed. Points after the time `present` are too far ahead.
    pub fn tell(&mut self, point: Point, present: i64) -> bool {
        let Point { timestamp, value } = point;
        let is_stray = timestamp > present && self.last.timestamp <= present;
        let is_first = timestamp <= present && self.last.timestamp > present;
        if is_first || timestamp > self.last.timestamp && !is_stray {
            self.add(point, present);
            return true;
        }
        let is_same = |known: Point| known.value.to_bits() == value.to_bits();
        let mut changed = false;
        if timestamp == self.last.timestamp {
            changed = !is_same(self.last);
            self.last = point;
        } else if !is_stray {
            match self.before {
                Some(before) if before.timestamp > timestamp => {}
                Some(before) if before.timestamp == timestamp && is_same(before) => {}
                _ => (self.before, changed) = (Some(point), true),
            }
        }
        let Some(stats) = &mut self.stats else { return changed };
        match stats.recent.replace(point) {
            // A point with another value, or with the one that is known.
            Some(known) if is_same(known) => return changed,
            Some(_) => {
                // What was the minimum or the maximum may be so no longer; the next answer tells.
                (stats.min, stats.max) = (stats.min.min(value), stats.max.max(value));
            }
            // It may replace a point that is not kept: the next answer tells.
            None if is_stray => stats.count(value),
            None => {
                stats.count(value);
                let oldest = stats.recent.get(0).map(|oldest| oldest.timestamp);
                let all_kept = stats.recent.len() as u64 + 1 == stats.count;
                if all_kept || oldest.is_some_and(|oldest| oldest < timestamp) {
                    stats.recent.insert(point);
                    stats.recent.keep(stats.max_recent);
                }
            }
        }
        true
    }

    /// Takes a number of all points, as a server with selectors has computed it of more points than
    /// have come.
    pub fn set(&mut self, of: Aggregate, value: f64) {
        let Some(stats) = &mut self.stats else { return };
        match of {
            Aggregate::Min => stats.min = value,
            Aggregate::Max => stats.max = value,
            Aggregate::Avg => stats.mean = value,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            Aggregate::Count => stats.count = value as u64,
            _ => {}
        }
        // Points that are told later count, too.
        #[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
        let count = stats.count as f64;
        stats.sum = (stats.mean * count, 0.0);
    }

    /// Keeps fewer points from now on.
    pub(super) fn keep(&mut self, limit: usize) {
        let Some(stats) = &mut self.stats else { return };
        stats.max_recent = limit;
        stats.recent.keep(limit);
        stats.recent.shrink_to_fit();
    }

    /// Forgets the recent points.
    pub fn forget_recent(&mut self) {
        if let Some(stats) = &mut self.stats {
            stats.recent = RecentPoints::default();
        }
    }

    /// The number of points, if more than the newest ones are known.
    pub fn count(&self) -> Option<u64> {
        self.stats.as_ref().map(|stats| stats.count)
    }

    /// The least value, if more than the newest ones are known.
    pub fn min(&self) -> Option<f64> {
        self.stats.as_ref().map(|stats| stats.min)
    }

    /// The greatest value, if more than the newest ones are known.
    pub fn max(&self) -> Option<f64> {
        self.stats.as_ref().map(|stats| stats.max)
    }

    /// The mean of the values, if more than the newest ones are known.
    pub fn mean(&self) -> Option<f64> {
        self.stats.as_ref().map(|stats| stats.mean)
    }

    /// The most recent points, oldest first; not all of them in a long series.
    pub fn recent(&self) -> &RecentPoints {
        static NONE: RecentPoints = RecentPoints::new();
        self.stats.as_ref().map_or(&NONE, |stats| &stats.recent)
    }

    /// The newest value less the one before it, if there are two.
    pub fn change(&self) -> Option<f64> {
        Some(change(self.before?, self.last))
    }
}
